"""PAdES signatures in a document: whole, by whom, since when provably, and how lasting.

Each is judged at the time that its own timestamp proves, with the certificates and revocation
lists that the document carries or that are given. What a signature covers is always all of the file
up to its end; what came after it, `api.pdf.comparison` judges.

Source: ETSI EN 319 142-1 §6 (levels), ISO 32000-2 §12.8, by pyHanko.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.general import NonexistentAttributeError, find_unique_cms_attribute
from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from api.assertions.revocation_lookup import Revocation
from api.pdf.coverage import covered_end, is_whole
from api.pdf.reading import Deadline, accept_hybrid, reading
from api.pdf.validation_data import ValidationData, wait_for

IMPRINTS = frozenset({"sha256", "sha384", "sha512"})
"""Digests by which a timestamp says what it is for."""
OTHER_PURPOSES = frozenset({"time_stamping", "ocsp_signing", "server_auth", "code_signing"})
"""RFC 5280 §4.2.1.12: a certificate for these alone is nobody's to sign documents with."""

Roots = Sequence[asn1_x509.Certificate]


class Level(StrEnum):
    """How long a signature can be verified (ETSI EN 319 142-1 §6.1)."""

    B = "B-B"
    T = "B-T"
    LT = "B-LT"
    LTA = "B-LTA"
    TIMESTAMP = "document-timestamp"


@dataclass(frozen=True)
class PdfSignature:
    """One signature, or document timestamp, of a document."""

    field_name: str
    """Name of its field."""
    end: int
    """It covers all bytes before this one."""
    reason: str | None
    """Why it does not count; None where it is whole and leads to a pinned root."""
    broken: bool
    """Whether it is not whole: the bytes were changed, or not all are covered."""
    time: datetime | None
    """When it existed, proven by a timestamp of a pinned authority; else None."""
    level: Level
    signer: str = field(repr=False)
    """Subject of the certificate."""
    is_timestamp: bool = False
    """Whether it is a document timestamp and nobody's signature."""


def verify_signatures(
    reader: PdfFileReader,
    *,
    roots: Roots,
    timestamp_roots: Roots,
    at: datetime,
    deadline: Deadline,
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> tuple[PdfSignature, ...]:
    """Verify every signature of a document.

    Args:
        reader: the document.
        roots: of the signers; without them no signature counts, and only whether it is whole can
            be told.
        timestamp_roots: of timestamp authorities; without them no time is proven.
        at: when signatures without a proven time are judged.
        deadline: for the whole document.
        crls: revocation lists of the relying party, of these and other authorities.

    Returns:
        The signatures, in the order in which they were made.

    Raises:
        PdfUnusableError: a signature cannot be read.
        PdfTooComplexError: the time is over, or there is too much validation data.
    """
    with reading():
        accept_hybrid(reader)
        judge = _Judge(ValidationData.of(reader, crls), roots, timestamp_roots, at)
        verified: list[PdfSignature] = []
        # From the last one: a timestamp that holds proves what it covers.
        for signature in sorted(reader.embedded_signatures, key=covered_end, reverse=True):
            deadline.check()
            verified.append(judge.judge(signature))
        return tuple(reversed(verified))


class _Judge:
    def __init__(
        self, data: ValidationData, roots: Roots, timestamp_roots: Roots, at: datetime
    ) -> None:
        self.data, self.roots, self.timestamp_roots, self.at = data, roots, timestamp_roots, at
        self.stamps: list[tuple[int, datetime]] = []
        """Ends and times of the document timestamps so far that hold."""

    def judge(self, signature: EmbeddedPdfSignature) -> PdfSignature:
        end = covered_end(signature)
        # A timestamp over the whole document proves no less than one over the signature.
        covered_at = min((time for stamp, time in self.stamps if stamp > end), default=None)
        if signature.sig_object_type != "/DocTimeStamp":
            return self._signature(signature, end, covered_at)
        stamp = self._document_timestamp(signature, end, covered_at)
        if stamp.time is not None:
            self.stamps.append((end, stamp.time))
        return stamp

    def _document_timestamp(
        self, signature: EmbeddedPdfSignature, end: int, covered_at: datetime | None
    ) -> PdfSignature:
        time = _time(signature.signed_data)
        context = self.data.context(self.timestamp_roots, time)
        status = wait_for(async_validate_pdf_timestamp(signature, context, skip_diff=True))
        broken = not (status.intact and status.valid and is_whole(signature))
        reason: str | None = None
        if broken:
            reason = "pdf-signature-broken"
        elif not self.timestamp_roots:
            reason = "pdf-timestamp-untrusted"
        else:
            reason = self._why_untimely(status, signature.signed_data, covered_at)
        return PdfSignature(
            field_name=signature.field_name,
            end=end,
            reason=reason,
            broken=broken,
            time=time if reason is None else None,
            level=Level.TIMESTAMP,
            signer=signature.signer_cert.subject.human_friendly,
            is_timestamp=True,
        )

    def _signature(
        self, signature: EmbeddedPdfSignature, end: int, covered_at: datetime | None
    ) -> PdfSignature:
        token = _signature_timestamp(signature)
        time = covered_at
        status: Any = None
        if token is not None and self.timestamp_roots:
            claimed = _time(token)
            status = self._validate(signature, claimed)
            stamp = status.timestamp_validity
            if stamp.valid and stamp.intact:
                time = time if self._why_untimely(stamp, token, covered_at) else claimed
        if status is None or time != status.validation_time:
            status = self._validate(signature, time or self.at)
        broken = not (status.intact and status.valid and is_whole(signature))
        reason = self._reason(status, broken, time)
        return PdfSignature(
            field_name=signature.field_name,
            end=end,
            reason=reason,
            broken=broken,
            time=time,
            level=self._level(time, covered_at, reason),
            signer=signature.signer_cert.subject.human_friendly,
        )

    def _validate(self, signature: EmbeddedPdfSignature, moment: datetime) -> Any:
        return wait_for(
            async_validate_pdf_signature(
                signature,
                self.data.context(self.roots, moment),
                self.data.context(self.timestamp_roots, moment),
                skip_diff=True,
            )
        )

    def _why_untimely(
        self, status: Any, token: cms.SignedData, covered_at: datetime | None
    ) -> str | None:
        """Return why a timestamp that is whole proves no time."""
        imprint = token["encap_content_info"]["content"].parsed["message_imprint"]
        algorithm = imprint["hash_algorithm"]["algorithm"].native
        if not status.trusted or algorithm not in IMPRINTS:
            return "pdf-timestamp-untrusted"
        revocation = self.data.revocation.of_authority(
            _path(status), at=_time(token), covered_at=covered_at
        )
        if revocation is Revocation.REVOKED:
            return "pdf-timestamp-revoked"
        return "pdf-timestamp-untrusted" if revocation is Revocation.UNKNOWN else None

    def _reason(self, status: Any, broken: bool, time: datetime | None) -> str | None:
        if broken:
            return "pdf-signature-broken"
        if not self.roots:
            return "pdf-signature-root-not-given"
        revocation = self.data.revocation.of_signer(
            _path(status), at=time or self.at, proven=time is not None
        )
        if status.revoked or revocation is Revocation.REVOKED:
            return "pdf-signature-revoked"
        if status.trusted and _may_sign(status.signing_cert):
            known = revocation is Revocation.GOOD
            return None if known else "pdf-signature-revocation-unknown"
        if not _is_valid(status.signing_cert, time or self.at):
            return "pdf-signature-untrusted"
        if status.trust_problem_indic in (
            AdESIndeterminate.TRY_LATER,
            AdESIndeterminate.REVOKED_NO_POE,
            AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE,
        ):
            return "pdf-signature-revocation-unknown"
        return "pdf-signature-untrusted"

    def _level(
        self, time: datetime | None, covered_at: datetime | None, reason: str | None
    ) -> Level:
        if time is None or reason is not None:
            return Level.B
        if not self.data.is_carried:
            return Level.T
        return Level.LT if covered_at is None else Level.LTA


def _time(token: cms.SignedData) -> datetime:
    """Return the time of a timestamp token, which nothing has verified."""
    time: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
    return time


def _signature_timestamp(signature: EmbeddedPdfSignature) -> cms.SignedData | None:
    """Return the timestamp in a signature, which nothing has verified."""
    try:
        token = find_unique_cms_attribute(
            signature.signer_info["unsigned_attrs"], "signature_time_stamp_token"
        )
    except NonexistentAttributeError:
        return None
    return token["content"]


def _path(status: Any) -> list[x509.Certificate]:
    """Return the certificates that were found, from the leaf to the root."""
    path = status.validation_path
    found = list(path.iter_certs(include_root=True)) if path is not None else []
    return [x509.load_der_x509_certificate(one.dump()) for one in reversed(found)]


def _is_valid(certificate: asn1_x509.Certificate, at: datetime) -> bool:
    return bool(certificate.not_valid_before <= at <= certificate.not_valid_after)


def _may_sign(certificate: asn1_x509.Certificate) -> bool:
    purposes = certificate.extended_key_usage_value
    return purposes is None or not set(purposes.native) <= OTHER_PURPOSES
