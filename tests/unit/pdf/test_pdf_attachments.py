"""Attaching: what is added, where, and which documents it is refused for."""

import hashlib

import pytest
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

from api.assertions.errors import AssertionMalformedError
from api.assertions.timestamp_errors import TimestampImprintError, TimestampMalformedError
from api.errors import InputUnusableError
from api.pdf.attachment_names import ASSERTION, TIMESTAMP
from api.pdf.attachments import CarriedAssertion, assertions_of, attach
from api.pdf.embedded_files import embedded_files
from api.pdf.errors import (
    PdfAssertionPresentError,
    PdfCertifiedError,
    PdfNotBoundError,
    PdfUnusableError,
)
from api.pdf.reading import entry, open_pdf
from api.pdf.sheet import make_sheet
from tests.fixtures.pdf_documents import HONEST, plain, specimen, with_attachments
from tests.fixtures.pdf_office import PdfOffice


@pytest.mark.parametrize("kind", HONEST)
def test_the_document_stays_as_it_is(pdf_office: PdfOffice, kind: str) -> None:
    document = HONEST[kind]()
    assertion = pdf_office.issue(document)
    token = pdf_office.tsa.token(hashlib.sha256(assertion.encode()).digest())
    pdf = attach(document, assertion, token)
    assert pdf.startswith(document)
    reader = open_pdf(pdf)
    assert assertions_of(reader) == (CarriedAssertion(assertion.encode(), token),)


def test_names_are_sorted_and_types_are_told(pdf_office: PdfOffice) -> None:
    document = with_attachments()
    reader = open_pdf(pdf_office.attached(document))
    files = embedded_files(reader)
    # "phụ lục.txt" is in UTF-16, whose byte order mark sorts behind all ASCII.
    assert list(files) == ["aaa.txt", ASSERTION, TIMESTAMP, "zzz.csv", "phụ lục.txt"]
    specification = files[ASSERTION].get_object()
    stream = entry(reader, entry(reader, specification, "/EF"), "/F")
    assert str(entry(reader, stream, "/Subtype")) == "/application/dc+sd-jwt"
    assert str(entry(reader, specification, "/AFRelationship")) == "/Supplement"
    assert len(reader.root["/AF"]) == 2


def test_attaching_is_refused_for_another_document(pdf_office: PdfOffice) -> None:
    with pytest.raises(PdfNotBoundError):
        attach(plain(), pdf_office.issue(HONEST["fpdf2"]()))
    with pytest.raises(AssertionMalformedError):
        attach(plain(), "no assertion")


def test_a_token_for_something_else_is_not_attached(pdf_office: PdfOffice) -> None:
    assertion = pdf_office.issue(plain())
    with pytest.raises(TimestampMalformedError):
        attach(plain(), assertion, b"token")
    with pytest.raises(TimestampImprintError):
        attach(plain(), assertion, pdf_office.tsa.token(bytes(32)))


def test_attaching_twice_is_refused(pdf_office: PdfOffice) -> None:
    once = attach(plain(), pdf_office.issue(plain()))
    with pytest.raises(PdfNotBoundError):
        attach(once, pdf_office.issue(plain()))
    with pytest.raises(PdfAssertionPresentError):
        attach(once, pdf_office.issue(once))


@pytest.mark.parametrize("form", [b"/XFA (x)", b"/NeedAppearances true"])
def test_forms_that_viewers_fill_in_themselves_are_refused(
    pdf_office: PdfOffice, form: bytes
) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] %s >> >>" % form
    document = plain(specimen(catalogue=catalogue))
    with pytest.raises(PdfUnusableError):
        attach(document, pdf_office.issue(document))


def test_a_certified_document_is_refused(pdf_office: PdfOffice) -> None:
    from io import BytesIO

    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    metadata = PdfSignatureMetadata(
        field_name="Author", certify=True, docmdp_permissions=MDPPerm.FILL_FORMS
    )
    out = PdfSigner(metadata, pdf_office.notary.signer).sign_pdf(
        IncrementalPdfFileWriter(BytesIO(plain()))
    )
    document = out.getvalue()
    with pytest.raises(PdfCertifiedError):
        attach(document, pdf_office.issue(document))


def test_the_sheet_holds_address_and_hash_and_nobodys_name(pdf_office: PdfOffice) -> None:
    zxing = pytest.importorskip("zxingcpp")
    import shutil
    import subprocess
    import tempfile
    from pathlib import Path

    from PIL import Image

    if shutil.which("pdftoppm") is None:
        pytest.skip("poppler-utils is not installed")
    document = plain()
    assertion = pdf_office.issue(document).encode()
    url = "https://office.example/a/1"
    sheet = make_sheet(document, [assertion], url=url)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sheet.pdf"
        file.write_bytes(sheet)
        base = Path(folder) / "sheet"
        subprocess.run(["pdftoppm", "-r", "100", "-png", file, base], check=True, timeout=60)
        (picture,) = Path(folder).glob("*.png")
        with Image.open(picture) as image:
            # Among all kinds, the reader now and then takes digits in the text for a bar code.
            (code,) = zxing.read_barcodes(image.convert("L"), formats=zxing.BarcodeFormat.QRCode)
        text = subprocess.run(
            ["pdftotext", file, "-"], check=True, timeout=60, capture_output=True, text=True
        ).stdout
    assert code.text == f"{url}#sha256={hashlib.sha256(assertion).hexdigest()}"
    assert hashlib.sha256(document).hexdigest() in text.replace(" ", "")
    for personal in ("NGUYỄN", "079200000001", "HS-2026-1"):
        assert personal not in text


@pytest.mark.parametrize(
    "url",
    ["http://a.example", "https://", "ftp://a", "https://a.example/#x", "https://a/" + "x" * 600],
)
def test_the_sheet_wants_a_fit_address(pdf_office: PdfOffice, url: str) -> None:
    with pytest.raises(InputUnusableError):
        make_sheet(plain(), [pdf_office.issue(plain()).encode()], url=url)
    with pytest.raises(PdfNotBoundError):
        make_sheet(b"x", [pdf_office.issue(plain()).encode()], url="https://a.example")
