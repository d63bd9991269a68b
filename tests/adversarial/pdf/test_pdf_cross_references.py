"""Cross-references that leave out, reach beyond, or show other objects to other viewers."""

from collections.abc import Callable

import pytest
from pyhanko.pdf_utils import generic

from api.assertions.verification import Outcome
from tests.fixtures.pdf_attacks import Writer, annotate, attacked
from tests.fixtures.pdf_documents import (
    OTHER_TEXT,
    by_pyhanko,
    end,
    hybrid,
    plain,
    specimen,
    stream,
    update,
)
from tests.fixtures.pdf_office import PdfOffice


def test_an_older_revision_cannot_be_skipped(pdf_office: PdfOffice, attached: bytes) -> None:
    """A last cross-reference section without /Prev leaves nothing of the first document."""
    objects = specimen(contents=stream(OTHER_TEXT))
    whole = update(attached, objects, trailer=b"/Root 1 0 R /Size 201")
    assert pdf_office.verify(whole, signature_roots=[]).outcome is Outcome.FAILED


def test_objects_that_reach_beyond_the_document_are_refused(pdf_office: PdfOffice) -> None:
    """Revision 0 lists an object where only a later revision will put it."""
    document = plain()
    beyond = len(document) + 20
    at = document.index(b"4 1\n") + 4
    document = document[:at] + b"%010d" % beyond + document[at + 10 :]
    assertion = pdf_office.issue(document)
    prepared = document + b"%" + b" " * 18 + b"\n" + b"4 0 obj\n" + stream(OTHER_TEXT)
    prepared += b"\nendobj\n"
    pdf = update(
        prepared + end(int(document[document.rindex(b"startxref") + 9 :].split()[0])),
        {
            1: b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names "
            b"[(assertion.sd-jwt) 20 0 R] >> >> >>",
            20: b"<< /Type /Filespec /F (assertion.sd-jwt) /EF << /F 21 0 R >> >>",
            21: stream(assertion.encode()),
        },
    )
    verification = pdf_office.verify(pdf, signature_roots=[])
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons == ("pdf-unusable",)


@pytest.mark.parametrize("document", [plain, hybrid])
def test_a_later_revision_must_not_be_hybrid(
    pdf_office: PdfOffice, document: Callable[[], bytes]
) -> None:
    """Objects that only some viewers see; also where the document itself has such."""
    attached = pdf_office.attached(document())
    rows = b"\x01" + (0).to_bytes(4) + b"\x00"
    hidden = stream(rows, b"/Type /XRef /Size 201 /W [1 4 1] /Index [50 1] /Root 1 0 R")
    at = len(attached) if attached.endswith(b"\n") else len(attached) + 1
    prev = int(attached[attached.rindex(b"startxref") + 9 :].split()[0])
    trailer = b"/Root 1 0 R /Size 201 /Prev %d /XRefStm %d" % (prev, at)
    pdf = update(attached, {60: hidden}, trailer=trailer)
    verification = pdf_office.verify(pdf, signature_roots=[])
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons == ("pdf-changed",)


def test_a_document_that_shows_itself_differently_is_not_attached_to(
    pdf_office: PdfOffice,
) -> None:
    """Shared objects: what may grow in one role is compared strictly in every other."""

    def share(writer: object) -> None:
        root = writer.root  # type: ignore[attr-defined]
        annots = writer.add_object(generic.ArrayObject())  # type: ignore[attr-defined]
        root["/AF"] = annots
        root["/Pages"]["/Kids"][0]["/Annots"] = annots

    document = by_pyhanko(share)
    pdf = pdf_office.attached(document)

    def grow(writer: Writer) -> None:
        annotate(writer)

    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED
    reasons = pdf_office.verify(attacked(pdf, grow), signature_roots=[]).reasons
    assert reasons == ("pdf-page-changed",)
