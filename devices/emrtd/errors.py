"""Errors of the eMRTD application; no message holds a password, a key, an MRZ or a payload."""

from devices.errors import DeviceError


class PasswordMalformedError(DeviceError):
    """A CAN or a part of the MRZ cannot be one."""

    code = "password-malformed"


class PasswordWrongError(DeviceError):
    """The card refused the CAN or MRZ; trying again blindly could block it."""

    code = "password-wrong"

    def __init__(self, message: str, tries_left: int | None = None) -> None:
        super().__init__(message)
        self.tries_left = tries_left
        """Tries that the card says are left, or None if it does not tell."""


class AccessUnsupportedError(DeviceError):
    """No access protocol is shared by the card, this software and the password given."""

    code = "access-unsupported"


class AccessFailedError(DeviceError):
    """The access protocol broke off for another reason than a wrong password."""

    code = "access-failed"
    retryable = True


class SecureMessagingError(DeviceError):
    """An answer under secure messaging is not authentic."""

    code = "secure-messaging-invalid"


class UnprotectedResponseError(DeviceError):
    """An answer came without protection although secure messaging is on."""

    code = "secure-messaging-unprotected"
    retryable = True

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        """The naked status word."""


class FileMalformedError(DeviceError):
    """A file of the chip does not have the structure of its standard."""

    code = "file-malformed"


class MrzMalformedError(DeviceError):
    """Text that should be a machine-readable zone is not one, or a check digit is wrong."""

    code = "mrz-malformed"


class SodMalformedError(DeviceError):
    """The document security object cannot be parsed."""

    code = "sod-malformed"


class KeyUnsupportedError(DeviceError):
    """A public key or signature algorithm is malformed or not one that this software verifies."""

    code = "key-unsupported"


class EvidenceMalformedError(DeviceError):
    """Bytes that should be chip evidence are truncated, altered, or of another version."""

    code = "evidence-malformed"


class TrustAnchorsUnusableError(DeviceError):
    """The folder of trust anchors or a certificate in it cannot be read."""

    code = "trust-anchors-unusable"


class ChallengeMalformedError(DeviceError):
    """A challenge for Active Authentication does not have eight bytes."""

    code = "challenge-malformed"


class AuthenticationRefusedError(DeviceError):
    """A verification found against the chip; the verifier turns it into a check's result."""

    code = "chip-refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """Permanent kebab-case reason code of the finding."""
