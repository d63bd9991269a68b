"""Cross-reference streams that some viewers find where an object should be, or cannot read."""

import re
from io import BytesIO

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from api.assertions.verification import Outcome
from tests.fixtures.pdf_attacks import attacked
from tests.fixtures.pdf_documents import TEXT, by_pyhanko, end, plain, specimen, stream, written
from tests.fixtures.pdf_office import PdfOffice

CONTENTS = 4


def by_stream(
    pdf: bytes,
    number: int,
    objects: dict[int, bytes],
    *,
    header: bytes = b"%d 0 obj",
    widths: tuple[int, int, int] = (1, 4, 2),
    entries: bytes = b"",
) -> bytes:
    """Append objects and a cross-reference stream that does not list itself, by any number."""
    body, offsets = written(objects, len(pdf))
    first, second, third = widths
    rows = b"".join(
        (1).to_bytes(first) + offset.to_bytes(second) + bytes(third) for offset in offsets.values()
    )
    known = [int(size) - 1 for size in re.findall(rb"/Size (\d+)", pdf)]
    trailer = b"/Type /XRef /Size %d /W [%d %d %d] /Index [%s] /Root %s 0 R /Prev %d " % (
        max(*known, number, *objects) + 1,
        *widths,
        b" ".join(b"%d 1" % one for one in objects),
        pdf[pdf.rindex(b"/Root") :].split()[1],
        int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0]),
    )
    section = header % number + b"\n" + stream(rows, trailer + entries) + b"\nendobj\n"
    return pdf + body + section + end(len(pdf) + len(body))


@pytest.mark.parametrize("widths", [(1, 4, 2), (1, 8, 2), (4, 8, 8)])
def test_a_stream_with_a_number_of_its_own_is_read(
    pdf_office: PdfOffice, widths: tuple[int, int, int]
) -> None:
    pdf = by_stream(pdf_office.attached(by_pyhanko()), 60, {61: b"<< >>"}, widths=widths)
    found = pdf_office.verify(pdf, signature_roots=[])
    assert found.outcome is Outcome.PASSED, found.checks


@pytest.mark.parametrize("widths", [(5, 4, 2), (1, 9, 2), (1, 50, 2)])
def test_a_stream_of_wide_numbers_is_refused(
    pdf_office: PdfOffice, widths: tuple[int, int, int]
) -> None:
    """Poppler cannot read it, and shows a page without what lies in object streams."""
    pdf = by_stream(pdf_office.attached(by_pyhanko()), 60, {61: b"<< >>"}, widths=widths)
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == ("pdf-unusable",)


def test_a_stream_in_a_spelling_of_its_own_is_refused(pdf_office: PdfOffice) -> None:
    attached = pdf_office.attached(by_pyhanko())
    pdf = by_stream(attached, 60, {61: b"<< >>"}, entries=b"%>> stream\n")
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == ("pdf-unusable",)


@pytest.mark.parametrize("header", [b"%d 0 obj", b"%d 1 obj"])
@pytest.mark.parametrize("number", [CONTENTS, 61])
def test_a_stream_with_the_number_of_an_object_is_refused(
    pdf_office: PdfOffice, number: int, header: bytes
) -> None:
    """MuPDF and Ghostscript take it for that object, though nothing lists it: another sum."""
    attached = pdf_office.attached(by_pyhanko())
    pdf = by_stream(attached, number, {61: b"<< >>"}, header=header)
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == ("pdf-unusable",)


def test_a_stream_with_the_number_of_a_new_field_is_refused(pdf_office: PdfOffice) -> None:
    """To some viewers it would be a stamp on the page."""

    def add_field(writer: IncrementalPdfFileWriter) -> None:
        append_signature_field(writer, SigFieldSpec("Extra", on_page=0))

    attached = attacked(pdf_office.attached(plain()), add_field)
    assert pdf_office.verify(attached, signature_roots=[]).outcome is Outcome.PASSED
    reader = PdfFileReader(BytesIO(attached))
    number = reader.root["/AcroForm"]["/Fields"].raw_get(0).idnum
    stamp = b"/Subtype /Stamp /Rect [50 700 400 750] /AP << /N 4 0 R >>"
    pdf = by_stream(attached, number, {90: b"<< >>"}, entries=stamp)
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == ("pdf-unusable",)


@pytest.mark.parametrize("header", [b"%d 0 obj", b"%d 1 obj"])
def test_a_stream_that_the_document_waits_for_is_refused(
    pdf_office: PdfOffice, header: bytes
) -> None:
    """A reference that leads nowhere is null, until MuPDF and Ghostscript find something there."""
    contents = specimen()[3].replace(b"/Contents 4 0 R", b"/Contents [4 0 R 60 0 R]")
    attached = pdf_office.attached(plain(specimen(page=contents)))
    assert pdf_office.verify(attached, signature_roots=[]).outcome is Outcome.PASSED
    pdf = by_stream(attached, 60, {61: b"<< >>"}, header=header)
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == ("pdf-unusable",)


def test_nothing_that_is_shown_moves_to_the_number_of_a_stream(pdf_office: PdfOffice) -> None:
    """The software that reads the older one there shows what that holds."""
    attached = pdf_office.attached(plain())
    moved = specimen()[3].replace(b"/Contents 4", b"/Contents 60")
    for number, reasons in ((59, ()), (60, ("pdf-page-changed",))):
        pdf = by_stream(attached, number, {62: b"<< >>"})
        pdf = by_stream(pdf, 63, {3: moved, 60: stream(TEXT)})
        assert pdf_office.verify(pdf, signature_roots=[]).reasons == reasons


@pytest.mark.parametrize(("length", "sign"), [(0, b"+"), (1, b"_"), (0, b"\x0b")])
def test_the_last_number_is_spelled_as_the_standard_has_it(
    pdf_office: PdfOffice, length: int, sign: bytes
) -> None:
    """Poppler finds no cross-references by it, and shows a page without what is in streams."""
    pdf = by_stream(pdf_office.attached(by_pyhanko()), 60, {61: b"<< >>"})
    at = pdf.rindex(b"startxref") + len(b"startxref\n") + length
    found = pdf_office.verify(pdf[:at] + sign + pdf[at:], signature_roots=[])
    assert found.reasons == ("pdf-unusable",)
