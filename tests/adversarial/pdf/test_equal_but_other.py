"""Later revisions that hold what the document held, object by object, and show something else."""

from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from api.assertions.verification import Outcome
from api.pdf.errors import PdfUnusableError
from tests.fixtures.pdf_documents import OTHER_TEXT, TEXT, plain, specimen, stream, update
from tests.fixtures.pdf_office import PdfOffice

PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>"
FONT = b"/Font << /F1 5 0 R >> "


def document(resources: bytes, **others: bytes) -> dict[int, bytes]:
    return specimen(page=PAGE % (b"<< " + FONT + resources + b" >>"), **others)


def layered() -> dict[int, bytes]:
    """Two layers of the same name show two sums; a list says which of them is on."""
    layers = b"/OCProperties << /OCGs [10 0 R 11 0 R] /D 12 0 R >>"
    objects = document(
        b"/Properties << /A 10 0 R /B 11 0 R >>",
        catalogue=b"<< /Type /Catalog /Pages 2 0 R %s >>" % layers,
    )
    objects[4] = stream(b"/OC /A BDC %s EMC /OC /B BDC %s EMC" % (TEXT, OTHER_TEXT))
    layer = b"<< /Type /OCG /Name (x) >>"
    return {**objects, 10: layer, 11: layer, 12: b"<< /ON [11 0 R] >>"}


def with_palette() -> dict[int, bytes]:
    """A palette is a string, which can be read as text."""
    return {
        **document(b"/ColorSpace << /C 10 0 R >>"),
        10: b"[/Indexed /DeviceRGB 1 (abcabc)]",
    }


def with_hidden_picture() -> dict[int, bytes]:
    """The page paints /#E9, and has a picture named /#C3#A9, which reads the same in UTF-8."""
    form = stream(OTHER_TEXT, b"/Type /XObject /Subtype /Form /BBox [0 0 500 800]")
    objects = document(b"/XObject 10 0 R", contents=stream(b"/#E9 Do"))
    return {**objects, 10: b"<< /#C3#A9 11 0 R >>", 11: form}


@pytest.mark.parametrize(
    ("objects", "changes", "reason"),
    [
        (layered(), {12: b"<< /ON [10 0 R] >>"}, "pdf-changed"),
        (layered(), {12: b"<< /ON [<< /Type /OCG /Name (x) >>] >>"}, "pdf-changed"),
        (
            with_palette(),
            {10: b"[/Indexed /DeviceRGB 1 <feff006100620063006100620063>]"},
            "pdf-page-changed",
        ),
        (
            with_palette(),
            {10: b"[/Indexed /DeviceRGB 1 <efbbbf616263616263>]"},
            "pdf-page-changed",
        ),
        (with_hidden_picture(), {10: b"<< /#E9 11 0 R >>"}, "pdf-page-changed"),
    ],
    ids=["layer", "direct layer", "palette in UTF-16", "palette in UTF-8", "name"],
)
def test_what_reads_the_same_and_shows_something_else_is_refused(
    pdf_office: PdfOffice, objects: dict[int, bytes], changes: dict[int, bytes], reason: str
) -> None:
    pdf = pdf_office.attached(plain(objects))
    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED
    # Written again as it was, it is still the document.
    again = update(pdf, {number: objects[number] for number in (2, 3, 4, 5)})
    assert pdf_office.verify(again, signature_roots=[]).outcome is Outcome.PASSED
    found = pdf_office.verify(update(pdf, changes), signature_roots=[])
    assert found.reasons == (reason,)


def test_a_direct_object_does_not_become_one_of_the_others(pdf_office: PdfOffice) -> None:
    """A layer that is no object of its own is none, until it is the one that the page shows."""
    objects = {**layered(), 12: b"<< /ON [<< /Type /OCG /Name (x) >>] >>"}
    pdf = pdf_office.attached(plain(objects))
    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED
    hidden = update(pdf, {12: b"<< /ON [10 0 R] >>"})
    assert pdf_office.verify(hidden, signature_roots=[]).reasons == ("pdf-changed",)


def test_nothing_is_appended_that_would_not_verify(pdf_office: PdfOffice) -> None:
    """A page that is there twice; a page that names are in which cannot be written again."""
    twice = plain(specimen(pages=b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>"))
    with pytest.raises(PdfUnusableError):
        pdf_office.attached(twice)
    page = PAGE % b"<< /Font << /#E9 5 0 R >> >>"
    pdf = pdf_office.attached(plain(specimen(page=page)))
    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED
    with pytest.raises(PdfUnusableError):
        pdf_office.signed(pdf)


def test_a_document_with_names_and_text_in_any_encoding_is_signed(pdf_office: PdfOffice) -> None:
    """What is not written again stays as it is; what the signature writes again is text."""
    objects = with_hidden_picture()
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R /Lang <feff00760069> /MarkInfo << >> >>"
    pdf = pdf_office.signed(pdf_office.attached(plain(objects)))
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    lang = IncrementalPdfFileWriter(BytesIO(pdf)).root["/Lang"]
    assert isinstance(lang, generic.TextStringObject)
    assert lang.original_bytes == b"vi", "pyHanko keeps encodings now: then compare bytes"
