"""Signature fields that show a picture beside a signature that is not theirs, or is nobody's."""

from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.signers import PdfTimeStamper

from api.assertions.verification import Outcome
from api.pdf.timestamp_client import HttpTimeStamper
from tests.fixtures.pdf_documents import OTHER_TEXT, plain, with_reserved_field
from tests.fixtures.pdf_office import PdfOffice


def field_of(writer: IncrementalPdfFileWriter, name: str) -> generic.DictionaryObject:
    fields = writer.root["/AcroForm"]["/Fields"]
    found: generic.DictionaryObject = next(
        fields[index] for index in range(len(fields)) if fields[index]["/T"] == name
    )
    return found


def paint(writer: IncrementalPdfFileWriter, field: generic.DictionaryObject) -> None:
    picture = generic.StreamObject(stream_data=OTHER_TEXT)
    picture["/Subtype"] = pdf_name("/Form")
    box = [generic.NumberObject(number) for number in (0, 0, 250, 70)]
    picture["/BBox"] = generic.ArrayObject(box)
    field["/AP"] = generic.DictionaryObject({"/N": writer.add_object(picture)})
    writer.update_container(field)


def written(writer: IncrementalPdfFileWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def signed(pdf_office: PdfOffice) -> bytes:
    """The notary signed, and left the reserved field for the organisation."""
    pdf = pdf_office.signed(pdf_office.attached(with_reserved_field()))
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    return pdf


def test_a_reserved_field_does_not_borrow_another_ones_signature(
    pdf_office: PdfOffice, signed: bytes
) -> None:
    """Nothing signs the picture: the signature is genuine, whole, and from before."""
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    field = field_of(writer, "Notary")
    field["/V"] = field_of(writer, "Signature1").raw_get("/V")
    paint(writer, field)
    assert pdf_office.verify(written(writer)).reasons == ("pdf-unusable",)


def test_one_signature_does_not_count_twice(pdf_office: PdfOffice, signed: bytes) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    append_signature_field(writer, SigFieldSpec("Organisation", on_page=0))
    field = field_of(writer, "Organisation")
    field["/V"] = field_of(writer, "Signature1").raw_get("/V")
    writer.update_container(field)
    assert pdf_office.verify(written(writer)).reasons == ("pdf-unusable",)


def test_a_picture_that_follows_the_signature_is_refused(
    pdf_office: PdfOffice, signed: bytes
) -> None:
    """The field is filled, by a copy of the signature that covers what the first one does."""
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    field = field_of(writer, "Notary")
    value = field_of(writer, "Signature1")["/V"]
    copy = generic.DictionaryObject({key: value.raw_get(key) for key in value})
    field["/V"] = writer.add_object(copy)
    paint(writer, field)
    assert pdf_office.verify(written(writer)).outcome is Outcome.FAILED


def test_an_invisible_field_shows_nothing_without_a_signature_of_a_person(
    pdf_office: PdfOffice,
) -> None:
    """Its box has no area; what viewers make of a picture in it, nobody can tell."""
    pdf = pdf_office.attached(with_reserved_field((300, 50, 300, 50)))
    signed = pdf_office.signed(pdf, field="Notary")
    assert pdf_office.verify(signed).outcome is Outcome.PASSED
    assert pdf_office.verify(signed, signature_roots=[]).outcome is Outcome.PASSED
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    paint(writer, field_of(writer, "Notary"))
    stamper = PdfTimeStamper(HttpTimeStamper(pdf_office.tsa_url), field_name="Notary")
    stamped = stamper.timestamp_pdf(writer, "sha256").getvalue()
    found = pdf_office.verify(stamped, signature_roots=[])
    assert found.reasons == ("pdf-signature-visible",)


def test_a_reserved_field_is_left_to_whom_it_is_for(pdf_office: PdfOffice) -> None:
    """Many programs name the fields that they reserve Signature1, Signature2 and so on."""
    writer = IncrementalPdfFileWriter(BytesIO(plain()))
    append_signature_field(writer, SigFieldSpec("Signature1", on_page=0, box=(300, 50, 550, 120)))
    pdf = pdf_office.signed(pdf_office.attached(written(writer)))
    found = pdf_office.verify(pdf)
    assert found.outcome is Outcome.PASSED
    assert found.signatures[0].field_name == "Signature2"
    both = pdf_office.verify(pdf_office.signed(pdf, field="Signature1"))
    assert both.outcome is Outcome.PASSED
