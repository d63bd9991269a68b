"""Errors of the device layer: one root, permanent codes, no personal data."""

from typing import ClassVar


class DeviceError(Exception):
    """Root of everything that `devices` raises.

    The message is for people and never holds a key, an MRZ, a name or a payload.
    """

    code: ClassVar[str] = "device-fault"
    """Permanent kebab-case reason code."""
    retryable: ClassVar[bool] = False
    """True if the same action may succeed when tried again (card placed again, reader back)."""


class PcscUnavailableError(DeviceError):
    """The PC/SC service or its Python binding is not there."""

    code = "pcsc-unavailable"


class ReaderMissingError(DeviceError):
    """No reader is connected, or none has the name that was asked for."""

    code = "reader-missing"
    retryable = True


class CardMissingError(DeviceError):
    """No card was placed on the reader in time."""

    code = "card-missing"
    retryable = True


class CardRemovedError(DeviceError):
    """The card left the reader, lost power or was reset while it was in use."""

    code = "card-removed"
    retryable = True


class ReaderFailedError(DeviceError):
    """The reader could not carry out an exchange although the card is there."""

    code = "reader-failed"
    retryable = True


class TlvMalformedError(DeviceError):
    """Bytes that should be BER-TLV are not."""

    code = "tlv-malformed"


class ApduMalformedError(DeviceError):
    """A command cannot be encoded, or what came back is not a response APDU."""

    code = "apdu-malformed"


class CardRefusedError(DeviceError):
    """The card answered a command with a status word that stops the work."""

    code = "card-refused"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        """The status word, 0x0000–0xFFFF."""


class CardMisbehavedError(DeviceError):
    """The card answers without end, or with more than any card may."""

    code = "card-misbehaved"


class CardTooSlowError(DeviceError):
    """Card or reader did not bring the work to its end in the time that was given."""

    code = "card-too-slow"
    retryable = True


class TraceMalformedError(DeviceError):
    """A file that should be an APDU trace is not one."""

    code = "trace-malformed"


class ReplayMismatchError(DeviceError):
    """A replayed transcript does not hold the command that was sent."""

    code = "replay-mismatch"


class CameraMissingError(DeviceError):
    """There is no such camera, or another program holds it."""

    code = "camera-missing"
    retryable = True


class CameraFailedError(DeviceError):
    """The camera stopped, or gives frames that are no pictures."""

    code = "camera-failed"
    retryable = True
