"""The signature of a frame: this picture, at this place and time, of this capture.

What is signed is a domain tag and then, each behind its length in four bytes: session id,
challenge id, frame number and time (four bytes each, big-endian), SHA-256 of the picture, SHA-256
of the signature of the frame before (nothing for the first). So no frame can be taken out, put in,
moved, delayed or carried into another capture without its own signature or the next one failing.

Source: ECDSA on P-256 with SHA-256, `r || s` (RFC 7518 §3.4).
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from api.assertions.encoding import b64url_decode, b64url_encode
from api.assertions.errors import AssertionMalformedError
from api.fleet.errors import FrameSignatureInvalidError

HEADER: Final = "Chinhchu-Frame-Signature"
DOMAIN: Final = b"chinhchu-frame-v1"
SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True)
class FrameStatement:
    """What one signature binds."""

    session_id: str
    challenge_id: str
    number: int
    """From 0, without gaps."""
    t_ms: int
    """Since the first frame."""
    picture_sha256: bytes = field(repr=False)
    previous_signature: bytes | None = field(repr=False)
    """Of the frame before; None for the first."""

    def to_bytes(self) -> bytes:
        """Return the bytes to be signed."""
        before = self.previous_signature
        parts = (
            self.session_id.encode(),
            self.challenge_id.encode(),
            self.number.to_bytes(4),
            self.t_ms.to_bytes(4),
            self.picture_sha256,
            b"" if before is None else hashlib.sha256(before).digest(),
        )
        return DOMAIN + b"".join(len(part).to_bytes(4) + part for part in parts)


@dataclass(frozen=True)
class SignedFrame:
    """A frame as it is sent."""

    number: int
    t_ms: int
    picture: bytes = field(repr=False)
    signature: bytes | None = field(repr=False)
    """None where no device key signs."""


class FrameSigner:
    """Numbers the frames of one capture and, with a device key, signs them."""

    def __init__(
        self, session_id: str, challenge_id: str, key: ec.EllipticCurvePrivateKey | None
    ) -> None:
        self._session_id = session_id
        self._challenge_id = challenge_id
        self._key = key
        self._number = 0
        self._previous: bytes | None = None

    def sign(self, t_ms: int, picture: bytes) -> SignedFrame:
        """Return the next frame."""
        signature = None
        if self._key is not None:
            statement = FrameStatement(
                self._session_id,
                self._challenge_id,
                self._number,
                t_ms,
                hashlib.sha256(picture).digest(),
                self._previous,
            )
            signature = sign_frame(statement, self._key)
        frame = SignedFrame(self._number, t_ms, picture, signature)
        self._number, self._previous = self._number + 1, signature
        return frame


def sign_frame(statement: FrameStatement, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the signature, 64 bytes."""
    der = key.sign(statement.to_bytes(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32) + s.to_bytes(32)


def verify_frame(
    statement: FrameStatement, signature: bytes, key: ec.EllipticCurvePublicKey
) -> None:
    """Verify a signature.

    Raises:
        FrameSignatureInvalidError: it is not of this frame, or not by this key.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise FrameSignatureInvalidError("a frame's signature has 64 bytes")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    try:
        der = utils.encode_dss_signature(r, s)
        key.verify(der, statement.to_bytes(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, OverflowError):
        raise FrameSignatureInvalidError("a frame's signature does not verify") from None


def to_header(signature: bytes) -> str:
    """Return a signature as the header `Chinhchu-Frame-Signature` carries it: base64url."""
    return b64url_encode(signature)


def parse_header(text: str) -> bytes:
    """Read what `to_header` wrote.

    Raises:
        FrameSignatureInvalidError: it is not 64 bytes in base64url.
    """
    try:
        signature = b64url_decode(text[: 2 * SIGNATURE_BYTES])
    except AssertionMalformedError:
        signature = b""
    if len(signature) != SIGNATURE_BYTES:
        raise FrameSignatureInvalidError(f"{HEADER} is 64 bytes in base64url")
    return signature
