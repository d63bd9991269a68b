"""Key binding: the holder's proof, for one relying party and one nonce, that the key is theirs.

Source: RFC 9901 §4.3 and §7.3.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import jws
from api.assertions.encoding import b64url_encode
from api.assertions.errors import (
    AssertionMalformedError,
    KeyBindingInvalidError,
    KeyBindingMissingError,
)
from api.assertions.jwk import parse_jwk
from api.errors import ApiError

TYPE = "kb+jwt"
MAX_AGE_S = 15 * 60
MAX_JWT_BYTES = 8 << 10


def check_key_binding(
    key_binding: str | None,
    *,
    confirmation: Any,
    presented: str,
    audience: str,
    nonce: str,
    at: datetime,
    skew_s: int,
) -> None:
    """Check that a presentation is bound to the holder's key.

    Args:
        key_binding: the key-binding JWT that came with it.
        confirmation: the `cnf` claim of the issuer-signed JWT.
        presented: the SD-JWT as presented, without the key-binding JWT.
        audience: the relying party.
        nonce: the relying party's.
        at: the time of verification.
        skew_s: how far the clocks may be apart, in seconds.

    Raises:
        KeyBindingMissingError: there is none.
        KeyBindingInvalidError: it does not verify, is for someone else or another time, or covers
            another presentation.
    """
    if key_binding is None:
        raise KeyBindingMissingError("the holder's proof of possession is missing")
    if len(key_binding) > MAX_JWT_BYTES:
        raise KeyBindingInvalidError("the key-binding JWT is too large")
    try:
        token = jws.parse(key_binding)
        jws.check_algorithm(token.header)
        jws.check_type(token.header, TYPE)
        jws.verify(token, _holder_key(confirmation))
    except ApiError as error:
        raise KeyBindingInvalidError(f"the key-binding JWT is refused: {error}") from None
    _check_claims(token.payload, presented, audience, nonce)
    _check_times(token.payload, at.timestamp(), skew_s)


def _check_times(payload: Mapping[str, Any], now: float, skew_s: int) -> None:
    times = {name: payload[name] for name in ("iat", "nbf", "exp") if name in payload}
    if "iat" not in times or any(type(time) is not int for time in times.values()):
        raise KeyBindingInvalidError("the key-binding JWT does not say when it was made")
    if not times["iat"] - skew_s <= now <= times["iat"] + MAX_AGE_S + skew_s:
        raise KeyBindingInvalidError("the key-binding JWT was not made just now")
    # RFC 9901 §7.3, step 5: it is a JWT, so that RFC 7519 §4.1.4 and §4.1.5 hold where it has them.
    is_over = "exp" in times and now >= times["exp"] + skew_s
    if is_over or now < times.get("nbf", times["iat"]) - skew_s:
        raise KeyBindingInvalidError("the key-binding JWT is not valid at this time")


def _holder_key(confirmation: Any) -> ec.EllipticCurvePublicKey:
    try:
        return parse_jwk(confirmation.get("jwk") if isinstance(confirmation, Mapping) else None)
    except AssertionMalformedError:
        raise KeyBindingInvalidError("the holder's key is no EC key on P-256") from None


def _check_claims(payload: Mapping[str, Any], presented: str, audience: str, nonce: str) -> None:
    digest = b64url_encode(hashlib.sha256(presented.encode("ascii")).digest())
    expected = {"aud": audience, "nonce": nonce, "sd_hash": digest}
    for name, value in expected.items():
        if payload.get(name) != value:
            raise KeyBindingInvalidError(f"the key-binding JWT's {name} is another one")
