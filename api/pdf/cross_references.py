"""Cross-references that leave viewers no choice, and those of later revisions over all they hold.

A viewer that finds a cross-reference section broken rebuilds it from whatever looks like an object
in the file, and each has an opinion of its own on what is broken and which of two entries counts.
So each section must be as the standard spells it, with no object listed twice: else what is only
written again changes what a viewer shows. In what is appended, each entry must also be at the
object that it names, and there must be no object that none of them lists.

Source: ISO 32000-2 §7.5.4 (tables), §7.5.5 (trailers), §7.5.6 (updates), §7.5.8 (streams).
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.misc import skip_over_whitespace
from pyhanko.pdf_utils.reader import PdfFileReader

from api.pdf.errors import PdfUnusableError
from api.pdf.reading import reading, resolve
from api.pdf.spelling import END_OF_TRAILER, check_spelling

MAX_OBJECT_NUMBER = 8_388_607
"""What viewers count to (ISO 32000-1 Annex C)."""
MAX_WIDTH = 8
"""Of a number of a cross-reference stream, in bytes."""

_END = rb" *(?:\r\n|\r|\n)"
_TABLE = re.compile(
    rb"xref"
    + _END
    + rb"((?:[0-9]{1,10} [0-9]{1,10}"
    + _END
    + rb"(?:[0-9]{10} [0-9]{5} [nf]"
    + _END
    + rb")*+)++)[\r\n]*+trailer"
)
_HEADER = re.compile(rb"([0-9]{1,10}) ([0-9]{1,5}) obj")
_ENDS_OF_OBJECTS = frozenset({b"endobj", b"stream"})
_OBJECT = re.compile(rb"(?<![0-9])[0-9]++[\0\t\n\f\r ]++[0-9]++[\0\t\n\f\r ]++obj")


class _Entry(NamedTuple):
    number: int
    kind: int
    """0 free, 1 in use, 2 in an object stream: the types of ISO 32000-2 Table 18."""
    offset: int
    generation: int


def check_cross_references(pdf: bytes, reader: PdfFileReader, original: int) -> None:
    """Check that all viewers find the same objects in a document and in what was appended.

    Args:
        pdf: the whole file.
        reader: of all of it.
        original: length of revision 0.

    Raises:
        PdfUnusableError: they may not.
    """
    with reading():
        xrefs = reader.xrefs
        highest = 0
        offsets: set[int] = set()
        generations: dict[int, int] = {}
        in_use: set[int] = set()
        for revision in range(xrefs.total_revisions):
            start = xrefs.get_startxref_for_revision(revision)
            listed = xrefs.explicit_refs_in_revision(revision)
            highest = max([highest, *(reference.idnum for reference in listed)])
            entries, trailer = _section(pdf, reader, start, original)
            _check_entries(entries, generations)
            in_use |= {entry.number for entry in entries if entry.kind and entry.offset != start}
            if start >= original:
                _check_number(pdf, start, in_use)
                _check_offsets(pdf, entries, original)
                _check_trailer(trailer, highest)
                for number in {entry.offset for entry in entries if entry.kind == 2}:
                    _check_packed(reader, number)
                offsets |= {start, *(entry.offset for entry in entries if entry.kind == 1)}
            generations |= {reference.idnum: reference.generation for reference in listed}
        if any(found.start() not in offsets for found in _OBJECT.finditer(pdf, original)):
            raise PdfUnusableError("a later revision holds an object that it does not list")


def _check_entries(entries: list[_Entry], generations: dict[int, int]) -> None:
    if len({entry.number for entry in entries}) < len(entries):
        raise PdfUnusableError("the document lists an object twice")
    for number, kind, _, generation in entries:
        # Free is what may be used again as the next generation, and what never was in use.
        is_free = number == 0 or generation == generations.get(number, generation - 1) + 1
        if number > MAX_OBJECT_NUMBER or kind > 2 or (kind == 0 and not is_free):
            raise PdfUnusableError("the document lists an object as what it cannot be")


def _check_offsets(pdf: bytes, entries: list[_Entry], original: int) -> None:
    for number, kind, offset, generation in entries:
        header = b"%d %d obj" % (number, generation)
        is_there = kind == 2 or (offset >= original and pdf.startswith(header, offset))
        if kind > 0 and (number == 0 or not is_there):
            raise PdfUnusableError("a later revision lists an object where it is not")
        if kind == 1:
            check_spelling(pdf, offset + len(header), _ENDS_OF_OBJECTS)


def _check_number(pdf: bytes, start: int, in_use: set[int]) -> None:
    """Check that a cross-reference stream has no other object's number.

    MuPDF and Ghostscript find it by its number, listed or not, in place of what came before it.
    """
    header = _HEADER.match(pdf, start)
    if header is not None and int(header[1]) in in_use:
        raise PdfUnusableError("a later revision lists its objects in the place of one of them")


def _check_packed(reader: PdfFileReader, number: int) -> None:
    """Check the objects of an object stream (ISO 32000-2 §7.5.7)."""
    stream = resolve(reader, generic.IndirectObject(number, 0, reader))  # type: ignore[no-untyped-call]
    if not isinstance(stream, generic.StreamObject):
        raise PdfUnusableError("a later revision lists an object where it is not")
    data, first = stream.read_data(DecodePurpose.OBJECT_STREAM), int(stream["/First"])
    words = [int(word) for word in data[:first].split()]
    starts = [*words[1::2], len(data) - first]
    if len(set(words[::2])) < len(words[::2]) or starts != sorted(starts):
        raise PdfUnusableError("a later revision lists an object twice")
    for begin, end in pairwise(starts):
        check_spelling(data[first + begin : first + end] + b" endobj ", 0, _ENDS_OF_OBJECTS)


def _check_trailer(trailer: generic.DictionaryObject, highest: int) -> None:
    size = trailer.raw_get("/Size")
    if (
        not isinstance(trailer.raw_get("/Root"), generic.IndirectObject)
        or not isinstance(size, generic.NumberObject)
        or not highest < size <= MAX_OBJECT_NUMBER + 1
        or "/F" in trailer
    ):
        raise PdfUnusableError("a later revision does not say what it consists of")


def _section(
    pdf: bytes, reader: PdfFileReader, start: int, original: int
) -> tuple[list[_Entry], generic.DictionaryObject]:
    """Return the entries of one section, and its trailer."""
    stream = reader.stream
    table = _TABLE.match(pdf, start)
    if table is not None:
        if start >= original:
            check_spelling(pdf, table.end(), END_OF_TRAILER)
        stream.seek(table.end())
        skip_over_whitespace(stream)
        reference = generic.TrailerReference(reader)  # type: ignore[no-untyped-call]
        trailer = generic.DictionaryObject.read_from_stream(stream, reference)
        return list(_of_table(table[1].splitlines())), trailer
    header = _HEADER.match(pdf, start)
    if header is None:
        raise PdfUnusableError("the document has cross-references in a spelling of its own")
    if start >= original:
        check_spelling(pdf, header.end(), _ENDS_OF_OBJECTS)
    stream.seek(header.end())
    skip_over_whitespace(stream)
    container = generic.Reference(int(header[1]), int(header[2]), reader)
    data = generic.StreamObject.read_from_stream(stream, container)
    return list(_of_stream(data)), data


def _of_table(lines: list[bytes]) -> Iterator[_Entry]:
    index = 0
    while index < len(lines):
        first, count = (int(word) for word in lines[index].split())
        for number, line in enumerate(lines[index + 1 : index + 1 + count], start=first):
            offset, generation, marker = line.split()
            yield _Entry(number, int(marker == b"n"), int(offset), int(generation))
        index += 1 + count


def _of_stream(stream: generic.StreamObject) -> Iterator[_Entry]:
    data = stream.read_data(DecodePurpose.XREF_STREAM)
    widths = [int(width) for width in stream["/W"]]
    # Poppler reads no wider numbers, and puts the document together from what it finds.
    if max(widths) > MAX_WIDTH or widths[0] > MAX_WIDTH // 2:
        raise PdfUnusableError("the document has cross-references that not all viewers read")
    index = [int(number) for number in stream.get("/Index", [0, stream["/Size"]])]
    position = 0
    for first, count in zip(index[::2], index[1::2], strict=True):
        for number in range(first, first + count):
            fields: list[int | None] = []
            for width in widths:
                end = position + width
                fields.append(int.from_bytes(data[position:end]) if width else None)
                position = end
            kind, offset, generation = fields
            yield _Entry(number, 1 if kind is None else kind, offset or 0, generation or 0)
