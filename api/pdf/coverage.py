"""What each signature covers: the file from its first byte to some end, but for its own digits.

A signature cannot cover itself, so its `/ByteRange` leaves a gap. Whatever may stand there is not
signed; so nothing may but the signature, in one spelling of hexadecimal, with zeros behind it.

Source: ISO 32000-2 §12.8.1 (byte range digests), §12.8.3.3 (DER, padded with zeros); Mladenov et
al., "1 Trillion Dollar Refund", CCS 2019 (wrapping, universal forgery).
"""

import re

from asn1crypto import parser
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from api.pdf.errors import PdfCertifiedError, PdfTooComplexError, PdfUnusableError
from api.pdf.reading import reading, resolve

MAX_SIGNATURES = 32

_HEXADECIMAL = re.compile(rb"<(?:[0-9A-F]*|[0-9a-f]*)>")
_WHOLE = (SignatureCoverageLevel.ENTIRE_REVISION, SignatureCoverageLevel.ENTIRE_FILE)


def covered_ends(reader: PdfFileReader) -> list[int]:
    """Return where the covered part of each signature ends, in order.

    Raises:
        PdfTooComplexError: there are more than `MAX_SIGNATURES`.
        PdfUnusableError: a signature cannot be read, is of an unknown kind, or is in two fields.
    """
    with reading():
        signatures = reader.embedded_signatures
        filled = sum(1 for _ in enumerate_sig_fields(reader, filled_status=True))
        if filled != len(signatures):
            raise PdfUnusableError("the document has a signature of an unknown kind")
        if len({signature.sig_object.container_ref for signature in signatures}) < filled:
            raise PdfUnusableError("two fields of the document hold one signature")
        if filled > MAX_SIGNATURES:
            raise PdfTooComplexError(f"a document has at most {MAX_SIGNATURES} signatures")
        return sorted(covered_end(signature) for signature in signatures)


def covered_end(signature: EmbeddedPdfSignature) -> int:
    """Return where the covered part of a signature ends.

    Raises:
        PdfUnusableError: it does not begin with the document's first byte.
    """
    numbers = [int(number) for number in signature.byte_range]
    if len(numbers) != 4 or numbers[0] != 0 or any(number < 0 for number in numbers):
        raise PdfUnusableError("a signature does not cover the document from its beginning")
    return numbers[2] + numbers[3]


def is_whole(signature: EmbeddedPdfSignature) -> bool:
    """Whether a signature, whose integrity was computed, covers all but its own digits."""
    _, begin, resume, _ = (int(number) for number in signature.byte_range)
    stream = signature.reader.stream
    stream.seek(begin)
    gap = bytes(stream.read(max(resume - begin, 0)))
    contents = signature.pkcs7_content
    if not _HEXADECIMAL.fullmatch(gap) or len(gap) % 2:
        return False
    return (
        bytes.fromhex(gap[1:-1].decode("ascii")) == contents
        and not any(contents[parser.peek(contents) :])
        and signature.coverage in _WHOLE
    )


def check_certification(reader: PdfFileReader, original: int) -> None:
    """Check that no signature forbids what came after it (DocMDP, ISO 32000-2 §12.8.2.2).

    Args:
        reader: the document.
        original: length of revision 0. A certification in it forbids attachments at any level.

    Raises:
        PdfCertifiedError: one does.
    """
    with reading():
        signatures = reader.embedded_signatures
        last = max(
            (covered_end(s) for s in signatures if s.sig_object_type != "/DocTimeStamp"), default=0
        )
        for signature in signatures:
            level, end = signature.docmdp_level, covered_end(signature)
            if level is not None and end <= original:
                raise PdfCertifiedError("the document is certified against later attachments")
            if level is MDPPerm.NO_CHANGES and end < last:
                raise PdfCertifiedError("a signature forbids the signatures after it")


def check_no_stray_signature(reader: PdfFileReader, original: int) -> None:
    """Check that every signature that was added is held by a field, and so was looked at.

    One byte can take a signature out of its field, and nothing else would tell.

    Raises:
        PdfUnusableError: one is not.
    """
    with reading():
        held = {signature.sig_object.container_ref for signature in reader.embedded_signatures}
        for revision in range(reader.xrefs.total_revisions):
            if reader.xrefs.get_startxref_for_revision(revision) < original:
                continue
            for reference in reader.xrefs.explicit_refs_in_revision(revision):
                if reader.xrefs[reference] is None:
                    continue
                item = resolve(reader, _pointer(reader, reference))
                is_signature = isinstance(item, generic.DictionaryObject) and "/ByteRange" in item
                if is_signature and reference not in held:
                    raise PdfUnusableError("the document has a signature that no field holds")


def _pointer(reader: PdfFileReader, reference: generic.Reference) -> generic.IndirectObject:
    return generic.IndirectObject(reference.idnum, reference.generation, reader)  # type: ignore[no-untyped-call]
