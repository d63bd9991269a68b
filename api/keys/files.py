"""Private keys in encrypted PEM, and files that are there whole or not at all.

cryptography encrypts PKCS#8 with 2048 rounds of PBKDF2 and lets nobody change that, so the
structure is put together here; cryptography and OpenSSL read it.

Source: RFC 8018 §6.2 (PBES2), RFC 5958 §3 (EncryptedPrivateKeyInfo), RFC 7468 §11.
"""

import os
import secrets
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from api.assertions.errors import (
    KeysExistError,
    KeysPasswordError,
    KeysPasswordWeakError,
    SigningKeyUnusableError,
)
from api.keys.errors import KeyFolderUnusableError

MIN_PASSWORD_LENGTH = 12
KDF_ROUNDS = 600_000
"""Of PBKDF2-HMAC-SHA-256. Source: OWASP Password Storage Cheat Sheet (2023)."""
MAX_FILE_BYTES = 1 << 20
"""Of any file in the folder; a revocation list with a thousand entries is a tenth of this."""

WAIT_S = 30.0
"""For another process that is changing the folder; with a slow token that takes a second."""
_LOCK = ".lock"
_EXCLUSIVE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def check_password(password: str | None) -> None:
    """Refuse a weak password; None, for keys that stay open, is the caller's decision.

    Raises:
        KeysPasswordWeakError: it has fewer than 12 characters.
        KeysPasswordError: it is not text in UTF-8.
    """
    if password is not None and len(password) < MIN_PASSWORD_LENGTH:
        raise KeysPasswordWeakError(f"the password needs {MIN_PASSWORD_LENGTH} characters")
    if password is not None:
        _secret_bytes(password)


def encode_private_key(key: ec.EllipticCurvePrivateKey, password: str | None) -> bytes:
    """Return a private key in PEM, encrypted with a password unless it is None.

    Raises:
        KeysPasswordWeakError: the password has fewer than 12 characters.
        KeysPasswordError: it is not text in UTF-8.
    """
    from asn1crypto import keys as asn1_keys  # a verifier starts without it
    from asn1crypto import pem

    check_password(password)
    format_ = serialization.PrivateFormat.PKCS8
    if password is None:
        encoding, open_ = serialization.Encoding.PEM, serialization.NoEncryption()
        return key.private_bytes(encoding, format_, open_)
    der = key.private_bytes(serialization.Encoding.DER, format_, serialization.NoEncryption())
    salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    kek = PBKDF2HMAC(hashes.SHA256(), 32, salt, KDF_ROUNDS).derive(_secret_bytes(password))
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(kek), modes.CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    derivation = {
        "algorithm": "pbkdf2",
        "parameters": {
            "salt": {"specified": salt},
            "iteration_count": KDF_ROUNDS,
            "prf": {"algorithm": "sha256"},
        },
    }
    parameters = {
        "key_derivation_func": derivation,
        "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": iv},
    }
    info = asn1_keys.EncryptedPrivateKeyInfo(
        {
            "encryption_algorithm": {"algorithm": "pbes2", "parameters": parameters},
            "encrypted_data": encrypted,
        }
    )
    return bytes(pem.armor("ENCRYPTED PRIVATE KEY", info.dump()))


def is_encrypted(data: bytes) -> bool:
    """Return whether a private key in PEM needs a password."""
    return b"ENCRYPTED" in data


def decode_private_key(data: bytes, password: str | None) -> ec.EllipticCurvePrivateKey:
    """Read a private key in PEM; the password is not used where it is not encrypted.

    Raises:
        KeysPasswordError: the password is missing or wrong.
        SigningKeyUnusableError: it is not an elliptic curve key in PEM.
    """
    encrypted = is_encrypted(data)
    if encrypted and not password:
        raise KeysPasswordError("the key is encrypted; its password is missing")
    key = None
    for secret in _ways_to_write(password) if encrypted and password else (None,):
        with suppress(ValueError, TypeError, UnsupportedAlgorithm):
            key = key or serialization.load_pem_private_key(data, secret)
    if key is None:
        if encrypted:
            raise KeysPasswordError("the password does not open the key")
        raise SigningKeyUnusableError("the key is not a private key in PEM")
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SigningKeyUnusableError("the key is not an elliptic curve key")
    return key


def _secret_bytes(password: str) -> bytes:
    """Return a password as it is hashed: composed, however a keyboard gives "ậ" (RFC 8265 §4)."""
    try:
        return unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        raise KeysPasswordError("the password is not text in UTF-8") from None


def _ways_to_write(password: str) -> tuple[bytes, ...]:
    """Return a password as it is hashed here, and as OpenSSL hashes it, which is as it is typed."""
    composed, typed = _secret_bytes(password), password.encode()
    return (composed,) if composed == typed else (composed, typed)


def first_line(data: bytes) -> str:
    """Return the first line of a file with a secret, without the mark that Windows writes before.

    Raises:
        UnicodeDecodeError: it is not text in UTF-8.
    """
    return data.decode("utf-8-sig").partition("\n")[0].rstrip("\r")


def read_file(path: Path, *, may_be_pipe: bool = False) -> bytes:
    """Return the bytes of a file of the folder.

    Raises:
        KeyFolderUnusableError: it is missing, unreadable, far too large, or a pipe that nobody may
            ever write to.
    """
    try:
        if not may_be_pipe and not stat.S_ISREG(path.stat().st_mode):
            raise KeyFolderUnusableError(f"{path} is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFolderUnusableError(f"{path}: {error.strerror or 'cannot be read'}") from None
    if len(data) > MAX_FILE_BYTES:
        raise KeyFolderUnusableError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB")
    return data


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same out of a folder: what was read stays true.

    The lock is that of an empty SQLite file: it works on every system, and ends with the process.

    Raises:
        KeyFolderUnusableError: another process held it for 30 seconds, or it cannot be taken.
    """
    import sqlite3  # a verifier starts without it

    database = None
    try:
        try:
            database = sqlite3.connect(folder / _LOCK, timeout=WAIT_S, isolation_level=None)
            database.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            is_held = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            raise KeyFolderUnusableError(
                f"another process is changing {folder}: try again when it has ended"
                if is_held
                else f"{folder / _LOCK} cannot be locked: {error}"
            ) from None
        yield
    finally:
        if database is not None:
            database.close()


def write_file(path: Path, data: bytes, *, private: bool = False, replace: bool = False) -> None:
    """Write a file that nobody ever sees half written, private ones for the owner only.

    Raises:
        KeysExistError: it is there already and is not to be replaced.
        KeyFolderUnusableError: it cannot be written.
    """
    if not replace and os.path.lexists(path):
        raise KeysExistError(f"{path} is there already; keys are never overwritten")
    make_private_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            # Exclusive creation with its final mode: never readable by others in between.
            descriptor = os.open(unfinished, _EXCLUSIVE, 0o600 if private else 0o644)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _flush_folder(path.parent)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise KeyFolderUnusableError(f"{path}: {error.strerror or 'cannot be written'}") from None


def make_private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for the owner only, whatever the umask.

    Raises:
        KeyFolderUnusableError: it cannot be made.
    """
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeyFolderUnusableError(f"{path}: {error.strerror or 'cannot be made'}") from None


def _flush_folder(folder: Path) -> None:
    """Put a new name onto the medium; Windows has no such call, and does so by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system can, and the file itself is written
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
