"""The checks of an assertion whose signature holds: each looks at the claims and yields a `Check`.

Source: RFC 7519 §4.1, RFC 9901 §7.3, and docs/guides/relying-party.md.
"""

import hashlib
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from api.assertions.findings import (
    Findings,
    claimed_level,
    document_digests,
    is_sha256,
    mandatory_shortfalls,
    value_at,
)
from api.assertions.levels import LEVELS, cap_level, shortfalls
from api.assertions.policy_file import KnownPolicy
from api.assertions.vct import MAX_LIFETIME_S, VCT, VCT_INTEGRITY
from api.assertions.verification import (
    Check,
    CheckName,
    failed,
    not_performed,
    passed,
)
from api.assertions.vocabulary import AssuranceLevel
from api.errors import InputUnusableError

MAX_SKEW_S = 60
"""How far the clocks of issuer and relying party may be apart."""


def check_validity(payload: Mapping[str, Any], at: datetime) -> Check:
    """Check that a time lies in the assertion's short life."""
    name = CheckName.VALIDITY
    times = [payload.get(claim) for claim in ("iat", "nbf", "exp")]
    numbers = [t for t in times if isinstance(t, int) and not isinstance(t, bool)]
    if len(numbers) != len(times):
        return failed(name, "validity-missing")
    issued_at, not_before, expires = numbers
    now = at.timestamp()
    # RFC 7519 §4.1.4 to §4.1.6, with the leeway that they allow.
    if now >= expires + MAX_SKEW_S:
        return failed(name, "expired")
    if now < not_before - MAX_SKEW_S:
        return failed(name, "not-yet-valid")
    if now < issued_at - MAX_SKEW_S:
        return failed(name, "issued-in-future")
    if expires - issued_at > MAX_LIFETIME_S:
        return failed(name, "lifetime-too-long")
    return passed(name)


def check_equal(name: CheckName, given: Any, expected: str | None) -> Check:
    """Check `aud` or `nonce` against what the relying party expects."""
    if not expected:
        return not_performed(name, f"{name}-not-given")
    return passed(name) if given == expected else failed(name, f"{name}-mismatch")


@runtime_checkable
class SeenByIssuer(Protocol):
    """What remembers accepted assertions by issuer and `jti`: two issuers may use the same `jti`.

    `seen.SeenAssertions` is one.
    """

    def was_accepted(self, issuer: str, jti: str) -> bool:
        """Whether an issuer's assertion was accepted before."""
        ...


def check_replay(
    payload: Mapping[str, Any], seen_jti: Container[str] | SeenByIssuer | None
) -> Check:
    """Check that the assertion was not accepted before."""
    name = CheckName.REPLAY
    jti = payload.get("jti")
    if not isinstance(jti, str) or not jti:
        return failed(name, "assertion-id-missing")
    if seen_jti is None:
        return not_performed(name, "replay-not-checked", required=False)
    if isinstance(seen_jti, SeenByIssuer):
        is_seen = seen_jti.was_accepted(payload["iss"], jti)
    else:
        is_seen = jti in seen_jti
    return failed(name, "assertion-replayed") if is_seen else passed(name)


def check_credential_type(payload: Mapping[str, Any]) -> Check:
    """Check that the claims are of the one kind that is understood here."""
    known = payload.get("vct") == VCT and payload.get("vct#integrity") == VCT_INTEGRITY
    name = CheckName.CREDENTIAL_TYPE
    return passed(name) if known else failed(name, "vct-unknown")


def check_policy(
    payload: Mapping[str, Any],
    digests: Container[str] | None,
    policies: Sequence[KnownPolicy] | None,
) -> Check:
    """Check that a known policy decided and, where its file is at hand, that it was met."""
    name = CheckName.POLICY
    if digests is None and policies is None:
        return not_performed(name, "policy-not-checked", required=False)
    digest = value_at(payload, "policy", "digest")
    if not is_sha256(digest):
        return failed(name, "policy-unknown")
    for policy in policies or ():
        if policy.digest == digest:
            missed = policy.shortfalls(payload)
            return failed(name, "policy-not-met", ", ".join(missed)) if missed else passed(name)
    return passed(name) if digest in (digests or ()) else failed(name, "policy-unknown")


def check_documents(payload: Mapping[str, Any], documents: Sequence[bytes]) -> Check:
    """Check that the documents given are those that the assertion binds: all, and no other.

    Raises:
        InputUnusableError: the documents are no sequence of bytes.
    """
    name = CheckName.DOCUMENTS
    bound = set(document_digests(payload))
    try:
        given = {hashlib.sha256(document).hexdigest() for document in documents}
    except TypeError:
        raise InputUnusableError("documents are given as a sequence of bytes") from None
    if not bound or not given:
        return not_performed(name, "document-missing")
    if not given <= bound:
        return failed(name, "document-changed", f"{len(given - bound)} not among those asserted")
    if given != bound:
        return not_performed(
            name, "document-missing", detail=f"{len(bound - given)} of {len(bound)} not given"
        )
    return passed(name)


def check_mandatory(payload: Mapping[str, Any], findings: Findings) -> Check:
    """Check that the session has what every session must have."""
    name = CheckName.MANDATORY_CHECKS
    missing = mandatory_shortfalls(payload, findings)
    return failed(name, "mandatory-check-not-ok", ", ".join(missing)) if missing else passed(name)


def check_level(payload: Mapping[str, Any], findings: Findings) -> Check:
    """Check that the level claimed is not above what the checks carry."""
    name = CheckName.LEVEL
    claimed = claimed_level(payload)
    if claimed is None:
        return failed(name, "level-unknown")
    cap = cap_level(findings)
    if cap is None or claimed.rank > cap.rank:
        row = next(requirement for requirement in LEVELS if requirement.level is claimed)
        missed = shortfalls(findings, row)
        # A mandatory check is told by itself: no level could do without it.
        if set(missed) <= set(mandatory_shortfalls(payload, findings)):
            return not_performed(name, "not-reached")
        return failed(name, "level-exceeds-checks", ", ".join(missed))
    return passed(name)


def check_minimum_level(payload: Mapping[str, Any], minimum: AssuranceLevel | None) -> Check:
    """Check the level that the relying party demands."""
    name = CheckName.MINIMUM_LEVEL
    if minimum is None:
        return not_performed(name, "minimum-level-not-given", required=False)
    claimed = claimed_level(payload)
    if claimed is None or claimed.rank < minimum.rank:
        return failed(name, "level-below-minimum")
    return passed(name)
