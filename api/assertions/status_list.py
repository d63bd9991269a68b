"""Token Status List: the status of many assertions as an array of bits in one signed token.

An assertion names its list by a URI and its place in it by an index. Who has the list's token, from
the network or from a USB stick, knows the status at the time of the token; who has none, or a stale
one, knows nothing: that is `unknown` and never `VALID`.

Source: draft-ietf-oauth-status-list-20 (approved by the IESG on 2026-06-04): §5.1 (token), §8.3
(validation).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509

from api.assertions import chain, jws
from api.assertions.crl_check import check_revocation
from api.assertions.errors import (
    AssertionMalformedError,
    ChainExpiredError,
    IssuerMismatchError,
)
from api.assertions.status_array import MAX_ARRAY_BYTES, Status, StatusArray, StatusReference
from api.assertions.status_errors import (
    StatusListMalformedError,
    StatusListNotYetValidError,
    StatusListOtherSubjectError,
    StatusListStaleError,
    StatusListTooLargeError,
    StatusListUntrustedError,
    StatusValueUnknownError,
)
from api.errors import ApiError

if TYPE_CHECKING:
    from api.assertions.signing_key import SigningKey

__all__ = [
    "MAX_ARRAY_BYTES",
    "MEDIA_TYPE",
    "Status",
    "StatusArray",
    "StatusReference",
    "VerifiedStatusList",
    "sign_status_list",
    "verify_status",
    "verify_status_list",
]

TYPE = "statuslist+jwt"
MEDIA_TYPE = "application/statuslist+jwt"
MAX_TOKEN_BYTES = 8 << 20
"""An array that no compression makes smaller, twice in base64, with its header."""
MAX_SKEW_S = 60
"""How far the clocks of issuer and relying party may be apart."""


@dataclass(frozen=True)
class VerifiedStatusList:
    """The content of a token that `verify_status_list` has found good."""

    uri: str
    issued_at: datetime
    stale_at: datetime
    """When it no longer says what holds."""
    statuses: StatusArray

    def status(self, idx: int) -> Status:
        """Return the status of one assertion.

        Raises:
            StatusIndexOutOfRangeError: the list does not reach so far.
            StatusValueUnknownError: the list has a status there that this profile does not know.
        """
        value = self.statuses.get(idx)
        try:
            return Status(value)
        except ValueError:
            raise StatusValueUnknownError("the list holds a status that is not known") from None


def sign_status_list(
    statuses: StatusArray,
    *,
    uri: str,
    key: "SigningKey",
    at: datetime,
    expires_at: datetime,
    ttl_s: int,
) -> str:
    """Sign a Status List Token (§5.1).

    Args:
        statuses: of all assertions that name the list.
        uri: the list's.
        key: a key of the issuer of those assertions.
        at: time of issue.
        expires_at: after it the token says nothing.
        ttl_s: for so many seconds from its issue it need not be fetched again.
    """
    claims = {
        "iss": key.issuer,
        "sub": uri,
        "iat": int(at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "ttl": ttl_s,
        "status_list": statuses.encode(),
    }
    return jws.sign({"typ": TYPE, "x5c": list(key.x5c)}, claims, key)


def verify_status_list(
    token: str | bytes,
    *,
    uri: str,
    roots: Sequence[x509.Certificate],
    issuer: str,
    at: datetime,
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> VerifiedStatusList:
    """Verify a Status List Token by the rules of §8.3; it is parsed and inflated within bounds.

    Args:
        token: compact JWS, at most `MAX_TOKEN_BYTES`.
        uri: which list it must be.
        roots: the pinned ones.
        issuer: the `iss` of the assertion; the leaf that signed the list must speak for it.
        at: the time at which the list must be fresh: not older than its `ttl`, counted from its
            issue because a file does not say when it was fetched, and not expired.
        crls: revocation lists; where there are any, they must show that the leaf is not revoked:
            who stole its key would sign lists in which nothing is.

    Raises:
        StatusListMalformedError: it is no Status List Token of this profile.
        StatusListTooLargeError: it is beyond the bounds.
        StatusListUntrustedError: type, algorithm, chain, revocation, key usage, signature or
            issuer; its `cause_code` says which.
        StatusListOtherSubjectError: it is another list.
        StatusListStaleError: it is too old to say what holds; its signature is that of the issuer
            at the time when it was made, and what it said then is in the error.
        StatusListNotYetValidError: it was issued later than `at`, or holds from a later time.
    """
    parsed = _parse(token)
    payload = parsed.payload
    _check_kind(parsed)
    issued_at, stale_at = _freshness(payload)
    holds_from = _holds_from(payload, issued_at)
    # In seconds, for a list may end with the year 9999.
    is_stale = at.timestamp() >= stale_at.timestamp() + MAX_SKEW_S
    try:
        _check_trust(parsed, roots, crls, issuer, at)
    except StatusListUntrustedError as error:
        # Who signed a list that is too old may have expired with it.
        if not is_stale or error.cause_code != ChainExpiredError.code:
            raise
        _check_trust(parsed, roots, crls, issuer, issued_at)
    if payload.get("sub") != uri:
        raise StatusListOtherSubjectError("this is another status list")
    statuses = StatusArray.decode(payload.get("status_list"))
    verified = VerifiedStatusList(uri, issued_at, stale_at, statuses)
    if at.timestamp() < holds_from - MAX_SKEW_S:
        raise StatusListNotYetValidError("the status list holds from a later time", verified)
    if is_stale:
        raise StatusListStaleError("the status list is too old: fetch a new one", verified)
    return verified


def verify_status(
    token: str | bytes,
    reference: StatusReference,
    *,
    roots: Sequence[x509.Certificate],
    issuer: str,
    at: datetime,
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> Status:
    """Return the status of one assertion from a token (raises what the two steps in it raise)."""
    verified = verify_status_list(
        token, uri=reference.uri, roots=roots, issuer=issuer, at=at, crls=crls
    )
    return verified.status(reference.idx)


def _parse(token: str | bytes) -> jws.Jws:
    if len(token) > MAX_TOKEN_BYTES:
        raise StatusListTooLargeError(f"a status list has at most {MAX_TOKEN_BYTES >> 20} MiB")
    try:
        text = token.decode("ascii") if isinstance(token, bytes) else token
        return jws.parse(text.strip())
    except (UnicodeDecodeError, AssertionMalformedError):
        raise StatusListMalformedError("this is not a Status List Token") from None


def _check_kind(token: jws.Jws) -> None:
    try:
        jws.check_type(token.header, TYPE)
        jws.check_algorithm(token.header)
    except ApiError as error:
        raise StatusListUntrustedError(str(error), error.code) from None
    # RFC 7519 §4.1.3: to be rejected by whoever it does not name; a list is for all and names none.
    if "aud" in token.payload:
        raise StatusListMalformedError("a status list has no audience")


def _check_trust(
    token: jws.Jws,
    roots: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    issuer: str,
    at: datetime,
) -> None:
    try:
        certificates = chain.parse_chain(jws.certificates(token.header))
        path = chain.verify_path(certificates, roots, at)
        if crls:
            check_revocation(path, crls, at=at, proven=False)
        jws.verify(token, chain.signing_key_of(certificates[0]))
        chain.check_issuer(certificates[0], issuer)
    except ApiError as error:
        raise StatusListUntrustedError(str(error), error.code) from None
    if token.payload.get("iss", issuer) != issuer:
        raise StatusListUntrustedError("another issuer signed the list", IssuerMismatchError.code)


def _holds_from(payload: Mapping[str, Any], issued_at: datetime) -> float:
    """Return since when a list says what holds: its issue, or `nbf` (RFC 7519 §4.1.5)."""
    not_before = payload.get("nbf", issued_at.timestamp())
    if isinstance(not_before, bool) or not isinstance(not_before, int | float):
        raise StatusListMalformedError("nbf of a status list is a number")
    return max(not_before, issued_at.timestamp())


def _freshness(payload: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return the time of issue, and when a list is stale: `exp` or `iat` + `ttl`, the earlier."""
    issued_at, expires, ttl = (payload.get(name) for name in ("iat", "exp", "ttl"))
    given = [value for value in (issued_at, expires, ttl) if value is not None]
    if any(type(value) is not int for value in given) or issued_at is None:
        raise StatusListMalformedError("a status list needs iat, and exp and ttl are whole seconds")
    if ttl is not None and ttl <= 0:
        raise StatusListMalformedError("ttl must be positive")
    ends = [end for end in (expires, ttl and issued_at + ttl) if end is not None]
    if not ends:
        raise StatusListMalformedError("a status list needs exp or ttl: it would hold for ever")
    try:
        return datetime.fromtimestamp(issued_at, UTC), datetime.fromtimestamp(min(ends), UTC)
    except (OverflowError, ValueError, OSError):
        raise StatusListMalformedError("a time of the status list is out of range") from None
