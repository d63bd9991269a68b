"""Errors of the face layer: one root, permanent codes, no personal data."""

from typing import ClassVar


class BiometricsError(Exception):
    """Root of everything that `biometrics` raises. An adverse finding is a result, not an error."""

    code: ClassVar[str] = "biometrics-fault"
    """Permanent kebab-case reason code."""
    retryable: ClassVar[bool] = False
    """True if capturing again may help."""
