"""Device keys: P-256, the private part on the agent's machine, the public part at the server."""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.fleet.errors import DeviceKeyPasswordError, DeviceKeyUnusableError

MIN_PASSWORD_LENGTH = 12
"""As for the keys that sign assertions (`api.keys.keys`): length does what 2048 rounds of
PBKDF2 do not."""
MAX_KEY_BYTES = 8192


def make_device_key(file: Path, password: str | None) -> ec.EllipticCurvePrivateKey:
    """Make a key in a new file that only its owner may read (on Windows: by the folder's rights).

    Args:
        file: where the PEM goes; it is never overwritten.
        password: encrypts it; None leaves it open to whoever can read the file.

    Raises:
        DeviceKeyPasswordError: the password has fewer than 12 characters.
        DeviceKeyUnusableError: the file is there already or cannot be written.
    """
    if password is not None and len(password) < MIN_PASSWORD_LENGTH:
        raise DeviceKeyPasswordError(f"the password needs {MIN_PASSWORD_LENGTH} characters")
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password.encode()),
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(file, flags, 0o600), "wb") as out:
            out.write(pem)
    except OSError as error:
        raise DeviceKeyUnusableError(f"{file}: {error.strerror or 'cannot be written'}") from None
    return key


def load_device_key(file: Path, password: str | None) -> ec.EllipticCurvePrivateKey:
    """Load a key that `make_device_key` made.

    Raises:
        DeviceKeyPasswordError: it is encrypted, and the password is missing or wrong.
        DeviceKeyUnusableError: the file is missing or holds no P-256 private key.
    """
    try:
        with file.open("rb") as source:
            pem = source.read(MAX_KEY_BYTES)
    except OSError as error:
        raise DeviceKeyUnusableError(f"{file}: {error.strerror or 'cannot be read'}") from None
    is_encrypted = b"ENCRYPTED" in pem
    if is_encrypted and not password:
        raise DeviceKeyPasswordError("the device key is encrypted; its password is missing")
    try:
        key = serialization.load_pem_private_key(
            pem, password.encode() if is_encrypted and password else None
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_encrypted:
            raise DeviceKeyPasswordError("the password does not open the device key") from None
        raise DeviceKeyUnusableError(f"{file} holds no private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not _is_p256(key.curve):
        raise DeviceKeyUnusableError(f"{file} holds another key than one of P-256")
    return key


def public_text(key: ec.EllipticCurvePublicKey) -> str:
    """Return a public key as one line: base64 of its DER SubjectPublicKeyInfo (RFC 5280)."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode("ascii")


def parse_public_text(text: str) -> ec.EllipticCurvePublicKey:
    """Read what `public_text` wrote.

    Raises:
        DeviceKeyUnusableError: it is no P-256 public key.
    """
    try:
        key = serialization.load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
        raise DeviceKeyUnusableError("this is no public key as `agent enrol` prints it") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not _is_p256(key.curve):
        raise DeviceKeyUnusableError("a device key is one of P-256")
    return key


def _is_p256(curve: ec.EllipticCurve) -> bool:
    return isinstance(curve, ec.SECP256R1)
