"""Private keys wherever they are: in the folder's files, or in the security module it names."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from api.assertions.errors import KeysPasswordError, SigningKeyUnusableError
from api.keys import files as key_files
from api.keys import pkcs11 as pkcs11_keys
from api.keys.authority import KeyPair
from api.keys.errors import (
    AuthorityKeyMissingError,
    KeyFolderUnusableError,
    Pkcs11PinMissingError,
    Pkcs11PinWrongError,
)
from api.keys.folder import StoredCertificate
from api.keys.keys_toml import TokenPlace


@dataclass(frozen=True)
class KeySecrets:
    """What opens private keys."""

    password: str | None = field(default=None, repr=False)
    """Of encrypted files; None where they are not encrypted."""
    pin: str | None = field(default=None, repr=False)
    """Of the token; None where there is none, or where `keys.toml` names a file with it."""


def open_stored_key(
    stored: StoredCertificate, token: TokenPlace | None, secrets: KeySecrets
) -> KeyPair:
    """Return a certificate of the folder with its private key.

    Raises:
        AuthorityKeyMissingError: there is no file with the key, and no token.
        SigningKeyUnusableError: the file does not hold the certificate's key.
        KeysPasswordError: the password is missing or wrong.
        ApiError: what `pkcs11_keys` raises.
    """
    if stored.key_path.exists() or token is None:
        return open_key_file(
            stored.key_path, stored.certificate, secrets.password, may_be_pipe=False
        )
    key = open_token(token, secrets.pin).private_key(stored.certificate)
    return KeyPair(stored.certificate, key)


def open_key_file(
    path: Path, certificate: x509.Certificate, password: str | None, *, may_be_pipe: bool = True
) -> KeyPair:
    """Return a certificate with its private key from a file, or from a pipe that a person named.

    Raises:
        AuthorityKeyMissingError: there is no such file.
        SigningKeyUnusableError: it does not hold the certificate's key.
        KeysPasswordError: the password is missing or wrong.
    """
    try:
        data = key_files.read_file(path, may_be_pipe=may_be_pipe)
    except KeyFolderUnusableError:
        raise AuthorityKeyMissingError(f"{path} is not there or cannot be read") from None
    try:
        key = key_files.decode_private_key(data, password)
    except KeysPasswordError as error:
        raise KeysPasswordError(f"{path}: {error}") from None
    if key.public_key() != certificate.public_key():
        raise SigningKeyUnusableError(f"the key in {path} does not fit its certificate")
    return KeyPair(certificate, key)


def open_token(place: TokenPlace, pin: str | None) -> pkcs11_keys.Pkcs11Token:
    """Return the token, logged in with the PIN given or that of the file that `keys.toml` names.

    Raises:
        Pkcs11PinMissingError: there is none, or its file cannot be read.
        Pkcs11PinWrongError: it is not text in UTF-8, or the token refuses it.
        ApiError: what `pkcs11_keys.open_token` raises.
    """
    return pkcs11_keys.open_token(place.module, place.token, lambda: _pin(place, pin))


def _pin(place: TokenPlace, given: str | None) -> str:
    """Return the PIN as it is now: its file may have changed."""
    pin = given
    if pin is None and place.pin_file is not None:
        try:
            pin = key_files.first_line(key_files.read_file(place.pin_file))
        except (KeyFolderUnusableError, UnicodeDecodeError):
            raise Pkcs11PinMissingError(f"the PIN cannot be read from {place.pin_file}") from None
    if not pin:
        raise Pkcs11PinMissingError(
            f"the PIN of the token {place.token!r} is not given (--pin-file, CHINHCHU_KEYS_PIN, or "
            "pin_file in keys.toml)"
        )
    try:
        pin.encode()
    except UnicodeEncodeError:  # other bytes in the environment
        raise Pkcs11PinWrongError("the PIN is not text in UTF-8") from None
    return pin
