"""Errors of the eMRTD application; no message holds a password, a key, an MRZ or a payload."""

from typing import ClassVar

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


class PasswordBlockedError(PasswordWrongError):
    """The card takes no more tries of this password."""

    code = "password-blocked"


class PasswordLastTryError(DeviceError):
    """One try of this password is left, and nobody allowed to use it up."""

    code = "password-last-try"


class AccessUnsupportedError(DeviceError):
    """No access protocol is shared by the card, this software and the password given."""

    code = "access-unsupported"


class AccessFailedError(DeviceError):
    """The access protocol broke off for another reason than a wrong password."""

    code = "access-failed"
    retryable = True

    def __init__(self, message: str, *, password_was_tried: bool = False) -> None:
        super().__init__(message)
        self.password_was_tried = password_was_tried
        """True once the card could judge the password: no other protocol may try it again."""


class ChipAuthenticationMappingError(AccessFailedError):
    """The chip did not prove by PACE-CAM that it holds the key of EF.CardSecurity."""

    code = "access-cam-failed"
    retryable = False

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, password_was_tried=True)
        self.reason = reason
        """Permanent kebab-case reason code."""


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
        self.is_answered_in_part = False
        """True if the card has answered a part of the command: no other may take its place."""


class FileMalformedError(DeviceError):
    """A file of the chip does not have the structure of its standard."""

    code = "file-malformed"


class MrzMalformedError(DeviceError):
    """Text that should be a machine-readable zone is not one, or a check digit is wrong."""

    code = "mrz-malformed"


class SodMalformedError(DeviceError):
    """The document security object cannot be parsed."""

    code = "sod-malformed"


class SodWithoutHashesError(SodMalformedError):
    """The document security object lists no data group, so it proves nothing."""

    code = "sod-without-hashes"


class SodHashAlgorithmError(SodMalformedError):
    """The hashes of the data groups are by an algorithm that is missing or that no chip may use."""

    code = "sod-hash-algorithm-unsupported"


class SodHashBrokenError(SodHashAlgorithmError):
    """The hashes of the data groups are by MD5 or older."""

    code = "sod-md5-refused"


class SodHashLengthError(SodMalformedError):
    """A data group's hash does not have the length of the hash algorithm that is named."""

    code = "sod-hash-algorithm-mismatch"


class KeyUnsupportedError(DeviceError):
    """A public key or signature algorithm is malformed or not one that this software verifies."""

    code = "key-unsupported"
    finding: ClassVar[str] = "algorithm-unsupported"
    """What the reason code says of it, after the prefix of the thing that was signed."""


class HashBrokenError(KeyUnsupportedError):
    """A hash algorithm is one for which collisions are made at will (MD5 and older)."""

    code = "hash-broken"
    finding = "md5-refused"


class EvidenceMalformedError(DeviceError):
    """Bytes that should be chip evidence are truncated, altered, or of another version."""

    code = "evidence-malformed"


class OnlineAuthorityUnavailableError(DeviceError):
    """The authority that is asked about documents did not answer in time, or not as agreed.

    It is not asked again: that no answer came is what the verdict rests on.
    """

    code = "online-authority-unavailable"


class TrustAnchorsUnusableError(DeviceError):
    """The folder of trust anchors or a certificate in it cannot be read."""

    code = "trust-anchors-unusable"


class CrlUnusableError(DeviceError):
    """A certificate revocation list is malformed or of a kind that is not used."""

    code = "crl-unusable"


class MasterListMalformedError(DeviceError):
    """A master list cannot be parsed, or holds nothing."""

    code = "master-list-malformed"


class TrustBundleRefusedError(DeviceError):
    """A bundle of trust anchors is malformed, or not the one that was announced."""

    code = "trust-bundle-refused"


class ChallengeMalformedError(DeviceError):
    """A challenge for Active or Chip Authentication cannot be one."""

    code = "challenge-malformed"


class ChipAuthenticationUnsupportedError(DeviceError):
    """The chip offers Chip Authentication in no form that this software runs."""

    code = "chip-authentication-unsupported"


class AuthenticationRefusedError(DeviceError):
    """A verification found against the chip; the verifier turns it into a check's result."""

    code = "chip-refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """Permanent kebab-case reason code of the finding."""


class TerminalAuthenticationRequiredError(DeviceError):
    """The content is open only to terminals that the issuer certified (Terminal Authentication)."""

    code = "terminal-authentication-required"


class FileUnsupportedError(DeviceError):
    """A file has a content that this software does not parse."""

    code = "file-unsupported"
