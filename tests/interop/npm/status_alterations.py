"""What can be wrong with a status list, and whether @sd-jwt/sd-jwt-vc sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.assertions import jws
from api.assertions.encoding import b64url_decode, b64url_encode
from api.assertions.status_array import StatusArray, StatusReference
from tests.fixtures.office import AT, ISSUER, Office
from tests.interop.npm.alterations import ACCEPTED, REFUSED

URI = "https://chinhchu.example/v1/status-lists/1"
OTHER_URI = "https://chinhchu.example/v1/status-lists/2"
SIZE, IDX = 4096, 1234
DAY_S = 86_400


@dataclass(frozen=True)
class StatusAlteration:
    """One list under which an assertion must not count as valid."""

    what: str
    make: Callable[[Office], str]
    reason: str
    """The code that keeps this project's verifier from PASSED."""
    sd_jwt_vc: str = REFUSED
    idx: int = IDX


def status_list(
    office: Office,
    statuses: StatusArray | None = None,
    *,
    typ: str = "statuslist+jwt",
    **changes: Any,
) -> str:
    """Sign a list as `sign_status_list` does, with claims changed; None takes one away."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": URI,
        "iat": int(AT.timestamp()),
        "exp": int(AT.timestamp()) + DAY_S,
        "ttl": DAY_S // 2,
        "status_list": (statuses or StatusArray.of_valid(SIZE)).encode(),
    }
    claims = {name: v for name, v in {**claims, **changes}.items() if v is not None}
    return jws.sign({"typ": typ, "x5c": list(office.key.x5c)}, claims, office.key)


def with_status(value: int) -> Callable[[Office], str]:
    return lambda office: status_list(office, StatusArray.of_valid(SIZE).set(IDX, value))


def made_valid_again(office: Office) -> str:
    """Put the array of an all-valid list into the token of one that revokes."""
    header, _, signature = with_status(1)(office).split(".")
    return f"{header}.{status_list(office).split('.')[1]}.{signature}"


def ago(office: Office, seconds: int, **changes: Any) -> str:
    return status_list(office, iat=int(AT.timestamp()) - seconds, **changes)


def in_two_spellings(office: Office) -> str:
    header, payload, _ = status_list(office).split(".")
    claims = b'{"sub":"' + OTHER_URI.encode() + b'",' + b64url_decode(payload)[1:]
    signed = f"{header}.{b64url_encode(claims)}"
    return f"{signed}.{b64url_encode(office.key.sign(signed.encode()))}"


STATUS_ALTERATIONS = (
    StatusAlteration("revoked", with_status(1), "revoked"),
    StatusAlteration("suspended", with_status(2), "suspended"),
    StatusAlteration("a status that nobody defined", with_status(3), "status-value-unknown"),
    StatusAlteration("array of another list", made_valid_again, "status-list-untrusted"),
    StatusAlteration(
        "index beyond the list",
        status_list,
        "status-index-out-of-range",
        idx=SIZE,
    ),
    StatusAlteration(
        "list expired (`exp`)",
        lambda o: ago(o, 2 * DAY_S, exp=int(AT.timestamp()) - DAY_S, ttl=None),
        "status-list-stale",
    ),
    StatusAlteration(
        "list older than its `ttl`", lambda o: ago(o, DAY_S), "status-list-stale", ACCEPTED
    ),
    StatusAlteration(
        "list of the future (`iat`)",
        lambda o: ago(o, -DAY_S, exp=None),
        "status-list-not-yet-valid",
    ),
    StatusAlteration(
        "list without `exp` and `ttl`",
        lambda o: status_list(o, exp=None, ttl=None),
        "status-list-malformed",
        ACCEPTED,
    ),
    StatusAlteration(
        "list for another `sub`",
        lambda o: status_list(o, sub=OTHER_URI),
        "status-list-other-subject",
        ACCEPTED,
    ),
    StatusAlteration("list with two `sub`", in_two_spellings, "status-list-malformed", ACCEPTED),
    StatusAlteration(
        "list with `typ: JWT`",
        lambda o: status_list(o, typ="JWT"),
        "status-list-untrusted",
        ACCEPTED,
    ),
    StatusAlteration(
        "list by another `iss`",
        lambda o: status_list(o, iss="https://other.example"),
        "status-list-untrusted",
        ACCEPTED,
    ),
)


def reference(idx: int = IDX) -> StatusReference:
    return StatusReference(idx, URI)
