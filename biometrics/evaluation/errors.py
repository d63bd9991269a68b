"""Errors of evaluation and calibration."""

from typing import ClassVar

from biometrics.errors import BiometricsError


class PairListInvalidError(BiometricsError):
    """A pair list is malformed, or a picture that it names cannot be used."""

    code: ClassVar[str] = "pair-list-invalid"


class ScoresInvalidError(BiometricsError):
    """Scores are missing or not finite numbers: no rate can be computed from them."""

    code: ClassVar[str] = "scores-invalid"


class CalibrationRefusedError(BiometricsError):
    """The data cannot carry a calibration."""

    code: ClassVar[str] = "calibration-refused"


class PlotsUnavailableError(BiometricsError):
    """The library that draws is not installed."""

    code: ClassVar[str] = "plots-unavailable"
