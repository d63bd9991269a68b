"""Signatures that are moved, copied, left out, changed, or of somebody else."""

import re

import pytest

from api.assertions.verification import Outcome
from api.pdf.attachment_names import ASSERTION
from tests.fixtures.pdf_attacks import attach_as, attacked
from tests.fixtures.pdf_documents import (
    plain,
    update,
)
from tests.fixtures.pdf_office import PdfOffice, Person
from tests.fixtures.timestamp_authority import Ca


@pytest.fixture(scope="module")
def stamped(pdf_office: PdfOffice, attached: bytes) -> bytes:
    """The notary's signature with a timestamp, by other software."""
    return pdf_office.basic(attached, pdf_office.notary)


def test_a_signature_that_is_written_again_does_not_cover_more(
    pdf_office: PdfOffice, stamped: bytes
) -> None:
    """Wrapping: the same signed bytes, the signature longer by so much as was appended.

    Source: Mladenov et al. (CCS 2019), signature wrapping.
    """
    pdf = stamped
    found = re.search(rb"(\d+) 0 obj\n<<(?:(?!endobj).)*?/ByteRange.*?endobj\n", pdf, re.DOTALL)
    assert found is not None
    number, body = int(found[1]), found[0]
    contents = re.search(rb"/Contents <([0-9a-fA-F]+)>", body)
    assert contents is not None
    copied = body[body.index(b"<<") : body.rindex(b"endobj")]
    for _ in range(4):  # until the padding is as long as the whole revision
        wrapped = update(pdf, {number: copied})
        padding = b"0" * (len(wrapped) - len(pdf))
        longer = contents[1] + padding
        copied = body[body.index(b"<<") : body.rindex(b"endobj")].replace(contents[1], longer)
    assert pdf_office.verify(update(pdf, {number: copied})).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "numbers",
    [
        *("0 0 0 0", "0 -1 5 5", "1 {a} {b} {c}", "0 {a} {b}", "0 {a} {a} {c}", "0 {b} {a} {c}"),
        *("0 {a} {b} 99999999999", "0 {a} {b} {c} 0 0", "0 {c} {b} {a}", "(0) {a} {b} {c}", "{a}"),
    ],
)
def test_odd_byte_ranges_are_refused(pdf_office: PdfOffice, stamped: bytes, numbers: str) -> None:
    """Written into the file, and again by a later revision, where no digest covers it."""
    pdf = stamped
    found = re.search(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\] *", pdf)
    assert found is not None, "the writer has changed"
    a, b, c = (int(one) for one in found.groups())
    odd = b"/ByteRange [%s]" % numbers.format(a=a, b=b, c=c).encode()
    changed = pdf.replace(found[0], odd.ljust(len(found[0]))[: len(found[0])], 1)
    assert pdf_office.verify(changed).outcome is Outcome.FAILED
    begin = pdf.rindex(b" 0 obj", 0, found.start())
    number = int(pdf[pdf.rindex(b"\n", 0, begin) + 1 : begin])
    body = pdf[begin + 7 : pdf.index(b"endobj", found.end())].replace(found[0], odd)
    assert pdf_office.verify(update(pdf, {number: body})).outcome is Outcome.FAILED


def test_a_second_signature_value_is_refused(pdf_office: PdfOffice, stamped: bytes) -> None:
    pdf = stamped
    at = pdf.rindex(b"/Contents <")
    for extra in (b"/Contents <00> ", b"/Contents (x) ", b"/Cont#65nts <00> "):
        changed = pdf[:at] + extra + pdf[at:]
        assert pdf_office.verify(changed).outcome is Outcome.FAILED


def test_a_changed_byte_under_a_signature_is_refused(
    pdf_office: PdfOffice, signed: bytes, attached: bytes
) -> None:
    """In the timestamp token, in what later revisions hold, in the signature itself."""
    verification = pdf_office.verify(signed)
    notary, stamp = verification.signatures
    position = signed.index(b"/SigFlags")
    changed = signed[:position] + b"/sigFlags" + signed[position + 9 :]
    assert pdf_office.verify(changed).outcome is Outcome.FAILED
    position = signed.index(b"/Contents <", len(attached) - 2000) + 400
    flipped = b"0" if signed[position : position + 1] != b"0" else b"1"
    changed = signed[:position] + flipped + signed[position + 1 :]
    assert pdf_office.verify(changed).outcome is Outcome.FAILED
    # Between the notary's signature and the document timestamp lie the validation data.
    position = signed.index(b"/Certs", notary.end)
    assert position < stamp.end
    changed = signed[:position] + b"/certs" + signed[position + 6 :]
    assert pdf_office.verify(changed).reasons == ("pdf-signature-broken",)


def test_signatures_cannot_be_left_out(
    pdf_office: PdfOffice, signed: bytes, attached: bytes
) -> None:
    assert pdf_office.verify(attached).reasons == ("pdf-signature-missing",)
    assert pdf_office.verify(signed[: len(attached) + 1]).outcome is Outcome.FAILED


def test_a_signature_from_before_the_assertion_does_not_cover_it(pdf_office: PdfOffice) -> None:
    document = plain()
    assertion = pdf_office.issue(document)
    early = pdf_office.signed(document)
    # `attach` refuses this order; somebody else's software need not.
    late = attacked(early, attach_as(ASSERTION, assertion.encode()))
    reasons = pdf_office.verify(late).reasons
    assert "pdf-signature-before-assertion" in reasons


def test_a_signature_of_somebody_else_does_not_count(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    stranger = Person(Ca("Gốc chữ ký mẫu"), None)  # the same name, another key
    pdf = pdf_office.signed(attached, stranger.signer, signature_roots=[stranger.authority.pem])
    assert pdf_office.verify(pdf).reasons == ("pdf-signature-untrusted",)
    both = pdf_office.signed(pdf)
    assert pdf_office.verify(both).reasons == ("pdf-signature-untrusted",)


def test_timestamps_of_somebody_else_prove_no_time(pdf_office: PdfOffice, signed: bytes) -> None:
    other = Ca("Gốc dấu thời gian mẫu")
    verification = pdf_office.verify(signed, timestamp_roots=[other.pem])
    assert verification.outcome is Outcome.FAILED
    assert "timestamp-unpinned-root" in verification.reasons
    assert all(signature.time is None for signature in verification.signatures)
