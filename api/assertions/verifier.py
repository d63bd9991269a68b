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
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from cryptography import x509

from api.assertions import claim_checks, hidden_places, jws, sd_jwt, verifier_inputs
from api.assertions.claim_checks import MAX_SKEW_S, SeenByIssuer
from api.assertions.findings import Findings
from api.assertions.key_binding import check_key_binding
from api.assertions.signing_path import PathMemory, SigningPath
from api.assertions.status_check import check_status
from api.assertions.verification import (
    Check,
    CheckName,
    Outcome,
    Verification,
    failed,
    not_performed,
    not_supported,
    passed,
)
from api.assertions.vocabulary import AssuranceLevel, CheckResult
from api.errors import ApiError, InputUnusableError

if TYPE_CHECKING:
    from api.assertions.policy_file import KnownPolicy
    from api.assertions.timestamps import CarriedTimestamp

__all__ = ["Check", "CheckName", "Outcome", "Verification", "verify"]

Value = TypeVar("Value")

_PATHS = PathMemory()
_IN_ORDER = tuple(CheckName)


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
    policies: "Sequence[KnownPolicy] | None" = None,
    seen_jti: Container[str] | SeenByIssuer | None = None,
    status_lists: Sequence[str | bytes] = (),
    crls: Sequence[bytes | x509.CertificateRevocationList] = (),
    timestamp: "bytes | CarriedTimestamp | None" = None,
    timestamp_roots: Sequence[bytes | x509.Certificate] = (),
) -> Verification:
    """Verify an assertion against documents and pinned roots.

    What is not given cannot be checked, and the outcome is then INDETERMINATE, never PASSED; that
    holds for documents, audience and nonce, and for a status list where the assertion names one.
    What is given counts: a revocation list that is stale, or a timestamp without a root, keeps the
    outcome from PASSED.

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
        policies: the same as files (`policy_file.parse_policy`); what they demand is checked too.
        seen_jti: the `jti` of assertions accepted before, whoever issued them, or what tells
            issuers apart (`seen.SeenAssertions`); not checked if None.
        status_lists: Status List Tokens that the relying party has, of this and other lists.
        crls: certificate revocation lists, PEM or DER bytes or parsed; not checked if empty. Those
            of a timestamp authority count for the timestamp.
        timestamp: RFC 3161 token over the SHA-256 of `assertion`, in DER, or as a document carries
            it. The time that it proves is then the one that everything is judged for, and `at` only
            says when that is done.
        timestamp_roots: pinned roots of timestamp authorities, as `roots`.

    Raises:
        RootsUnusableError: no root is given, or one is not a certificate.
        CrlUnusableError: something else is given as a revocation list.
        InputUnusableError: `at` has no time zone, or something else is not of its type.
    """
    now = verifier_inputs.time_of(at)
    pinned = verifier_inputs.certificates(roots)
    revocation_lists = verifier_inputs.revocation_lists(crls)
    tsa_roots = verifier_inputs.certificates(timestamp_roots) if timestamp_roots else ()
    verifier_inputs.check_asked(
        audience=audience,
        nonce=nonce,
        minimum_level=minimum_level,
        policy_digests=policy_digests,
        policies=policies,
        seen_jti=seen_jti,
        status_lists=status_lists,
    )
    report = _Report(now)
    try:
        token = report.run(CheckName.FORMAT, lambda: sd_jwt.parse(assertion))
        header = token.issued.header
        report.run(CheckName.ALGORITHM, lambda: jws.check_algorithm(header))
        report.run(CheckName.TYPE, lambda: jws.check_type(header, sd_jwt.TYPE))
        _fix_time(report, assertion, timestamp, tsa_roots, revocation_lists)
        path = report.run(
            CheckName.CHAIN,
            lambda: _PATHS.verify(jws.certificates(header), pinned, report.judged_at),
        )
        report.add(_revocation(path, revocation_lists, report))
        payload = _check_integrity(report, token, path)
    except _StoppedError:
        return report.verification(None)
    moment = report.judged_at
    report.add(claim_checks.check_validity(payload, moment))
    report.add(claim_checks.check_equal(CheckName.AUDIENCE, payload.get("aud"), audience))
    report.add(claim_checks.check_equal(CheckName.NONCE, payload.get("nonce"), nonce))
    report.add(_key_binding(token, payload, audience, nonce, moment))
    report.add(claim_checks.check_replay(payload, seen_jti))
    report.add(claim_checks.check_credential_type(payload))
    report.add(claim_checks.check_policy(payload, policy_digests, policies))
    report.add(claim_checks.check_documents(payload, documents))
    findings = Findings.from_payload(payload)
    report.add(claim_checks.check_mandatory(payload, findings))
    report.add(claim_checks.check_level(payload, findings))
    report.add(claim_checks.check_minimum_level(payload, minimum_level))
    times = (now, moment) if report.time_proven else (now,)
    report.add(
        check_status(payload, status_lists, roots=pinned, crls=revocation_lists, times=times)
    )
    return report.verification(payload)


def _fix_time(
    report: "_Report",
    assertion: str | bytes,
    timestamp: "bytes | CarriedTimestamp | None",
    roots: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
) -> None:
    """Let a timestamp, if there is one, say for which time everything is judged."""
    name = CheckName.TIMESTAMP
    if timestamp is None:
        report.add(not_performed(name, "timestamp-not-given", required=False))
        return
    carried = _carried(timestamp, crls)
    if not roots:
        report.add(not_performed(name, "timestamp-root-not-given"))
        return
    from api.assertions.revocation_lookup import Revocation
    from api.assertions.timestamps import verify_token

    data = assertion.encode("ascii") if isinstance(assertion, str) else assertion
    digest = hashlib.sha256(data).digest()
    stamp = report.attempt(name, lambda: verify_token(carried.token, digest, roots))
    if stamp.time - report.judged_at > timedelta(seconds=MAX_SKEW_S):
        report.stop(failed(name, "timestamp-in-future"))
    found = carried.revocation.of_authority(
        stamp.path, at=stamp.time, covered_at=carried.covered_at
    )
    if found is Revocation.REVOKED:
        report.stop(failed(name, "timestamp-revoked"))
    is_known = found is Revocation.GOOD
    report.add(passed(name) if is_known else not_performed(name, "timestamp-revocation-unknown"))
    report.judged_at, report.time_proven = stamp.time, True


def _carried(
    timestamp: "bytes | CarriedTimestamp", crls: Sequence[x509.CertificateRevocationList]
) -> "CarriedTimestamp":
    """Return a timestamp with what tells of its authority."""
    from api.assertions.revocation_lookup import RevocationData
    from api.assertions.timestamps import CarriedTimestamp

    if isinstance(timestamp, CarriedTimestamp):
        return timestamp
    if not isinstance(timestamp, bytes):
        raise InputUnusableError("a timestamp is given as bytes")
    return CarriedTimestamp(timestamp, RevocationData(given=crls), covered_at=None)


def _revocation(
    path: SigningPath, crls: Sequence[x509.CertificateRevocationList], report: "_Report"
) -> Check:
    name = CheckName.REVOCATION
    if not crls:
        return not_performed(name, "crl-not-given", required=False)
    from api.assertions.crl_check import ChainRevokedError, check_revocation

    try:
        check_revocation(path.certificates, crls, at=report.judged_at, proven=report.time_proven)
    except ChainRevokedError as error:
        return failed(name, error.code, str(error))
    except ApiError as error:
        return not_performed(name, error.code, detail=str(error))
    return passed(name)


def _check_integrity(report: "_Report", token: sd_jwt.SdJwt, path: SigningPath) -> dict[str, Any]:
    """Run the checks without which nothing else in the assertion means anything."""
    key = report.run(CheckName.KEY_USAGE, lambda: path.signing_key)
    report.run(CheckName.SIGNATURE, lambda: jws.verify(token.issued, key))
    report.run(CheckName.ISSUER, lambda: path.check_issuer(token.issued.payload.get("iss")))
    return report.run(CheckName.DISCLOSURES, lambda: hidden_places.reveal(token))


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
            return failed(name, "key-binding-unexpected")
        return not_supported(name, "key-binding-not-in-assertion")
    if token.key_binding is not None and not (audience and nonce):
        return not_performed(name, "key-binding-not-checked")
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
        return failed(name, error.code, str(error))
    return passed(name)


class _StoppedError(Exception):
    """What follows would mean nothing."""


class _Report:
    """The checks so far, in the order of their names, and the time for which they are made."""

    def __init__(self, at: datetime) -> None:
        self._checks: list[Check] = []
        self.judged_at = at
        self.time_proven = False

    def add(self, check: Check) -> None:
        self._checks.append(check)

    def stop(self, check: Check) -> NoReturn:
        """Record what makes all that follows meaningless."""
        self.add(check)
        raise _StoppedError

    def attempt(self, name: CheckName, step: Callable[[], Value]) -> Value:
        """Return what a step yields, and stop where it fails."""
        try:
            return step()
        except ApiError as error:
            self.add(failed(name, error.code, str(error)))
            raise _StoppedError from None

    def run(self, name: CheckName, step: Callable[[], Value]) -> Value:
        """Record one step, and stop where it fails."""
        value = self.attempt(name, step)
        self.add(passed(name))
        return value

    def verification(self, payload: Mapping[str, Any] | None) -> Verification:
        """Return all checks in order; what was not reached was not performed."""
        missing = _IN_ORDER[len(self._checks) :]
        checks = (*self._checks, *[not_performed(name, "not-reached") for name in missing])
        is_failed = CheckResult.FAILED in [check.result for check in checks]
        return Verification(
            checks, None if is_failed else payload, self.judged_at, self.time_proven
        )
