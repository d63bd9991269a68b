"""Assertions in PDF documents: attached to what they are for, signed over, verified."""
