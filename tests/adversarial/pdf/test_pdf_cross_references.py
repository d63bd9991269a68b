"""Cross-references that leave out, reach beyond, or show other objects to other viewers."""

import re
from collections.abc import Callable

import pytest
from pyhanko.pdf_utils import generic

from api.assertions.verification import Outcome
from api.pdf.errors import PdfUnusableError
from tests.fixtures.pdf_attacks import Writer, annotate, attached_anyway, attacked
from tests.fixtures.pdf_documents import (
    OTHER_TEXT,
    by_pyhanko,
    end,
    hybrid,
    plain,
    specimen,
    stream,
    table,
    update,
    written,
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


TRAILER = b"trailer\n<< %s >>\n"
ROW = b"%010d %05d %c \n"


def forged(pdf: bytes, section: Callable[[int, int, bytes], bytes]) -> bytes:
    """Append another text of the page, and a section that readers may take to list it or not.

    Args:
        pdf: the document.
        section: makes it, of where the text was, where the other one is, and an honest trailer.
    """
    prev = int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])
    root, size = re.findall(rb"/Root (\d+) 0 R", pdf)[-1], int(re.findall(rb"/Size (\d+)", pdf)[-1])
    body, offsets = written({4: stream(OTHER_TEXT)}, len(pdf))
    trailer = b"/Root %s 0 R /Size %d /Prev %d" % (root, size, prev)
    at = len(pdf) + len(body)
    return pdf + body + section(pdf.index(b"4 0 obj"), offsets[4], trailer) + end(at)


FORGED: dict[str, Callable[[int, int, bytes], bytes]] = {
    "not listed": lambda old, new, trailer: b"xref\n0 0\n" + TRAILER % trailer,
    "listed twice": lambda old, new, trailer: (
        b"xref\n4 1\n%s4 1\n%s" % (ROW % (new, 0, b"n"), ROW % (old, 0, b"n")) + TRAILER % trailer
    ),
    "listed where it was": lambda old, new, trailer: table({4: old}, trailer, free=False),
    "listed after a space": lambda old, new, trailer: table({4: old - 1}, trailer, free=False),
    "free for ever": lambda old, new, trailer: (
        b"xref\n4 1\n" + ROW % (0, 65535, b"f") + TRAILER % trailer
    ),
    "object 0": lambda old, new, trailer: b"xref\n0 1\n" + ROW % (new, 0, b"n") + TRAILER % trailer,
    "negative": lambda old, new, trailer: b"xref\n-1 0\n" + TRAILER % trailer,
    "signed": lambda old, new, trailer: b"xref\n+0 0\n" + TRAILER % trailer,
    "comment": lambda old, new, trailer: b"xref\n%c\n0 0\n" + TRAILER % trailer,
    "space before": lambda old, new, trailer: b"  xref\n0 0\n" + TRAILER % trailer,
    "one line": lambda old, new, trailer: b"xref 0 0 " + TRAILER % trailer,
    "short rows": lambda old, new, trailer: b"xref\n0 1\n0000000000 65535 f\n" + TRAILER % trailer,
    "no root": lambda old, new, trailer: (
        b"xref\n0 0\n" + TRAILER % re.sub(rb"/Root \d+ 0 R", b"", trailer)
    ),
    "small": lambda old, new, trailer: (
        b"xref\n0 0\n" + TRAILER % re.sub(rb"/Size \d+", b"/Size 4", trailer)
    ),
    "huge": lambda old, new, trailer: (
        b"xref\n0 0\n" + TRAILER % re.sub(rb"/Size \d+", b"/Size 99999999", trailer)
    ),
}
"""Most show the other text in one viewer or several, which rebuild or take another entry."""


@pytest.mark.parametrize("kind", FORGED)
def test_a_later_revision_leaves_viewers_no_choice(
    pdf_office: PdfOffice, signed: bytes, kind: str
) -> None:
    found = pdf_office.verify(forged(signed, FORGED[kind]))
    assert (found.outcome, found.reasons) == (Outcome.FAILED, ("pdf-unusable",))


ROWS = {
    "free for ever": b"\0" + bytes(4) + b"\xff\xff",
    "unknown type": b"\3" + bytes(6),
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_later_cross_reference_stream_leaves_viewers_no_choice(
    pdf_office: PdfOffice, attached: bytes, kind: str
) -> None:
    def section(row: bytes) -> Callable[[int, int, bytes], bytes]:
        def made(old: int, new: int, trailer: bytes) -> bytes:
            at = new + len(written({4: stream(OTHER_TEXT)}, new)[0])
            rows = row + b"\1" + at.to_bytes(4) + bytes(2)
            size = re.sub(rb"/Size \d+", b"/Size 71", trailer)
            entries = b"/Type /XRef /W [1 4 2] /Index [4 1 70 1] " + size
            return written({70: stream(rows, entries)}, at)[0]

        return made

    found = pdf_office.verify(forged(attached, section(ROWS[kind])), signature_roots=[])
    assert (found.outcome, found.reasons) == (Outcome.FAILED, ("pdf-unusable",))


def test_a_later_revision_may_list_what_was_never_in_use_as_free(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    """Some software lists gaps in the numbers."""
    prev = int(attached[attached.rindex(b"startxref") + 9 :].split()[0])
    root = re.findall(rb"/Root (\d+) 0 R", attached)[-1]
    rows = b"xref\n0 1\n%s60 1\n%s" % (ROW % (60, 65535, b"f"), ROW % (0, 65535, b"f"))
    trailer = b"/Root %s 0 R /Size 61 /Prev %d" % (root, prev)
    pdf = attached + rows + TRAILER % trailer + end(len(attached))
    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED


def test_a_document_must_not_list_an_object_twice(pdf_office: PdfOffice) -> None:
    """Viewers take the first entry, and pyHanko the last: written again, the object is another."""
    document = plain({**specimen(), 6: stream(OTHER_TEXT)})
    row = ROW % (document.index(b"4 0 obj"), 0, b"n")
    other = ROW % (document.index(b"6 0 obj"), 0, b"n")
    document = document.replace(b"6 1\n" + other, b"4 1\n" + row).replace(row, other, 1)
    document = document.replace(b"6 0 obj", b"4 0 obj")
    assertion = pdf_office.issue(document)
    with pytest.raises(PdfUnusableError):
        pdf_office.attached(document, assertion)
    forced = attached_anyway(document, assertion)
    assert pdf_office.verify(forced, signature_roots=[]).reasons == ("pdf-unusable",)


SPELLINGS = {
    "one bracket": (b">> >>", b">> >"),
    "a space in a bracket": (b">> >>", b">> > >"),
    "control character": (b"4 0 R", b"4 \x0b0 R"),
    "comment": (b"/Contents 4 0 R", b"%/Contents 6 0 R\n/Contents 4 0 R"),
    "text behind it": (b">> >>", b">> >> << >>"),
    "escape that is none": (b"/Parent", b"/X#zz null /Parent"),
}


@pytest.mark.parametrize("kind", SPELLINGS)
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "packed"])
def test_what_is_written_again_is_in_the_spelling_of_the_standard(
    pdf_office: PdfOffice, attached: bytes, kind: str, is_packed: bool
) -> None:
    """Where pyHanko forgives, viewers show a blank page or another one."""
    page = specimen()[3]

    def again(body: bytes) -> bytes:
        if not is_packed:
            return update(attached, {3: body})
        objects = {60: stream(b"3 0 " + body, b"/Type /ObjStm /N 1 /First 4")}
        packed, offsets = written(objects, len(attached))
        at = len(attached) + len(packed)
        rows = b"\2\0\0\0\x3c\0" + b"".join(
            b"\1" + place.to_bytes(4) + b"\0" for place in (offsets[60], at)
        )
        prev = int(attached[attached.rindex(b"startxref") + 9 :].split()[0])
        root = re.findall(rb"/Root (\d+) 0 R", attached)[-1]
        entries = b"/Type /XRef /Size 62 /W [1 4 1] /Index [3 1 60 2] /Root %s 0 R /Prev %d"
        section = written({61: stream(rows, entries % (root, prev))}, at)[0]
        return attached + packed + section + end(at)

    assert pdf_office.verify(again(page), signature_roots=[]).outcome is Outcome.PASSED
    old, new = SPELLINGS[kind]
    changed = page[: page.rindex(old)] + page[page.rindex(old) :].replace(old, new)
    found = pdf_office.verify(again(changed), signature_roots=[])
    assert found.outcome is Outcome.FAILED
    assert found.reasons[0] in ("pdf-unusable", "pdf-page-changed")
