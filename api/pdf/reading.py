"""PDF documents read strictly and within bounds; the one place that opens them with pyHanko.

What two viewers could read differently is refused: broken cross-references, a name twice in a
dictionary, bytes before the header. A document like that can be repaired by printing it into a new
PDF before the session is opened, and then it is another document.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import (
    DEFAULT_PURPOSE_LIMITS,
    DecodeContext,
    DecodeLimits,
    DecodePurpose,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfStrictReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.xref import XRefSection, XRefSectionType, _check_xref_consistency

from api.errors import ApiError
from api.pdf.errors import PdfEncryptedError, PdfTooComplexError, PdfUnusableError

MAX_BYTES = 128 << 20
MAX_SECONDS = 60.0
"""For all that is read of one document; a contract of 100 pages takes less than one."""
MAX_READS = 20_000_000
"""Of the parser, a few for each number or name; they bound its memory to about 1.5 GB."""

MAX_CLAIMED = 4 << 20
"""What all cross-reference streams of a document may claim to hold, in bytes with one for each row:
room for 350,000 objects."""

# pyHanko logs what it finds in a document, which is nobody's business.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False

_LIMITS = DecodeLimits(
    per_purpose={
        **DEFAULT_PURPOSE_LIMITS,
        # The parser unpacks an object stream again for each of its objects.
        DecodePurpose.OBJECT_STREAM: StreamDecodeLimits(
            max_ratio=100, ratio_floor=1 << 20, max_output_size=8 << 20
        ),
        # Six bytes an object: room for 350,000.
        DecodePurpose.XREF_STREAM: StreamDecodeLimits(max_ratio=None, max_output_size=2 << 20),
    }
)


class Deadline:
    """The time that a document may take, from when this is made."""

    def __init__(self, seconds: float = MAX_SECONDS) -> None:
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise PdfTooComplexError once the time is over."""
        if time.monotonic() > self._end:
            raise PdfTooComplexError("the document takes too long to read")


class _BoundedBytes(BytesIO):
    """Bytes that can be read a limited number of times, and until a deadline."""

    def __init__(self, data: bytes, deadline: Deadline) -> None:
        super().__init__(data)
        self._deadline = deadline
        self._reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads % 4096 == 0:
            self._deadline.check()
            if self._reads > MAX_READS:
                raise PdfTooComplexError("the document has too many objects")
        return super().read(size)


class _BoundedContext(DecodeContext):
    """Limits for what is unpacked, and for what cross-reference streams claim to hold.

    pyHanko reads as many rows as a stream claims, and rows of no width never run out.
    """

    claimed = 0

    def stream_output_cap(
        self,
        encoded_size: int,
        purpose: DecodePurpose = DecodePurpose.GENERIC,
        expected_size: int | None = None,
    ) -> int | None:
        if purpose is DecodePurpose.XREF_STREAM:
            self.claimed += expected_size or 0
            if self.claimed > MAX_CLAIMED:
                raise PdfTooComplexError("the document has too many objects")
        return super().stream_output_cap(encoded_size, purpose, expected_size)


class _BoundedReader(PdfFileReader):
    _bounded: _BoundedContext | None = None

    @property
    def decode_context(self) -> DecodeContext:
        if self._bounded is None:
            own = super().decode_context
            self._bounded = _BoundedContext(own.limits, own.input_size)
        return self._bounded


def open_pdf(data: bytes, deadline: Deadline | None = None) -> PdfFileReader:
    """Open a document for reading.

    Raises:
        PdfUnusableError: not a PDF, or one that is broken or ambiguous.
        PdfEncryptedError: it is encrypted.
        PdfTooComplexError: it is larger than `MAX_BYTES`, or takes too long.
    """
    if len(data) > MAX_BYTES:
        raise PdfTooComplexError(f"a document has at most {MAX_BYTES >> 20} MiB")
    # Viewers look for the header in the first KiB; here nothing stands before it, so that offsets
    # mean the same to all.
    if not data.startswith(b"%PDF-"):
        raise PdfUnusableError("this is not a PDF document")
    with reading():
        stream = _BoundedBytes(data, deadline or Deadline())
        try:
            reader = _BoundedReader(stream, strict=True, decode_limits=_LIMITS)
        except PdfStrictReadError as error:
            if not str(error).startswith("XRef stream objects must not be clobbered"):
                raise
            reader = _reader_of_reused_numbers(stream)
        if "/Encrypt" in reader.trailer:
            raise PdfEncryptedError("the document is encrypted")
        if not isinstance(reader.root["/Pages"]["/Kids"], generic.ArrayObject):
            raise PdfUnusableError("the document has no pages")
        return reader


def _reader_of_reused_numbers(stream: BytesIO) -> _BoundedReader:
    """Open a document that uses the number of a cross-reference stream for another object later.

    PDFBox does, for it lists no such stream (§7.5.8.2), and so does what builds on it. Viewers find
    what is listed last. pyHanko refuses it for the sake of encrypted documents, after it has read
    each section strictly; all else is checked again.
    """
    reader = _BoundedReader(stream, strict=False, decode_limits=_LIMITS)
    reader.strict = True
    xrefs = reader.xrefs
    _check_xref_consistency(
        [
            XRefSection(
                replace(xrefs.get_xref_container_info(revision), stream_ref=None),
                xrefs.get_xref_data(revision),
            )
            for revision in range(xrefs.total_revisions)
        ]
    )
    return reader


def accept_hybrid(reader: PdfFileReader) -> None:
    """Let pyHanko sign, and verify signatures in, the hybrid-reference files that Word writes.

    It refuses them, because an old viewer sees other objects in them. Here the objects that today's
    viewers see are compared, and no later revision may be hybrid.
    """
    reader.strict = reader.strict and not reader.xrefs.hybrid_xrefs_present


def hybrid_sections(reader: PdfFileReader) -> int:
    """Return how many revisions show some of their objects to some viewers only (§7.5.8.4)."""
    xrefs = reader.xrefs
    return sum(
        xrefs.get_xref_container_info(revision).xref_section_type is XRefSectionType.HYBRID_MAIN
        for revision in range(xrefs.total_revisions)
    )


def numbers_of_cross_references(reader: PdfFileReader) -> frozenset[int]:
    """Return the object numbers of the cross-reference streams (ISO 32000-2 §7.5.8.2)."""
    return frozenset(reference.idnum for reference in reader.xrefs.xref_stream_refs)


def resolve(reader: PdfFileReader, item: generic.PdfObject) -> generic.PdfObject:
    """Return what a reference refers to; nothing is null (ISO 32000-2 §7.3.10).

    Some viewers find there a cross-reference stream of that number, though nothing lists it.
    """
    for _ in range(8):
        if not isinstance(item, generic.IndirectObject):
            return item
        if reader.xrefs[item.reference] is None:
            if item.reference.idnum in numbers_of_cross_references(reader):
                raise PdfUnusableError("the document refers to its own cross-references")
            return generic.NullObject()
        item = reader.get_object(item.reference)  # type: ignore[no-untyped-call]
    raise PdfUnusableError("a reference of the document leads nowhere")


def entry(reader: PdfFileReader, dictionary: object, key: str) -> generic.PdfObject | None:
    """Return an entry of a dictionary, resolved, or None where either is missing or null."""
    if not isinstance(dictionary, generic.DictionaryObject) or key not in dictionary:
        return None
    value = resolve(reader, dictionary.raw_get(key))
    return None if isinstance(value, generic.NullObject) else value


@contextmanager
def reading() -> Iterator[None]:
    """Wrap what pyHanko raises over a document that it cannot read.

    Over hostile bytes that is nearly anything: its own errors, KeyError, TypeError, ValueError,
    AssertionError, RecursionError.

    Raises:
        PdfUnusableError: the document is broken.
        PdfTooComplexError: a stream of it unpacks to too much, or memory is short.
    """
    try:
        yield
    except ApiError:
        raise
    except (PdfDecodeLimitError, MemoryError):
        raise PdfTooComplexError("a part of the document unpacks to too much") from None
    except Exception:  # over hostile bytes pyHanko raises nearly anything
        raise PdfUnusableError("the document is broken or cannot be read unambiguously") from None
