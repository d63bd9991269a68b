"""ES256: ECDSA on P-256 with SHA-256, the signature as r and s.

Directly on `cryptography`: joserfc's carrying of a JWS took ten times as long as its signature.

Source: RFC 7518 §3.4.
"""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from api.assertions.errors import SignatureInvalidError

COORDINATE_BYTES = 32
SIGNATURE_BYTES = 2 * COORDINATE_BYTES

_ECDSA = ec.ECDSA(SHA256())


@dataclass(frozen=True)
class PrivateKeySigner:
    """A signer whose private key is in memory."""

    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    """On P-256."""

    def sign(self, message: bytes) -> bytes:
        """Return r and s over a message, 32 bytes each, big-endian."""
        return sign(self.private_key, message)


def sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Return r and s over a message, 32 bytes each, big-endian."""
    r, s = decode_dss_signature(key.sign(message, _ECDSA))
    return r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES)


def verify(key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> None:
    """Verify r and s over a message.

    Raises:
        SignatureInvalidError: they are not 64 bytes, the key is not on P-256, or they do not
            verify.
    """
    if len(signature) != SIGNATURE_BYTES or not isinstance(key.curve, ec.SECP256R1):
        raise SignatureInvalidError("the signature does not verify")
    r = int.from_bytes(signature[:COORDINATE_BYTES])
    s = int.from_bytes(signature[COORDINATE_BYTES:])
    try:
        key.verify(encode_dss_signature(r, s), message, _ECDSA)
    except InvalidSignature:
        raise SignatureInvalidError("the signature does not verify") from None
