"""The JWS under an SD-JWT: ES256 and nothing else, carried by joserfc.

joserfc bounds a header at 512 bytes, which `x5c` exceeds; the registry here raises that bound.

Source: RFC 7515 §3.1 (compact serialization), RFC 7518 §3.4 (ES256).
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from api.assertions.encoding import b64url_decode, dump_json, parse_json
from api.assertions.errors import (
    AlgorithmNotAllowedError,
    AssertionMalformedError,
    SignatureInvalidError,
    TypeNotAllowedError,
)

ALGORITHM = "ES256"
MAX_HEADER_BYTES = 16 << 10


class _Registry(jws.JWSRegistry):
    max_header_length = MAX_HEADER_BYTES


# RFC 7515 §4: parameters that are not understood and not critical are ignored.
_REGISTRY = _Registry(algorithms=[ALGORITHM], strict_check_header=False)


@dataclass(frozen=True)
class Jws:
    """A parsed JWS whose signature is not verified yet."""

    compact: str = field(repr=False)
    header: dict[str, Any] = field(repr=False)
    payload: dict[str, Any] = field(repr=False)


def sign(header: Mapping[str, Any], payload: Mapping[str, Any], key: ECKey) -> str:
    """Return the compact serialization of a payload signed with ES256."""
    protected = {"alg": ALGORITHM, **header}
    return jws.serialize_compact(protected, dump_json(payload), key, registry=_REGISTRY)


def parse(compact: str) -> Jws:
    """Read a JWS strictly, without verifying it.

    Raises:
        AssertionMalformedError: not three canonical base64url parts, or header and payload are not
            unambiguous JSON objects, or the header asks for an extension (`crit`).
    """
    parts = compact.split(".")
    if len(parts) != 3:
        raise AssertionMalformedError("a JWS has three parts")
    header, payload = (parse_json(b64url_decode(part)) for part in parts[:2])
    b64url_decode(parts[2])
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise AssertionMalformedError("header and payload must be JSON objects")
    # RFC 7515 §4.1.11: no extension is understood here, so none can be critical.
    if "crit" in header or "b64" in header:
        raise AssertionMalformedError("the header asks for an extension")
    return Jws(compact, header, payload)


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
    try:
        return tuple(base64.b64decode(item, validate=True) for item in x5c)
    except (binascii.Error, ValueError):
        raise AssertionMalformedError("x5c is not base64") from None


def verify(token: Jws, key: ec.EllipticCurvePublicKey | ECKey) -> None:
    """Verify a signature.

    Raises:
        SignatureInvalidError: it does not verify.
    """
    public = key if isinstance(key, ECKey) else ECKey(key, key)
    try:
        jws.deserialize_compact(token.compact, public, registry=_REGISTRY)
    except (JoseError, ValueError):
        raise SignatureInvalidError("the signature does not verify") from None
