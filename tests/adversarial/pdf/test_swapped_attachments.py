"""Attachments and documents that stand where others were."""

from api.assertions.verification import Outcome
from api.pdf.attachment_names import ASSERTION
from tests.fixtures.pdf_attacks import attacked, swap
from tests.fixtures.pdf_documents import (
    OTHER_TEXT,
    plain,
    specimen,
    stream,
    update,
    with_attachments,
)
from tests.fixtures.pdf_office import PdfOffice


def test_an_attachment_of_the_document_itself_cannot_be_swapped(pdf_office: PdfOffice) -> None:
    pdf = pdf_office.attached(with_attachments())
    changed = attacked(pdf, swap("aaa.txt", b"something else"))
    assert pdf_office.verify(changed, signature_roots=[]).reasons == ("pdf-attachment-changed",)


def test_an_assertion_swapped_for_another_one_is_refused(
    pdf_office: PdfOffice, signed: bytes
) -> None:
    """The other one is genuine and for the same document, from another session."""
    document = plain()
    other = pdf_office.issue(document, nonce="another-session").encode()
    changed = attacked(signed, swap(ASSERTION, other))
    assert pdf_office.verify(changed).reasons == ("pdf-attachment-changed",)
    elsewhere = pdf_office.issue(plain(specimen(contents=stream(OTHER_TEXT)))).encode()
    changed = attacked(signed, swap(ASSERTION, elsewhere))
    assert pdf_office.verify(changed).reasons == ("pdf-revision-unknown",)


def test_an_assertion_for_another_session_is_told_by_its_nonce(pdf_office: PdfOffice) -> None:
    pdf = pdf_office.attached(plain(), pdf_office.issue(plain(), nonce="another-session"))
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == ("nonce-mismatch",)


def test_an_assertion_that_was_there_before_is_not_one_for_the_document(
    pdf_office: PdfOffice,
) -> None:
    """Revision 0 with an assertion in it: whose, and for what, nobody can tell."""
    inner = pdf_office.attached(plain())
    pdf = update(inner, {60: b"<< /Nothing true >>"})
    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED
    asserted = pdf_office.issue(inner)
    with_other = attacked(inner, swap(ASSERTION, asserted.encode()))
    reasons = pdf_office.verify(with_other, signature_roots=[]).reasons
    assert reasons == ("pdf-assertion-present",)


def test_a_changed_byte_of_the_document_is_refused(pdf_office: PdfOffice, signed: bytes) -> None:
    changed = signed.replace(b"1000000", b"9000000", 1)
    assert pdf_office.verify(changed).reasons == ("pdf-revision-unknown",)
    changed = signed.replace(b"%PDF-1.7", b"%PDF-1.6", 1)
    assert pdf_office.verify(changed).reasons == ("pdf-revision-unknown",)
    for changed in (b"\n" + signed, signed + b"%", signed + b"\n" * 12):
        assert pdf_office.verify(changed).reasons == ("pdf-unusable",)
