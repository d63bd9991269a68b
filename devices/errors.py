"""Errors of the device layer: one root, permanent codes, no personal data."""

from typing import ClassVar


class DeviceError(Exception):
    """Root of everything that `devices` raises.

    The message is for people and never holds a key, an MRZ, a name or a payload.
    """

    code: ClassVar[str] = "device-fault"
    """Permanent kebab-case reason code."""
    retryable: ClassVar[bool] = False
    """True if the same action may succeed when it is tried again (card placed again, reader back)."""
