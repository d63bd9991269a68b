"""Errors of the MRZ scanner; no message holds a character that was read."""

from typing import ClassVar

from devices.errors import DeviceError


class MrzMissingError(DeviceError):
    """The photo shows no lines that could be a machine-readable zone."""

    code: ClassVar[str] = "mrz-missing"
    retryable: ClassVar[bool] = True


class MrzUnsureError(DeviceError):
    """Lines were found that are read with doubt, or that check digits or plausibility refuse."""

    code: ClassVar[str] = "mrz-unsure"
    retryable: ClassVar[bool] = True

    def __init__(self, message: str, *, legible: bool = False) -> None:
        super().__init__(message)
        self.legible = legible
        """True: most characters were read well, so it is an MRZ, the right way up; another try on
        the same photo would not help."""


class MrzAmbiguousError(DeviceError):
    """The photo shows the machine-readable zones of several documents."""

    code: ClassVar[str] = "mrz-ambiguous"
    retryable: ClassVar[bool] = True


class ScannerUnusableError(DeviceError):
    """A model of the scanner cannot be loaded or run, or is another than it should be."""

    code: ClassVar[str] = "scanner-unusable"
