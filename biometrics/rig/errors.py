"""What the rig refuses."""

from typing import ClassVar

from biometrics.errors import BiometricsError


class RigSettingInvalidError(BiometricsError):
    """The rig was asked for frames that no camera takes."""

    code: ClassVar[str] = "rig-setting-invalid"
