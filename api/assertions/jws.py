"""The JWS under an SD-JWT: ES256 and nothing else.

Source: RFC 7515 §3.1 and §5 (compact serialization), RFC 7518 §3.4 (ES256).
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import es256
from api.assertions.encoding import b64url_decode, b64url_encode, dump_json, parse_json, write_json
from api.assertions.errors import (
    AlgorithmNotAllowedError,
    AssertionMalformedError,
    TypeNotAllowedError,
)

ALGORITHM = "ES256"
MAX_HEADER_BYTES = 16 << 10


class Signer(Protocol):
    """What holds a private key on P-256, in memory or in a security module."""

    def sign(self, message: bytes) -> bytes:
        """Return the ES256 signature: r and s, 32 bytes each, big-endian (RFC 7518 §3.4)."""
        ...


@dataclass(frozen=True)
class Jws:
    """A parsed JWS whose signature is not verified yet."""

    compact: str = field(repr=False)
    header: Mapping[str, Any] = field(repr=False)
    """Shared by all that have the same: not to be changed."""
    payload: dict[str, Any] = field(repr=False)
    signature: bytes = field(repr=False)


def sign(header: Mapping[str, Any], payload: Mapping[str, Any], signer: Signer) -> str:
    """Return the compact serialization of a payload signed with ES256."""
    return sign_under(encode_header(header), payload, signer)


def encode_header(header: Mapping[str, Any]) -> str:
    """Return a header, with its `alg`, as it stands in the compact serialization."""
    return b64url_encode(dump_json({"alg": ALGORITHM, **header}))


def sign_under(encoded_header: str, payload: Mapping[str, Any], signer: Signer) -> str:
    """Sign as `sign` does, under a header that was encoded before."""
    signing_input = f"{encoded_header}.{b64url_encode(write_json(payload))}"
    return f"{signing_input}.{b64url_encode(signer.sign(signing_input.encode('ascii')))}"


def parse(compact: str) -> Jws:
    """Read a JWS strictly, without verifying it.

    Raises:
        AssertionMalformedError: not three canonical base64url parts, or header and payload are not
            unambiguous JSON objects, or the header asks for an extension (`crit`).
    """
    parts = compact.split(".")
    if len(parts) != 3:
        raise AssertionMalformedError("a JWS has three parts")
    if len(parts[0]) > MAX_HEADER_BYTES:
        raise AssertionMalformedError("the header is too large")
    header = _parse_header(parts[0])
    payload = _parse_object(parts[1])
    return Jws(compact, header, payload, b64url_decode(parts[2]))


@lru_cache(maxsize=64)
def _parse_header(encoded: str) -> Mapping[str, Any]:
    """Read a header, once for all that is signed under one leaf."""
    header = _parse_object(encoded)
    # RFC 7515 §4.1.11: no extension is understood here, so none can be critical.
    if "crit" in header or "b64" in header:
        raise AssertionMalformedError("the header asks for an extension")
    return MappingProxyType(header)


def _parse_object(encoded: str) -> dict[str, Any]:
    value = parse_json(b64url_decode(encoded))
    if not isinstance(value, dict):
        raise AssertionMalformedError("header and payload must be JSON objects")
    return value


def check_algorithm(header: Mapping[str, Any]) -> None:
    """Refuse any algorithm but ES256 (RFC 8725 §3.1), `none` included."""
    if header.get("alg") != ALGORITHM:
        raise AlgorithmNotAllowedError("only ES256 is allowed")


def check_type(header: Mapping[str, Any], expected: str) -> None:
    """Refuse a JWT of another kind (RFC 8725 §3.11)."""
    if header.get("typ") != expected:
        raise TypeNotAllowedError(f"typ must be {expected}")


def certificates(header: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return the DER certificates of `x5c`, which is base64 with padding (RFC 7515 §4.1.6).

    Raises:
        AssertionMalformedError: there is no such list.
    """
    x5c = header.get("x5c")
    if not isinstance(x5c, list) or not all(isinstance(item, str) for item in x5c):
        raise AssertionMalformedError("x5c must be a list of certificates")
    return _decode_chain(tuple(x5c))


@lru_cache(maxsize=64)
def _decode_chain(x5c: tuple[str, ...]) -> tuple[bytes, ...]:
    try:
        return tuple(base64.b64decode(item, validate=True) for item in x5c)
    except (binascii.Error, ValueError):
        raise AssertionMalformedError("x5c is not base64") from None


def verify(token: Jws, key: ec.EllipticCurvePublicKey) -> None:
    """Verify a signature by ES256, whatever the header says.

    Raises:
        SignatureInvalidError: it does not verify.
    """
    # RFC 7515 §5.2, step 8: the octets as received, up to the second dot.
    signing_input = token.compact.rpartition(".")[0]
    es256.verify(key, signing_input.encode("ascii"), token.signature)
