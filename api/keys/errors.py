"""What can go wrong with the folder of keys and with security modules."""

from api.errors import ApiError


class KeyFolderUnusableError(ApiError):
    """A file that the folder of keys must have is missing, unreadable, or does not fit."""

    code = "keys-folder-unusable"


class AuthorityKeyMissingError(ApiError):
    """The private key of a certificate authority is not where it is looked for."""

    code = "authority-key-missing"


class CertificateUnknownError(ApiError):
    """No certificate of the folder is meant, or more than one is."""

    code = "certificate-unknown"


class CertificateRevokedError(ApiError):
    """The certificate is revoked already."""

    code = "certificate-revoked"


class PublicationUnusableError(ApiError):
    """The keys cannot be published there."""

    code = "publication-unusable"


class Pkcs11NotInstalledError(ApiError):
    """The package python-pkcs11 is not installed."""

    code = "pkcs11-not-installed"


class Pkcs11ModuleUnusableError(ApiError):
    """The PKCS#11 module (the vendor's library) is missing or cannot be loaded."""

    code = "pkcs11-module-unusable"


class Pkcs11TokenMissingError(ApiError):
    """No token of that label is there, or more than one is."""

    code = "pkcs11-token-missing"
    retryable = True


class Pkcs11PinMissingError(ApiError):
    """The token's PIN is not given."""

    code = "pkcs11-pin-missing"


class Pkcs11PinWrongError(ApiError):
    """The token refused the PIN; it is not tried again, for a few wrong ones lock the token."""

    code = "pkcs11-pin-wrong"


class Pkcs11PinLockedError(ApiError):
    """The token takes no PIN any more, or one more wrong one would lock it."""

    code = "pkcs11-pin-locked"


class Pkcs11KeyMissingError(ApiError):
    """The token holds no private key for a certificate, or more than one."""

    code = "pkcs11-key-missing"


class Pkcs11KeyMismatchError(ApiError):
    """The token's key is not the certificate's, or is not one that only signs inside the token."""

    code = "pkcs11-key-mismatch"


class Pkcs11FaultError(ApiError):
    """The token or its module failed."""

    code = "pkcs11-fault"
    retryable = True
