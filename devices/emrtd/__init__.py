"""The eMRTD application: access to the chip, its files, and whether it is genuine."""
