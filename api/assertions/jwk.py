"""Public keys on P-256 as JSON Web Keys.

Source: RFC 7518 §6.2.1 (EC keys), RFC 7638 (thumbprint).
"""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions.encoding import b64url_decode, b64url_encode, dump_json
from api.assertions.errors import AssertionMalformedError
from api.assertions.es256 import COORDINATE_BYTES


def to_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Return the four required members of a key on P-256."""
    numbers = key.public_numbers()
    x, y = (b64url_encode(n.to_bytes(COORDINATE_BYTES)) for n in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def parse_jwk(jwk: Any) -> ec.EllipticCurvePublicKey:
    """Read the public key of a JWK; what it says beyond the four required members is ignored.

    Raises:
        AssertionMalformedError: it is not an EC key on P-256, or its point is not on the curve.
    """
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise AssertionMalformedError("the key is not an EC key on P-256")
    x, y = jwk.get("x"), jwk.get("y")
    if not isinstance(x, str) or not isinstance(y, str):
        raise AssertionMalformedError("the key has no coordinates")
    numbers = ec.EllipticCurvePublicNumbers(_coordinate(x), _coordinate(y), ec.SECP256R1())
    try:
        return numbers.public_key()
    except ValueError:
        raise AssertionMalformedError("the key is no point of the curve") from None


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the JWK thumbprint, base64url of SHA-256 (RFC 7638 §3)."""
    members = dict(sorted(to_jwk(key).items()))
    return b64url_encode(hashlib.sha256(dump_json(members)).digest())


def _coordinate(text: str) -> int:
    octets = b64url_decode(text)
    # §6.2.1.2: the full size of a coordinate, leading zeros included.
    if len(octets) != COORDINATE_BYTES:
        raise AssertionMalformedError("the key's coordinates have another length")
    return int.from_bytes(octets)
