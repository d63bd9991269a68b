"""The relying party's verifier: offline, fail closed, every check in order with its reason code.

It opens no file and no connection. It needs the assertion, the documents' bytes, the pinned roots,
and what the relying party asked for: its own name and the nonce that it gave.

    from api.assertions.verifier import Outcome, verify

    verification = verify(
        assertion, documents=[pdf], roots=[root_pem], audience="notary-7", nonce=nonce
    )
    if verification.outcome is Outcome.PASSED:
        level = verification.claims["verified_claims"]["verification"]["assurance_level"]

Source: RFC 9901 §7.3, RFC 8725, and the order of steps in docs/guides/relying-party.md.
"""

import hashlib
import hmac
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from cryptography import x509

from api.assertions import chain, jws, sd_jwt
from api.assertions.claims import MAX_LIFETIME_S
from api.assertions.findings import Findings, document_digests, mandatory_shortfalls
from api.assertions.key_binding import check_key_binding
from api.assertions.levels import LEVELS, cap_level, shortfalls
from api.assertions.vct import VCT, VCT_INTEGRITY
from api.assertions.verification import Check, CheckName, Outcome, Verification
from api.assertions.vocabulary import AssuranceLevel, CheckResult
from api.errors import ApiError, InputUnusableError

__all__ = ["Check", "CheckName", "Outcome", "Verification", "verify"]

MAX_SKEW_S = 60
"""How far the clocks of issuer and relying party may be apart."""

Value = TypeVar("Value")


def verify(
    assertion: str | bytes,
    *,
    documents: Sequence[bytes],
    roots: Sequence[bytes | x509.Certificate],
    audience: str | None,
    nonce: str | None,
    at: datetime | None = None,
    minimum_level: AssuranceLevel | None = None,
    policy_digests: Container[str] | None = None,
    seen_jti: Container[str] | None = None,
) -> Verification:
    """Verify an assertion against documents and pinned roots.

    What is not given cannot be checked, and the outcome is then INDETERMINATE, never PASSED; that
    holds for documents, audience and nonce.

    Args:
        assertion: SD-JWT VC in compact form, at most 64 KiB.
        documents: the bytes of every document that the assertion is meant for, in any order.
        roots: pinned root certificates, PEM or DER bytes or parsed.
        audience: the relying party's own name, compared exactly.
        nonce: what the relying party gave when it opened the session.
        at: the time of verification, with a time zone; now if None. A time in the past tells what
            held then, and is worth as much as its source.
        minimum_level: the lowest level that will do; not checked if None.
        policy_digests: SHA-256 (hex) of the policies that the relying party knows; not checked if
            None.
        seen_jti: the `jti` of assertions accepted before; not checked if None.

    Raises:
        RootsUnusableError: no root is given, or one is not a certificate.
        InputUnusableError: `at` has no time zone.
    """
    moment = at or datetime.now(UTC)
    if moment.tzinfo is None:
        raise InputUnusableError("the time of verification needs a time zone")
    pinned = _roots(roots)
    report = _Report()
    try:
        token, payload = _check_integrity(report, assertion, pinned, moment)
    except _StoppedError:
        return report.verification(None)
    report.add(_validity(payload, moment))
    report.add(_equal(CheckName.AUDIENCE, payload.get("aud"), audience))
    report.add(_equal(CheckName.NONCE, payload.get("nonce"), nonce))
    report.add(_key_binding(token, payload, audience, nonce, moment))
    report.add(_replay(payload, seen_jti))
    report.add(_credential_type(payload))
    report.add(_policy(payload, policy_digests))
    report.add(_documents(payload, documents))
    report.add(_mandatory_checks(payload))
    report.add(_level(payload))
    report.add(_minimum_level(payload, minimum_level))
    report.add(_status(payload))
    return report.verification(payload)


def _check_integrity(
    report: "_Report",
    assertion: str | bytes,
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> tuple[sd_jwt.SdJwt, dict[str, Any]]:
    """Run the checks without which nothing else in the assertion means anything."""
    token = report.run(CheckName.FORMAT, lambda: sd_jwt.parse(assertion))
    header = token.issued.header
    report.run(CheckName.ALGORITHM, lambda: jws.check_algorithm(header))
    report.run(CheckName.TYPE, lambda: jws.check_type(header, sd_jwt.TYPE))

    def path() -> tuple[x509.Certificate, ...]:
        certificates = chain.parse_chain(jws.certificates(header))
        chain.verify_path(certificates, roots, at)
        return certificates

    certificates = report.run(CheckName.CHAIN, path)
    key = report.run(CheckName.KEY_USAGE, lambda: chain.signing_key_of(certificates[0]))
    report.run(CheckName.SIGNATURE, lambda: jws.verify(token.issued, key))
    report.run(
        CheckName.ISSUER,
        lambda: chain.check_issuer(certificates[0], token.issued.payload.get("iss")),
    )
    revealed = report.run(CheckName.DISCLOSURES, token.reveal)
    return token, revealed.payload


def _validity(payload: Mapping[str, Any], at: datetime) -> Check:
    name = CheckName.VALIDITY
    times = [payload.get(claim) for claim in ("iat", "nbf", "exp")]
    numbers = [t for t in times if isinstance(t, int) and not isinstance(t, bool)]
    if len(numbers) != len(times):
        return _failed(name, "validity-missing")
    issued_at, not_before, expires = numbers
    now = at.timestamp()
    # RFC 7519 §4.1.4 to §4.1.6, with the leeway that they allow.
    if now >= expires + MAX_SKEW_S:
        return _failed(name, "expired")
    if now < not_before - MAX_SKEW_S:
        return _failed(name, "not-yet-valid")
    if now < issued_at - MAX_SKEW_S:
        return _failed(name, "issued-in-future")
    if expires - issued_at > MAX_LIFETIME_S:
        return _failed(name, "lifetime-too-long")
    return _ok(name)


def _equal(name: CheckName, given: Any, expected: str | None) -> Check:
    if not expected:
        return _not_performed(name, f"{name}-not-given")
    if isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode()):
        return _ok(name)
    return _failed(name, f"{name}-mismatch")


def _key_binding(
    token: sd_jwt.SdJwt,
    payload: Mapping[str, Any],
    audience: str | None,
    nonce: str | None,
    at: datetime,
) -> Check:
    name = CheckName.KEY_BINDING
    # RFC 9901 §7.3: the claim decides whether binding is required, not what the holder brings.
    if "cnf" not in payload:
        if token.key_binding is not None:
            return _failed(name, "key-binding-unexpected")
        return Check(name, CheckResult.NOT_SUPPORTED, "key-binding-not-in-assertion", False)
    if token.key_binding is not None and not (audience and nonce):
        return _not_performed(name, "key-binding-not-checked")
    try:
        check_key_binding(
            token.key_binding,
            confirmation=payload["cnf"],
            presented=token.without_key_binding,
            audience=audience or "",
            nonce=nonce or "",
            at=at,
            skew_s=MAX_SKEW_S,
        )
    except ApiError as error:
        return _failed(name, error.code, str(error))
    return _ok(name)


def _replay(payload: Mapping[str, Any], seen_jti: Container[str] | None) -> Check:
    name = CheckName.REPLAY
    jti = payload.get("jti")
    if not isinstance(jti, str) or not jti:
        return _failed(name, "assertion-id-missing")
    if seen_jti is None:
        return _not_performed(name, "replay-not-checked", required=False)
    return _failed(name, "assertion-replayed") if jti in seen_jti else _ok(name)


def _credential_type(payload: Mapping[str, Any]) -> Check:
    name = CheckName.CREDENTIAL_TYPE
    known = payload.get("vct") == VCT and payload.get("vct#integrity") == VCT_INTEGRITY
    return _ok(name) if known else _failed(name, "vct-unknown")


def _policy(payload: Mapping[str, Any], policy_digests: Container[str] | None) -> Check:
    name = CheckName.POLICY
    if policy_digests is None:
        return _not_performed(name, "policy-not-checked", required=False)
    policy = payload.get("policy")
    digest = policy.get("digest") if isinstance(policy, Mapping) else None
    if isinstance(digest, str) and digest in policy_digests:
        return _ok(name)
    return _failed(name, "policy-unknown")


def _documents(payload: Mapping[str, Any], documents: Sequence[bytes]) -> Check:
    name = CheckName.DOCUMENTS
    bound = set(document_digests(payload))
    given = {hashlib.sha256(document).hexdigest() for document in documents}
    if not bound or not given:
        return _not_performed(name, "document-missing")
    if not given <= bound:
        return _failed(name, "document-changed", f"{len(given - bound)} not among those asserted")
    if given != bound:
        return _not_performed(
            name, "document-missing", detail=f"{len(bound - given)} of {len(bound)} not given"
        )
    return _ok(name)


def _mandatory_checks(payload: Mapping[str, Any]) -> Check:
    name = CheckName.MANDATORY_CHECKS
    missing = mandatory_shortfalls(payload)
    if missing:
        return _failed(name, "mandatory-check-not-ok", ", ".join(missing))
    return _ok(name)


def _level(payload: Mapping[str, Any]) -> Check:
    name = CheckName.LEVEL
    findings = Findings.from_payload(payload)
    cap, claimed = cap_level(findings), _claimed_level(payload)
    if claimed is None:
        return _failed(name, "level-unknown")
    if cap is None or claimed.rank > cap.rank:
        row = next(requirement for requirement in LEVELS if requirement.level is claimed)
        return _failed(name, "level-exceeds-checks", ", ".join(shortfalls(findings, row)))
    return _ok(name)


def _minimum_level(payload: Mapping[str, Any], minimum: AssuranceLevel | None) -> Check:
    name = CheckName.MINIMUM_LEVEL
    if minimum is None:
        return _not_performed(name, "minimum-level-not-given", required=False)
    claimed = _claimed_level(payload)
    if claimed is None or claimed.rank < minimum.rank:
        return _failed(name, "level-below-minimum")
    return _ok(name)


def _status(payload: Mapping[str, Any]) -> Check:
    name = CheckName.STATUS
    if "status" in payload:
        return _not_performed(name, "status-unknown")
    return Check(name, CheckResult.NOT_SUPPORTED, "status-not-in-assertion", required=False)


def _claimed_level(payload: Mapping[str, Any]) -> AssuranceLevel | None:
    value: Any = payload
    for step in ("verified_claims", "verification", "assurance_level"):
        value = value.get(step) if isinstance(value, Mapping) else None
    try:
        return AssuranceLevel(value)
    except ValueError:
        return None


def _roots(roots: Sequence[bytes | x509.Certificate]) -> tuple[x509.Certificate, ...]:
    parsed = tuple(root for root in roots if isinstance(root, x509.Certificate))
    encoded = [root for root in roots if isinstance(root, bytes)]
    return parsed + (chain.load_roots(*encoded) if encoded or not parsed else ())


def _ok(name: CheckName) -> Check:
    return Check(name, CheckResult.OK)


def _failed(name: CheckName, reason: str, detail: str | None = None) -> Check:
    return Check(name, CheckResult.FAILED, reason, detail=detail)


def _not_performed(
    name: CheckName, reason: str, *, required: bool = True, detail: str | None = None
) -> Check:
    return Check(name, CheckResult.NOT_PERFORMED, reason, required, detail)


class _StoppedError(Exception):
    """What follows would mean nothing."""


class _Report:
    """The checks so far."""

    def __init__(self) -> None:
        self._checks: dict[CheckName, Check] = {}

    def add(self, check: Check) -> None:
        self._checks[check.name] = check

    def run(self, name: CheckName, step: Callable[[], Value]) -> Value:
        """Record one step, and stop where it fails."""
        try:
            value = step()
        except ApiError as error:
            self.add(_failed(name, error.code, str(error)))
            raise _StoppedError from None
        self.add(_ok(name))
        return value

    def verification(self, payload: Mapping[str, Any] | None) -> Verification:
        """Return all checks in order; what was not reached was not performed."""
        checks = tuple(
            self._checks.get(name, _not_performed(name, "not-reached")) for name in CheckName
        )
        failed = any(check.result is CheckResult.FAILED for check in checks)
        return Verification(checks, None if failed else payload)
