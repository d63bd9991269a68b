"""Errors of the evaluation of presentation-attack detection."""

from typing import ClassVar

from biometrics.errors import BiometricsError


class PadDataInvalidError(BiometricsError):
    """A folder of captures, or a file of judged captures, is malformed or lacks what is needed."""

    code: ClassVar[str] = "pad-data-invalid"


class PadCalibrationRefusedError(BiometricsError):
    """The judged captures cannot carry a policy."""

    code: ClassVar[str] = "pad-calibration-refused"
