"""Documents that can show something else than they show: refused before anything is bound."""

import pytest

from api.assertions.verification import Outcome
from api.pdf.attachments import attach, check_document
from api.pdf.errors import PdfActiveContentError
from api.pdf.signing import sign
from tests.fixtures.pdf_active import ACTIVE, STATIC, document
from tests.fixtures.pdf_attacks import attached_anyway
from tests.fixtures.pdf_office import PdfOffice

NOT_ASKED = "http://127.0.0.1:9/"


@pytest.mark.parametrize("kind", ACTIVE)
def test_active_content_is_neither_bound_nor_signed_nor_verified(
    pdf_office: PdfOffice, kind: str
) -> None:
    active = ACTIVE[kind]
    assertion = pdf_office.issue(active)
    with pytest.raises(PdfActiveContentError, match=r"the document holds .*print it to PDF/A"):
        attach(active, assertion)
    with pytest.raises(PdfActiveContentError):
        check_document(active)
    forced = attached_anyway(active, assertion)
    with pytest.raises(PdfActiveContentError):
        sign(
            forced,
            pdf_office.notary.signer,
            tsa_url=NOT_ASKED,
            signature_roots=[pdf_office.people.pem],
            timestamp_roots=[pdf_office.tsa.root.pem],
        )
    found = pdf_office.verify(forced, signature_roots=[])
    assert (found.outcome, found.reasons) == (Outcome.FAILED, ("pdf-active-content",))


@pytest.mark.parametrize("kind", STATIC)
def test_what_changes_nothing_is_left_alone(pdf_office: PdfOffice, kind: str) -> None:
    pdf = pdf_office.signed(pdf_office.attached(STATIC[kind]))
    found = pdf_office.verify(pdf)
    assert found.outcome is Outcome.PASSED, found.checks


def test_what_a_document_says_is_not_in_the_reason(pdf_office: PdfOffice) -> None:
    active = document(b"/OpenAction << /S /Nguyen /JS (Nguyen) >>")
    with pytest.raises(PdfActiveContentError) as caught:
        attach(active, pdf_office.issue(active))
    assert "Nguyen" not in str(caught.value)


CIRCLES = {
    "bookmarks": document(b"/Outlines << /First 6 0 R >>", o6=b"<< /Title (a) /Next 6 0 R >>"),
    "fields": document(b"/AcroForm << /Fields [6 0 R] >>", o6=b"<< /T (a) /Parent 6 0 R >>"),
    "jumps": document(b"/OpenAction 6 0 R", o6=b"<< /S /GoTo /D [3 0 R /Fit] /Next [6 0 R] >>"),
}


@pytest.mark.parametrize("kind", CIRCLES)
def test_circles_end(pdf_office: PdfOffice, kind: str) -> None:
    pdf = pdf_office.attached(CIRCLES[kind])
    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED
