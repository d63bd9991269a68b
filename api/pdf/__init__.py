"""Assertions in PDF documents: attached to the document that they are for, signed over, verified."""
