"""Form fields that are changed, or come later and may show something."""

from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.signers import PdfTimeStamper

from api.assertions.verification import Outcome
from api.pdf.timestamp_client import HttpTimeStamper
from tests.fixtures.pdf_attacks import Writer, attacked, dictionary, numbers, text
from tests.fixtures.pdf_documents import (
    OTHER_TEXT,
    with_reserved_field,
    with_text_field,
)
from tests.fixtures.pdf_office import PdfOffice


def test_a_form_field_that_is_changed_is_refused(pdf_office: PdfOffice) -> None:
    def change(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field["/V"] = generic.pdf_string("9000000")
        writer.update_container(field)

    def repaint(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        shown = text(OTHER_TEXT)
        shown["/Subtype"], shown["/BBox"] = pdf_name("/Form"), numbers(0, 0, 228, 20)
        field["/AP"] = dictionary(N=writer.add_object(shown))
        writer.update_container(field)

    def remove(writer: Writer) -> None:
        writer.root["/AcroForm"]["/Fields"] = generic.ArrayObject()
        writer.update_root()

    pdf = pdf_office.signed(pdf_office.attached(with_text_field()))
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    for attack in (change, repaint, remove):
        assert pdf_office.verify(attacked(pdf, attack)).reasons == ("pdf-form-changed",)


def test_a_reserved_field_that_grows_or_shows_without_a_signature_is_refused(
    pdf_office: PdfOffice,
) -> None:
    def grow(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field["/Rect"] = numbers(0, 0, 595, 842)
        writer.update_container(field)

    def show(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        shown = text(OTHER_TEXT)
        shown["/Subtype"], shown["/BBox"] = pdf_name("/Form"), numbers(0, 0, 250, 70)
        field["/AP"] = dictionary(N=writer.add_object(shown))
        writer.update_container(field)

    pdf = pdf_office.attached(with_reserved_field())
    for attack in (grow, show):
        reasons = pdf_office.verify(attacked(pdf, attack), signature_roots=[]).reasons
        assert reasons == ("pdf-form-changed",)
    signed = pdf_office.signed(pdf, field="Notary")
    for attack in (grow, show):
        assert pdf_office.verify(attacked(signed, attack)).reasons == ("pdf-form-changed",)


def test_a_timestamp_shows_nothing_in_a_reserved_field(pdf_office: PdfOffice) -> None:
    """Anybody can have a document timestamp, and put a picture into its field."""
    pdf = pdf_office.signed(pdf_office.attached(with_reserved_field()))
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    field = writer.root["/AcroForm"]["/Fields"][0]
    shown = text(OTHER_TEXT)
    shown["/Subtype"], shown["/BBox"] = pdf_name("/Form"), numbers(0, 0, 250, 70)
    field["/AP"] = dictionary(N=writer.add_object(shown))
    writer.update_container(field)
    stamper = PdfTimeStamper(HttpTimeStamper(pdf_office.tsa_url), field_name="Notary")
    out = stamper.timestamp_pdf(writer, "sha256")
    verification = pdf_office.verify(out.getvalue())
    assert verification.reasons == ("pdf-signature-visible",)


def add_field(pdf: bytes, **entries: generic.PdfObject) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    append_signature_field(writer, SigFieldSpec("Extra", on_page=0))
    field = writer.root["/AcroForm"]["/Fields"][-1]
    for name, value in entries.items():
        field[f"/{name}"] = value
    writer.update_container(field)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_plain_new_field_is_allowed(pdf_office: PdfOffice, attached: bytes) -> None:
    found = pdf_office.verify(add_field(attached), signature_roots=[])
    assert found.outcome is Outcome.PASSED, found.checks


@pytest.mark.parametrize("kind", ["Text", "FreeText", "Stamp", "FileAttachment", "Link", "Ink"])
def test_a_field_of_another_kind_of_annotation_is_refused(
    pdf_office: PdfOffice, attached: bytes, kind: str
) -> None:
    """Evil annotations: viewers draw an icon of fixed size for a note, however small its box."""
    pdf = add_field(attached, Subtype=pdf_name(f"/{kind}"), Rect=numbers(100, 720, 100, 720))
    found = pdf_office.verify(pdf, signature_roots=[])
    assert found.reasons == ("pdf-form-changed",)


@pytest.mark.parametrize(
    "entries",
    [
        {"BS": generic.DictionaryObject({"/W": generic.NumberObject(80)})},
        {"Border": numbers(0, 0, 80)},
        {"MK": generic.DictionaryObject({"/BC": numbers(1, 1, 1)})},
        {"MK": generic.DictionaryObject({"/BG": numbers(1, 1, 1)})},
        {"Parent": generic.NullObject()},
        {"A": generic.DictionaryObject({"/S": pdf_name("/JavaScript")})},
    ],
)
def test_a_field_that_viewers_paint_themselves_is_refused(
    pdf_office: PdfOffice, attached: bytes, entries: dict[str, generic.PdfObject]
) -> None:
    """A line of no height with a border of 80 points covers a paragraph."""
    pdf = add_field(attached, Rect=numbers(60, 720, 400, 720), **entries)
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == ("pdf-form-changed",)


def test_a_box_of_no_numbers_is_not_flat(pdf_office: PdfOffice, attached: bytes) -> None:
    for side in (generic.NullObject(), pdf_name("/a"), generic.pdf_string("1")):
        box = generic.ArrayObject([side, generic.NumberObject(0), side, generic.NumberObject(9)])
        found = pdf_office.verify(add_field(attached, Rect=box), signature_roots=[])
        assert found.outcome is Outcome.FAILED
