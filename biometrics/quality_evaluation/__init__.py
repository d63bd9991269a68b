"""Degrade pictures on purpose and count what `biometrics.quality` makes of them."""
