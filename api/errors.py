"""Errors of the service layer: one root, permanent codes, no personal data."""

from typing import ClassVar


class ApiError(Exception):
    """Root of everything that `api` raises; `api.problems` alone maps it to an HTTP status."""

    code: ClassVar[str] = "service-fault"
    """Permanent kebab-case reason code."""
    retryable: ClassVar[bool] = False
    """True if the same call may succeed later."""


class InputUnusableError(ApiError):
    """A file or argument that a person named cannot be used."""

    code = "input-unusable"
