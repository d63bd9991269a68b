"""PAdES signatures in a document: whole, by whom, since when provably, and how lasting.

Each is judged at the time that its own timestamp proves, with the certificates and revocation
lists that the document carries. What a signature covers is always all of the file up to its end;
what came after it, `api.pdf.comparison` judges.

Source: ETSI EN 319 142-1 §6 (levels), ISO 32000-2 §12.8, by pyHanko.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from asn1crypto import x509
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.general import NonexistentAttributeError, find_unique_cms_attribute
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from api.pdf.errors import PdfTooComplexError, PdfUnusableError
from api.pdf.reading import Deadline, accept_hybrid, reading

MAX_SIGNATURES = 32
MAX_VALIDATION_OBJECTS = 1000
"""Certificates and revocation lists in one document; a signature brings about ten."""

Status = TypeVar("Status")


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


def covered_ends(reader: PdfFileReader) -> list[int]:
    """Return where the covered part of each signature ends, in order.

    Raises:
        PdfTooComplexError: there are more than `MAX_SIGNATURES`.
        PdfUnusableError: a signature cannot be read, or is of an unknown kind.
    """
    with reading():
        signatures = reader.embedded_signatures
        filled = sum(1 for _ in enumerate_sig_fields(reader, filled_status=True))
        if filled != len(signatures):
            raise PdfUnusableError("the document has a signature of an unknown kind")
        if filled > MAX_SIGNATURES:
            raise PdfTooComplexError(f"a document has at most {MAX_SIGNATURES} signatures")
        return sorted(_end(signature) for signature in signatures)


def verify_signatures(
    reader: PdfFileReader,
    *,
    roots: Sequence[x509.Certificate],
    timestamp_roots: Sequence[x509.Certificate],
    at: datetime,
    deadline: Deadline,
) -> tuple[PdfSignature, ...]:
    """Verify every signature of a document.

    Args:
        reader: the document.
        roots: of the signers; without them no signature counts, and only whether it is whole can
            be told.
        timestamp_roots: of timestamp authorities; without them no time is proven.
        at: when signatures without a proven time are judged.
        deadline: for the whole document.

    Raises:
        PdfUnusableError: a signature cannot be read.
        PdfTooComplexError: the time is over, or there is too much validation data.
    """
    with reading():
        accept_hybrid(reader)
        carried = _carried(reader)
        found = sorted(reader.embedded_signatures, key=_end)
        stamps: dict[int, PdfSignature] = {}
        for signature in found:
            if signature.sig_object_type == "/DocTimeStamp":
                deadline.check()
                stamps[_end(signature)] = _document_timestamp(carried, signature, timestamp_roots)
        times = [(end, stamp.time) for end, stamp in stamps.items() if stamp.time is not None]
        verified = []
        for signature in found:
            deadline.check()
            verified.append(
                stamps[_end(signature)]
                if signature.sig_object_type == "/DocTimeStamp"
                else _signature(carried, signature, roots, timestamp_roots, times, at)
            )
        return tuple(verified)


def _end(signature: EmbeddedPdfSignature) -> int:
    numbers = [int(number) for number in signature.byte_range]
    if len(numbers) != 4 or numbers[0] != 0 or any(number < 0 for number in numbers):
        raise PdfUnusableError("a signature does not cover the document from its beginning")
    return numbers[2] + numbers[3]


def _document_timestamp(
    carried: dict[str, Any], signature: EmbeddedPdfSignature, roots: Sequence[x509.Certificate]
) -> PdfSignature:
    info = signature.signed_data["encap_content_info"]["content"].parsed
    time: datetime = info["gen_time"].native
    context = _context(carried, roots, time)
    status = _run(async_validate_pdf_timestamp(signature, context, skip_diff=True))
    broken = not (status.intact and status.valid) or not _covers(signature)
    trusted = bool(roots) and not broken and status.trusted
    reason = None if trusted else ("pdf-signature-broken" if broken else "pdf-timestamp-untrusted")
    return PdfSignature(
        field_name=signature.field_name,
        end=_end(signature),
        reason=reason,
        broken=broken,
        time=time if trusted else None,
        level=Level.TIMESTAMP,
        signer=signature.signer_cert.subject.human_friendly,
        is_timestamp=True,
    )


def _signature(
    carried: dict[str, Any],
    signature: EmbeddedPdfSignature,
    roots: Sequence[x509.Certificate],
    timestamp_roots: Sequence[x509.Certificate],
    later: Sequence[tuple[int, datetime]],
    at: datetime,
) -> PdfSignature:
    end = _end(signature)
    claimed = _claimed_time(signature)
    # A timestamp over the whole document proves no less than one over the signature.
    covering = [time for stamp_end, time in later if stamp_end > end]
    moment = claimed or min(covering, default=at)
    status = _validate(carried, signature, roots, timestamp_roots, moment)
    stamp = status.timestamp_validity
    proven = stamp is not None and stamp.valid and stamp.intact and stamp.trusted
    if claimed is not None and not (proven and timestamp_roots):
        claimed = None
        moment = min(covering, default=at)
        status = _validate(carried, signature, roots, timestamp_roots, moment)
    time = claimed or min(covering, default=None)
    broken = not (status.intact and status.valid) or not _covers(signature)
    reason = _reason(status, broken, bool(roots))
    return PdfSignature(
        field_name=signature.field_name,
        end=end,
        reason=reason,
        broken=broken,
        time=time,
        level=_level(carried, time, covering, reason),
        signer=signature.signer_cert.subject.human_friendly,
    )


def _validate(
    carried: dict[str, Any],
    signature: EmbeddedPdfSignature,
    roots: Sequence[x509.Certificate],
    timestamp_roots: Sequence[x509.Certificate],
    moment: datetime,
) -> Any:
    return _run(
        async_validate_pdf_signature(
            signature,
            _context(carried, roots, moment),
            _context(carried, timestamp_roots, moment),
            skip_diff=True,
        )
    )


def _claimed_time(signature: EmbeddedPdfSignature) -> datetime | None:
    """Return the time of the timestamp in a signature, before it is verified."""
    try:
        token = find_unique_cms_attribute(
            signature.signer_info["unsigned_attrs"], "signature_time_stamp_token"
        )
    except NonexistentAttributeError:
        return None
    time: datetime = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
    return time


def _covers(signature: EmbeddedPdfSignature) -> bool:
    return signature.coverage in (
        SignatureCoverageLevel.ENTIRE_REVISION,
        SignatureCoverageLevel.ENTIRE_FILE,
    )


def _reason(status: Any, broken: bool, has_roots: bool) -> str | None:
    if broken:
        return "pdf-signature-broken"
    if not has_roots:
        return "pdf-signature-root-not-given"
    if status.revoked:
        return "pdf-signature-revoked"
    if status.trusted:
        return None
    if status.trust_problem_indic in (
        AdESIndeterminate.TRY_LATER,
        AdESIndeterminate.REVOKED_NO_POE,
        AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE,
    ):
        return "pdf-signature-revocation-unknown"
    return "pdf-signature-untrusted"


def _level(
    carried: dict[str, Any],
    time: datetime | None,
    covering: Sequence[datetime],
    reason: str | None,
) -> Level:
    if time is None or reason is not None:
        return Level.B
    if not any(carried.values()):
        return Level.T
    return Level.LTA if covering else Level.LT


def _carried(reader: PdfFileReader) -> dict[str, Any]:
    """Return the certificates and revocation data that the document carries."""
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return {"other_certs": [], "crls": [], "ocsps": []}
    if len(store.certs) + len(store.crls) + len(store.ocsps) > MAX_VALIDATION_OBJECTS:
        raise PdfTooComplexError("the document carries too much validation data")
    return {
        "other_certs": list(store.load_certs()),
        "crls": [_stream(ref, DecodePurpose.CRL) for ref in store.crls],
        "ocsps": [_stream(ref, DecodePurpose.OCSP_RESPONSE) for ref in store.ocsps],
    }


def _stream(reference: Any, purpose: DecodePurpose) -> bytes:
    return bytes(reference.get_object().read_data(purpose))


def _context(
    carried: dict[str, Any], roots: Sequence[x509.Certificate], moment: datetime
) -> ValidationContext:
    """Return what certificates are judged by: pinned roots, and what the document carries."""
    return ValidationContext(
        trust_roots=list(roots),
        allow_fetching=False,
        moment=moment,
        revocation_mode="hard-fail",
        # Lists are fetched after the signature was made.
        retroactive_revinfo=True,
        **carried,
    )


def _run(coroutine: Coroutine[Any, Any, Status]) -> Status:
    """Wait for pyHanko in a thread, for the caller may have an event loop of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
