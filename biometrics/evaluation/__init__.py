"""Evaluate and calibrate face comparison on listed pairs, in the terms of ISO/IEC 19795-1."""
