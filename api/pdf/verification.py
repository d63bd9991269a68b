"""A PDF with its assertions, verified offline: revision 0, later revisions, signatures, assertions.

An assertion says how many bytes the document had, and their digest; so revision 0 is found without
trusting anything in the file. It is the document that every assertion is verified over. What came
after may add the attachments and signatures and nothing that is shown.
"""

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader

from api.assertions import verifier_inputs
from api.assertions.revocation_lookup import RevocationData
from api.assertions.timestamps import CarriedTimestamp
from api.assertions.verifier import verify
from api.assertions.vocabulary import AssuranceLevel, CheckResult
from api.errors import ApiError
from api.pdf.attachment_names import ASSERTION
from api.pdf.attachments import (
    CarriedAssertion,
    assertions_of,
    check_bindable,
)
from api.pdf.binding import find_revision, match_nonces
from api.pdf.comparison import compare
from api.pdf.coverage import check_certification, check_no_stray_signature, covered_ends
from api.pdf.cross_references import check_cross_references
from api.pdf.errors import (
    PdfAttachmentChangedError,
    PdfChangedError,
    PdfUnusableError,
)
from api.pdf.reading import Deadline, open_pdf, reading
from api.pdf.signatures import PdfSignature, verify_signatures
from api.pdf.validation_data import ValidationData
from api.pdf.verdict import PdfCheck, PdfCheckName, PdfVerification

if TYPE_CHECKING:
    from api.assertions.claim_checks import SeenByIssuer
    from api.assertions.policy_file import KnownPolicy

__all__ = ["PdfCheck", "PdfCheckName", "PdfVerification", "verify_pdf"]

Certificates = Sequence[bytes | x509.Certificate]
Value = TypeVar("Value")

_END = re.compile(rb"startxref[\r\n ]+[0-9]+[\r\n ]+%%EOF[\r\n]{0,11}\Z")
"""ISO 32000-2 §7.5.5: the last lines. What stands after them, viewers may or may not read, and the
number in another spelling Poppler takes for another."""


def verify_pdf(
    pdf: bytes,
    *,
    roots: Certificates,
    audience: str | None,
    nonce: str | Sequence[str] | None,
    documents: Sequence[bytes] = (),
    signature_roots: Certificates = (),
    timestamp_roots: Certificates = (),
    at: datetime | None = None,
    minimum_level: AssuranceLevel | None = None,
    policy_digests: Container[str] | None = None,
    policies: "Sequence[KnownPolicy] | None" = None,
    seen_jti: "Container[str] | SeenByIssuer | None" = None,
    status_lists: Sequence[str | bytes] = (),
    crls: Sequence[bytes | x509.CertificateRevocationList] = (),
) -> PdfVerification:
    """Verify a PDF that carries assertions, without any connection.

    Args:
        pdf: the whole file, at most 128 MiB.
        roots: pinned roots of the assertion's issuer.
        audience: as in `api.assertions.verifier.verify`, like all that is not named here.
        nonce: as there; several where there are several assertions, for each party's session one,
            in any order. Each counts for one assertion, and none may be left.
        documents: other documents that the assertions are for as well, not this one.
        signature_roots: pinned roots of those who sign the PDF (notary, organisation). Given, at
            least one signature over the assertion is required, and each must lead to one of them;
            not given, signatures are only checked to be whole.
        timestamp_roots: pinned roots of timestamp authorities. The token beside each assertion is
            judged by them, and fixes the time at which the assertion is judged.
        at: the time of verification where no timestamp proves another; now if None.
        minimum_level: as there.
        policy_digests: as there.
        policies: as there.
        seen_jti: as there.
        status_lists: as there.
        crls: revocation lists, as there, also of those who sign the PDF and of timestamp
            authorities: nothing passes that one of them says was revoked before.

    Raises:
        RootsUnusableError: no root is given, or one is not a certificate.
        CrlUnusableError: something else is given as a revocation list.
        InputUnusableError: `at` has no time zone.
    """
    moment = verifier_inputs.time_of(at)
    signer_roots, tsa_roots = _certificates(signature_roots), _certificates(timestamp_roots)
    lists = verifier_inputs.revocation_lists(crls)
    report = _Report()
    deadline = Deadline()
    try:
        reader = report.run(PdfCheckName.PDF, lambda: _open(pdf, deadline))
        carried = report.run(PdfCheckName.ATTACHMENT, lambda: assertions_of(reader))
        original = report.run(
            PdfCheckName.REVISION, lambda: find_revision(pdf, carried[0].assertion)
        )
        additions = report.run(
            PdfCheckName.CHANGES, lambda: _check_changes(pdf, original, reader, deadline)
        )
        data = report.run(PdfCheckName.SIGNATURES, lambda: _revocation_data(reader, lists))
        signatures = report.run(
            PdfCheckName.SIGNATURES,
            lambda: verify_signatures(
                reader,
                roots=_as_asn1(signer_roots),
                timestamp_roots=_as_asn1(tsa_roots),
                at=moment,
                deadline=deadline,
                crls=lists,
            ),
        )
    except _StoppedError:
        return PdfVerification(report.complete())
    report.replace(_judge(signatures, len(original), additions, bool(signer_roots)))
    expected, left = match_nonces(carried, nonce)
    if left:
        detail = "a nonce was given that no assertion here was made for"
        report.replace(
            PdfCheck(
                PdfCheckName.ATTACHMENT, CheckResult.FAILED, "pdf-nonce-unmatched", detail=detail
            )
        )
    timestamps = _timestamps(carried, data, additions.attached_by, signatures)
    judged = tuple(
        verify(
            one.assertion,
            documents=[original, *documents],
            roots=roots,
            audience=audience,
            nonce=asked,
            at=at,
            minimum_level=minimum_level,
            policy_digests=policy_digests,
            policies=policies,
            seen_jti=seen_jti,
            status_lists=status_lists,
            crls=lists,
            timestamp=timestamp,
            timestamp_roots=timestamp_roots,
        )
        for one, asked, timestamp in zip(carried, expected, timestamps, strict=True)
    )
    return PdfVerification(report.complete(), judged, signatures, original)


def _open(pdf: bytes, deadline: Deadline) -> PdfFileReader:
    if _END.search(pdf, max(len(pdf) - 64, 0)) is None:
        raise PdfUnusableError("the file does not end where a PDF document ends")
    return open_pdf(pdf, deadline)


def _check_changes(
    pdf: bytes, original: bytes, reader: PdfFileReader, deadline: Deadline
) -> "_Additions":
    """Compare each signed state of the file with the one before, from revision 0 on."""
    ends = [end for end in covered_ends(reader) if len(original) < end < len(pdf)]
    earlier = open_pdf(original, deadline)
    check_bindable(earlier, deadline)
    attached_by: int | None = None
    attached: tuple[str, ...] = ()
    shown: dict[str, int] = {}
    for end in [*dict.fromkeys(ends), len(pdf)]:
        later = reader if end == len(pdf) else open_pdf(pdf[:end], deadline)
        changes = compare(earlier, later, deadline)
        if changes.attachments:
            if attached:
                raise PdfAttachmentChangedError("attachments were added in two revisions")
            attached, attached_by = changes.attachments, end
        shown |= dict.fromkeys(changes.shown_signatures, end)
        earlier = later
    if ASSERTION not in attached or attached_by is None:
        raise PdfChangedError("the assertion was not attached in a revision after the document")
    check_cross_references(pdf, reader, len(original))
    check_certification(reader, len(original))
    check_no_stray_signature(reader, len(original))
    return _Additions(attached_by, shown)


@dataclass(frozen=True)
class _Additions:
    """What came after revision 0."""

    attached_by: int
    """All bytes before this one hold the attachments."""
    shown: dict[str, int]
    """Reserved signature fields that show something now, and the end of what shows it first."""


def _judge(
    signatures: Sequence[PdfSignature], original: int, additions: _Additions, has_roots: bool
) -> PdfCheck:
    """Turn what was found about the signatures into one check."""
    name = PdfCheckName.SIGNATURES
    if any(signature.broken for signature in signatures):
        return PdfCheck(name, CheckResult.FAILED, "pdf-signature-broken")
    persons = [s for s in signatures if not s.is_timestamp and s.end > original]
    covered = {signature.field_name: signature.end for signature in persons}
    if any(covered.get(field, 0) < end for field, end in additions.shown.items()):
        # Anybody can get a timestamp, and paint what no signature covers: it is nobody's word.
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


def _revocation_data(
    reader: PdfFileReader, lists: Sequence[x509.CertificateRevocationList]
) -> RevocationData:
    with reading():
        return ValidationData.of(reader, lists).revocation


def _timestamps(
    carried: Sequence[CarriedAssertion],
    data: RevocationData,
    attached_by: int,
    signatures: Sequence[PdfSignature],
) -> list[CarriedTimestamp | None]:
    """Return the tokens beside the assertions with what tells of their authorities."""
    covering = [s.time for s in signatures if s.is_timestamp and s.end >= attached_by]
    covered_at = min((time for time in covering if time is not None), default=None)
    return [
        None if one.timestamp is None else CarriedTimestamp(one.timestamp, data, covered_at)
        for one in carried
    ]


def _certificates(given: Certificates) -> tuple[x509.Certificate, ...]:
    return verifier_inputs.certificates(given) if given else ()


def _as_asn1(certificates: Sequence[x509.Certificate]) -> list[asn1_x509.Certificate]:
    return [asn1_x509.Certificate.load(c.public_bytes(Encoding.DER)) for c in certificates]


class _StoppedError(Exception):
    """What follows would mean nothing."""


class _Report:
    """The checks so far."""

    def __init__(self) -> None:
        self._checks: dict[PdfCheckName, PdfCheck] = {}

    def run(self, name: PdfCheckName, step: Callable[[], Value]) -> Value:
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
