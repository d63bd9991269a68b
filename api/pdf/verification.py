"""A PDF with its assertion, verified offline: revision 0, assertion, later revisions, signatures.

The assertion says how many bytes the document had, and their digest; so revision 0 is found
without trusting anything in the file. It is the document that the assertion is verified over. What
came after may add the attachments and signatures and nothing that is shown.
"""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader

from api.assertions import chain, sd_jwt
from api.assertions.verification import Outcome, Verification
from api.assertions.verifier import verify
from api.assertions.vocabulary import AssuranceLevel, CheckResult
from api.errors import ApiError, InputUnusableError
from api.pdf.attachments import ASSERTION, assertion_of, timestamp_of
from api.pdf.comparison import compare
from api.pdf.errors import (
    PdfAttachmentChangedError,
    PdfChangedError,
    PdfRevisionError,
    PdfUnusableError,
)
from api.pdf.reading import Deadline, open_pdf
from api.pdf.signatures import PdfSignature, covered_ends, verify_signatures

if TYPE_CHECKING:
    from api.assertions.policy_file import KnownPolicy

Certificates = Sequence[bytes | x509.Certificate]


class PdfCheckName(StrEnum):
    """The checks of the PDF around the assertion, in order."""

    PDF = "pdf"
    ATTACHMENT = "attachment"
    REVISION = "revision"
    CHANGES = "changes"
    SIGNATURES = "signatures"


@dataclass(frozen=True)
class PdfCheck:
    """One check of the PDF."""

    name: PdfCheckName
    result: CheckResult
    reason: str | None = None
    """Permanent kebab-case code; None where the check is ok."""
    required: bool = True
    """Whether the outcome can be PASSED without it."""
    detail: str | None = None
    """In English, for people; without personal data."""


@dataclass(frozen=True)
class PdfVerification:
    """All checks of one PDF and of the assertion in it."""

    checks: tuple[PdfCheck, ...]
    """Of the PDF."""
    assertion: Verification | None
    """Of the assertion over revision 0; None where the PDF yields none."""
    signatures: tuple[PdfSignature, ...] = ()
    """In the order in which they were made."""
    revision_0: bytes | None = field(default=None, repr=False)
    """The document that the assertion is for."""

    def __bool__(self) -> bool:
        """Refuse to be a condition, as a `Verification` does.

        Raises:
            TypeError: always.
        """
        raise TypeError("compare the outcome of a verification with Outcome.PASSED")

    @property
    def outcome(self) -> Outcome:
        """FAILED by any failed check, PASSED only if every required one is ok."""
        if any(check.result is CheckResult.FAILED for check in self.checks):
            return Outcome.FAILED
        if self.assertion is None or self.assertion.outcome is Outcome.FAILED:
            return Outcome.FAILED
        required = [check for check in self.checks if check.required]
        if all(check.result is CheckResult.OK for check in required):
            return self.assertion.outcome
        return Outcome.INDETERMINATE

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes that keep the outcome from PASSED: the PDF's, then the assertion's."""
        failed = [c for c in self.checks if c.result is CheckResult.FAILED]
        missing = [c for c in self.checks if c.required and c.result is not CheckResult.OK]
        judged = self.assertion
        if failed:
            missing = failed
        elif judged is not None and judged.outcome is Outcome.FAILED:
            missing = []
        own = tuple(check.reason for check in missing if check.reason)
        return own + (judged.reasons if judged is not None else ())


def verify_pdf(
    pdf: bytes,
    *,
    roots: Certificates,
    audience: str | None,
    nonce: str | None,
    documents: Sequence[bytes] = (),
    signature_roots: Certificates = (),
    timestamp_roots: Certificates = (),
    at: datetime | None = None,
    minimum_level: AssuranceLevel | None = None,
    policy_digests: Container[str] | None = None,
    policies: "Sequence[KnownPolicy] | None" = None,
    seen_jti: Container[str] | None = None,
    status_lists: Sequence[str | bytes] = (),
    crls: Sequence[bytes | x509.CertificateRevocationList] = (),
) -> PdfVerification:
    """Verify a PDF that carries an assertion, without any connection.

    Args:
        pdf: the whole file, at most 128 MiB.
        roots: pinned roots of the assertion's issuer.
        audience: as in `api.assertions.verifier.verify`, like all that is not named here.
        nonce: as there.
        documents: other documents that the assertion is for as well, not this one.
        signature_roots: pinned roots of those who sign the PDF (notary, organisation). Given, at
            least one signature over the assertion is required, and each must lead to one of them;
            not given, signatures are only checked to be whole.
        timestamp_roots: pinned roots of timestamp authorities. The token beside the assertion is
            judged by them, and fixes the time at which the assertion is judged.
        at: the time of verification where no timestamp proves another; now if None.
        minimum_level: as there.
        policy_digests: as there.
        policies: as there.
        seen_jti: as there.
        status_lists: as there.
        crls: revocation lists of the assertion's issuer.

    Raises:
        RootsUnusableError: no root is given, or one is not a certificate.
        InputUnusableError: `at` has no time zone.
    """
    moment = at or datetime.now(UTC)
    if moment.tzinfo is None:
        raise InputUnusableError("the time of verification needs a time zone")
    signer_roots, tsa_roots = _certificates(signature_roots), _certificates(timestamp_roots)
    report = _Report(Deadline())
    try:
        reader = report.run(PdfCheckName.PDF, lambda: _open(pdf, report.deadline))
        carried, token = report.run(
            PdfCheckName.ATTACHMENT, lambda: (assertion_of(reader), timestamp_of(reader))
        )
        original = report.run(PdfCheckName.REVISION, lambda: find_revision(pdf, carried))
        additions = report.run(
            PdfCheckName.CHANGES, lambda: _check_changes(pdf, original, reader, report.deadline)
        )
        signatures = report.run(
            PdfCheckName.SIGNATURES,
            lambda: verify_signatures(
                reader,
                roots=signer_roots,
                timestamp_roots=tsa_roots,
                at=moment,
                deadline=report.deadline,
            ),
        )
    except _StoppedError:
        return PdfVerification(report.complete(), None)
    report.replace(_judge(signatures, len(original), additions, bool(signer_roots)))
    judged = verify(
        carried,
        documents=[original, *documents],
        roots=roots,
        audience=audience,
        nonce=nonce,
        at=at,
        minimum_level=minimum_level,
        policy_digests=policy_digests,
        policies=policies,
        seen_jti=seen_jti,
        status_lists=status_lists,
        crls=crls,
        timestamp=token,
        timestamp_roots=timestamp_roots,
    )
    return PdfVerification(report.complete(), judged, signatures, original)


def _open(pdf: bytes, deadline: Deadline) -> PdfFileReader:
    # ISO 32000-2 §7.5.5: the last line. What stands after it, viewers may or may not read.
    if not pdf[-16:].rstrip(b"\r\n").endswith(b"%%EOF"):
        raise PdfUnusableError("the file does not end where a PDF document ends")
    return open_pdf(pdf, deadline)


def find_revision(pdf: bytes, assertion: bytes) -> bytes:
    """Return the beginning of a PDF that an assertion is for: as long, and with that digest.

    The assertion need not be genuine for this; if it is not, its verification fails.

    Raises:
        AssertionMalformedError: the attachment is no assertion.
        PdfRevisionError: no asserted document is the beginning of this file.
    """
    payload = sd_jwt.parse(assertion).issued.payload
    transaction = payload.get("txn")
    documents = transaction.get("documents") if isinstance(transaction, Mapping) else None
    candidates = sorted(
        (document["byte_length"], str(document.get("digest")))
        for document in (documents if isinstance(documents, list) else ())
        if isinstance(document, Mapping) and isinstance(document.get("byte_length"), int)
    )
    # One pass over the file, however many documents there are.
    hashed, position = hashlib.sha256(), 0
    for length, digest in candidates:
        if not 0 < length <= len(pdf):
            continue
        hashed.update(memoryview(pdf)[position:length])
        position = length
        if hashed.hexdigest() == digest:
            return pdf[:length]
    raise PdfRevisionError("the file does not begin with the document that the assertion is for")


def _check_changes(
    pdf: bytes, original: bytes, reader: PdfFileReader, deadline: Deadline
) -> "_Additions":
    """Compare each signed state of the file with the one before, from revision 0 on."""
    ends = [end for end in covered_ends(reader) if len(original) < end < len(pdf)]
    earlier = open_pdf(original, deadline)
    attached_by: int | None = None
    attached: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    for end in [*dict.fromkeys(ends), len(pdf)]:
        later = reader if end == len(pdf) else open_pdf(pdf[:end], deadline)
        changes = compare(earlier, later, deadline)
        if changes.attachments:
            if attached:
                raise PdfAttachmentChangedError("attachments were added in two revisions")
            attached, attached_by = changes.attachments, end
        shown += changes.shown_signatures
        earlier = later
    if ASSERTION not in attached or attached_by is None:
        raise PdfChangedError("the assertion was not attached in a revision after the document")
    return _Additions(attached_by, shown)


@dataclass(frozen=True)
class _Additions:
    """What came after revision 0."""

    attached_by: int
    """All bytes before this one hold the attachments."""
    shown: tuple[str, ...]
    """Names of reserved signature fields that show something now."""


def _judge(
    signatures: Sequence[PdfSignature], original: int, additions: _Additions, has_roots: bool
) -> PdfCheck:
    """Turn what was found about the signatures into one check."""
    name = PdfCheckName.SIGNATURES
    if any(signature.broken for signature in signatures):
        return PdfCheck(name, CheckResult.FAILED, "pdf-signature-broken")
    persons = [s for s in signatures if not s.is_timestamp and s.end > original]
    if set(additions.shown) - {signature.field_name for signature in persons}:
        # Anybody can get a timestamp; what it shows is nobody's word.
        return PdfCheck(name, CheckResult.FAILED, "pdf-signature-visible")
    if not has_roots:
        visible = bool(additions.shown)
        reason = "pdf-signature-root-not-given" if persons else "pdf-signature-missing"
        return PdfCheck(name, CheckResult.NOT_PERFORMED, reason, required=visible)
    if not persons:
        return PdfCheck(name, CheckResult.FAILED, "pdf-signature-missing")
    if any(signature.end < additions.attached_by for signature in persons):
        return PdfCheck(name, CheckResult.FAILED, "pdf-signature-before-assertion")
    for signature in persons:
        if signature.reason == "pdf-signature-revocation-unknown":
            return PdfCheck(name, CheckResult.NOT_PERFORMED, signature.reason)
        if signature.reason is not None:
            return PdfCheck(name, CheckResult.FAILED, signature.reason)
    return PdfCheck(name, CheckResult.OK)


def _certificates(given: Certificates) -> tuple[asn1_x509.Certificate, ...]:
    parsed = [c for c in given if isinstance(c, x509.Certificate)]
    encoded = [c for c in given if isinstance(c, bytes)]
    if encoded:
        parsed += chain.load_roots(*encoded)
    return tuple(asn1_x509.Certificate.load(c.public_bytes(Encoding.DER)) for c in parsed)


class _StoppedError(Exception):
    """What follows would mean nothing."""


class _Report:
    """The checks so far."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self._checks: dict[PdfCheckName, PdfCheck] = {}

    def run(self, name: PdfCheckName, step: Any) -> Any:
        """Record one step, and stop where it fails."""
        try:
            value = step()
        except ApiError as error:
            self.replace(PdfCheck(name, CheckResult.FAILED, error.code, detail=str(error)))
            raise _StoppedError from None
        self.replace(PdfCheck(name, CheckResult.OK))
        return value

    def replace(self, check: PdfCheck) -> None:
        self._checks[check.name] = check

    def complete(self) -> tuple[PdfCheck, ...]:
        """Return all checks in order; what was not reached was not performed."""
        return tuple(
            self._checks.get(name, PdfCheck(name, CheckResult.NOT_PERFORMED, "not-reached"))
            for name in PdfCheckName
        )
