"""Readers and cards: APDU transport, the eMRTD stack, and a software citizen card."""
