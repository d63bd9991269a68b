"""What speaks to the chip: access, secure messaging, reading."""
