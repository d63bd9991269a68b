"""The machine-readable zone, read from a photo; check digits decide."""

from devices.mrz_scan.errors import (
    MrzAmbiguousError,
    MrzMissingError,
    MrzUnsureError,
    ScannerUnusableError,
)
from devices.mrz_scan.scanner import MrzScanner, ScannerModels

__all__ = [
    "MrzAmbiguousError",
    "MrzMissingError",
    "MrzScanner",
    "MrzUnsureError",
    "ScannerModels",
    "ScannerUnusableError",
]
