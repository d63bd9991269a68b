"""Whole documents: attached, signed twice, verified here and by poppler, however they were made."""

import hashlib
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from api.assertions.verification import Outcome
from api.pdf.signatures import Level
from tests.fixtures.pdf_documents import HONEST, plain, with_reserved_field
from tests.fixtures.pdf_office import PdfOffice, Person
from tests.fixtures.timestamp_authority import Ca


def poppler(pdf: bytes, folder: Path) -> str:
    """Return what `pdfsig` says of a document."""
    if shutil.which("pdfsig") is None:
        pytest.skip("poppler-utils is not installed")
    file = folder / "signed.pdf"
    file.write_bytes(pdf)
    run = subprocess.run(["pdfsig", "-nocert", file], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("kind", HONEST)
def test_documents_of_all_kinds_are_signed_and_verified(
    pdf_office: PdfOffice, tmp_path: Path, kind: str
) -> None:
    document = HONEST[kind]()
    attached = pdf_office.attached(document)
    assert attached.startswith(document)
    pdf = pdf_office.signed(attached)
    assert pdf.startswith(attached)
    verification = pdf_office.verify(pdf)
    assert verification.outcome is Outcome.PASSED, verification.checks
    assert verification.revision_0 == document
    told = poppler(pdf, tmp_path)
    assert told.count("Signature is Valid") == 1, told
    assert "Signature is Invalid" not in told


def test_notary_and_organisation_sign_for_the_long_term(
    pdf_office: PdfOffice, tmp_path: Path
) -> None:
    pdf = pdf_office.signed(pdf_office.attached(plain()))
    pdf = pdf_office.signed(pdf, pdf_office.organisation.signer)
    for at in (None, datetime.now(UTC) + timedelta(days=3 * 365)):
        verification = pdf_office.verify(pdf, at=at)
        assert verification.outcome is Outcome.PASSED, verification.checks
    people = [s for s in verification.signatures if not s.is_timestamp]
    assert [s.level for s in people] == [Level.LTA, Level.LTA]
    assert all(s.time is not None and s.reason is None for s in people)
    assert "Mẫu" not in repr(verification)
    assert poppler(pdf, tmp_path).count("Signature is Valid") == 2


def test_a_notary_may_sign_first(pdf_office: PdfOffice, tmp_path: Path) -> None:
    document = pdf_office.signed(plain())
    pdf = pdf_office.signed(pdf_office.attached(document), pdf_office.organisation.signer)
    verification = pdf_office.verify(pdf)
    assert verification.outcome is Outcome.PASSED, verification.checks
    assert verification.revision_0 == document
    assert poppler(pdf, tmp_path).count("Signature is Valid") == 2


def test_a_signature_fills_the_field_that_the_document_reserves(pdf_office: PdfOffice) -> None:
    attached = pdf_office.attached(with_reserved_field())
    pdf = pdf_office.signed(attached, field="Notary")
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    # What it shows is worth as much as who signed it, and that nobody asked here.
    unknown = pdf_office.verify(pdf, signature_roots=[])
    assert (unknown.outcome, unknown.reasons) == (
        Outcome.INDETERMINATE,
        ("pdf-signature-root-not-given",),
    )
    stranger = Person(Ca("Gốc khác"), None)
    forged = pdf_office.signed(
        attached, stranger.signer, field="Notary", signature_roots=[stranger.authority.pem]
    )
    assert "pdf-signature-untrusted" in pdf_office.verify(forged).reasons


def test_a_visible_signature_tells_its_signer_and_where_to_look(
    pdf_office: PdfOffice, tmp_path: Path
) -> None:
    zxing = pytest.importorskip("zxingcpp")
    if shutil.which("pdftoppm") is None:
        pytest.skip("poppler-utils is not installed")
    document = with_reserved_field()
    assertion = pdf_office.issue(document)
    url = "https://office.example/a/1"
    attached = pdf_office.attached(document, assertion)
    pdf = pdf_office.signed(attached, field="Notary", url=url)
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    file = tmp_path / "visible.pdf"
    file.write_bytes(pdf)
    draw = ["pdftoppm", "-r", "200", "-png", file, tmp_path / "visible"]
    subprocess.run(draw, check=True, timeout=60)
    (picture,) = tmp_path.glob("visible*.png")
    with Image.open(picture) as image:
        (code,) = zxing.read_barcodes(image.convert("L"))
    digest = hashlib.sha256(assertion.encode()).hexdigest()
    assert code.text == f"{url}#sha256={digest}"
    told = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, timeout=60)
    assert "CCV Nguyễn Thị Mẫu" in told.stdout


def test_without_roots_of_signers_the_assertion_alone_counts(pdf_office: PdfOffice) -> None:
    for pdf in (pdf_office.attached(plain()), pdf_office.signed(pdf_office.attached(plain()))):
        verification = pdf_office.verify(pdf, signature_roots=[])
        assert verification.outcome is Outcome.PASSED, verification.checks
    with pytest.raises(TypeError):
        bool(verification)


def test_an_assertion_for_two_documents_wants_both(pdf_office: PdfOffice) -> None:
    document, other = plain(), HONEST["fpdf2"]()
    pdf = pdf_office.attached(document, pdf_office.issue(other, document))
    asked = {"signature_roots": []}
    assert pdf_office.verify(pdf, **asked).outcome is Outcome.INDETERMINATE
    assert pdf_office.verify(pdf, documents=[other], **asked).outcome is Outcome.PASSED
    assert "document-changed" in pdf_office.verify(pdf, documents=[b"x"], **asked).reasons


def test_the_longest_document_of_an_assertion_is_revision_0(pdf_office: PdfOffice) -> None:
    """An assertion for a document and for its next revision, which begins with it."""
    document = plain()
    next_one = HONEST["two revisions"]()
    assert next_one.startswith(document)
    pdf = pdf_office.attached(next_one, pdf_office.issue(document, next_one))
    found = pdf_office.verify(pdf, documents=[document], signature_roots=[])
    assert found.outcome is Outcome.PASSED, found.reasons
    assert found.revision_0 == next_one


def test_a_page_looks_the_same_before_and_after(pdf_office: PdfOffice, tmp_path: Path) -> None:
    if shutil.which("pdftoppm") is None:
        pytest.skip("poppler-utils is not installed")
    document = HONEST["fpdf2"]()
    pictures = []
    for name, pdf in (("a", document), ("b", pdf_office.signed(pdf_office.attached(document)))):
        (tmp_path / f"{name}.pdf").write_bytes(pdf)
        subprocess.run(
            ["pdftoppm", "-r", "50", tmp_path / f"{name}.pdf", tmp_path / name],
            check=True,
            timeout=60,
        )
        pictures.append([file.read_bytes() for file in sorted(tmp_path.glob(f"{name}-*.ppm"))])
    assert pictures[0] and pictures[0] == pictures[1]


def test_poppler_lists_the_attachments(pdf_office: PdfOffice, tmp_path: Path) -> None:
    if shutil.which("pdfdetach") is None:
        pytest.skip("poppler-utils is not installed")
    document = HONEST["attachments"]()
    assertion = pdf_office.issue(document)
    file = tmp_path / "a.pdf"
    file.write_bytes(pdf_office.attached(document, assertion))
    told = subprocess.run(
        ["pdfdetach", "-list", file], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    names = re.findall(r"^\d+: (.+)$", told, re.MULTILINE)
    assert {"assertion.sd-jwt", "assertion.tst", "aaa.txt", "zzz.csv", "phụ lục.txt"} == set(names)
    number = str(names.index("assertion.sd-jwt") + 1)
    out = tmp_path / "out"
    subprocess.run(["pdfdetach", "-save", number, "-o", out, file], check=True, timeout=60)
    assert out.read_text() == assertion
