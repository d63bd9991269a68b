"""Hostile PDF documents: refused with a reason, in bounded time and memory, never by a crash."""

import random
import time
import zlib
from collections.abc import Callable
from io import BytesIO

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter, copy_into_new_writer

from api.assertions.errors import RootsUnusableError
from api.assertions.verification import Outcome
from api.errors import ApiError
from api.pdf.attachments import attach
from api.pdf.errors import PdfEncryptedError, PdfTooComplexError, PdfUnusableError
from api.pdf.reading import Deadline, open_pdf
from tests.fixtures.pdf_documents import (
    HEADER,
    end,
    plain,
    specimen,
    stream,
    table,
    update,
    written,
)
from tests.fixtures.pdf_office import PdfOffice

SECONDS = 60.0
"""Of the processor: what a hostile document may take at most."""


def encrypted() -> bytes:
    writer = copy_into_new_writer(PdfFileReader(BytesIO(plain())))
    assert isinstance(writer, PdfFileWriter)
    writer.encrypt("owner", "")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def deep(opening: bytes, closing: bytes, count: int = 100_000) -> bytes:
    return plain(specimen(contents=opening * count + closing * count))


def bomb() -> bytes:
    """An object stream of 256 MB in 256 KB, that holds the pages."""
    data = zlib.compress(b"2 0 " + bytes(1 << 28), 9)
    objects = specimen()
    del objects[2]
    objects[6] = stream(data, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")
    body, offsets = written(objects, len(HEADER))
    rows = b"".join(
        (b"\x02" + (6).to_bytes(4) + b"\0") if n == 2 else b"\x01" + offsets[n].to_bytes(4) + b"\0"
        for n in range(1, 7)
    )
    at = len(HEADER) + len(body)
    xref = stream(rows, b"/Type /XRef /Size 7 /W [1 4 1] /Index [1 6] /Root 1 0 R")
    extra, _ = written({7: xref}, at)
    return HEADER + body + extra + end(at)


def huge_table() -> bytes:
    """A cross-reference stream that claims a billion objects."""
    body, _ = written(specimen(), len(HEADER))
    at = len(HEADER) + len(body)
    rows = zlib.compress(bytes(6 << 20), 9)
    entries = (
        b"/Type /XRef /Size 1000000000 /W [1 4 1] /Index [0 1000000000] /Root 1 0 R "
        b"/Filter /FlateDecode"
    )
    extra, _ = written({7: stream(rows, entries)}, at)
    return HEADER + body + extra + end(at)


def rows_of_no_width() -> bytes:
    """A cross-reference stream whose billion rows take no byte."""
    body, _ = written(specimen(), len(HEADER))
    at = len(HEADER) + len(body)
    entries = b"/Type /XRef /Size 1000000000 /W [0 0 0] /Index [0 1000000000] /Root 1 0 R"
    return HEADER + body + written({7: stream(b"", entries)}, at)[0] + end(at)


def loop() -> bytes:
    """Two cross-reference sections, each the one before the other."""
    body, offsets = written(specimen(), len(HEADER))
    at = len(HEADER) + len(body)
    first = table(offsets, b"/Root 1 0 R /Size 6 /Prev %010d" % 0)
    second = at + len(first)
    first = table(offsets, b"/Root 1 0 R /Size 6 /Prev %010d" % second)
    last = table({}, b"/Root 1 0 R /Size 6 /Prev %d" % at)
    return HEADER + body + first + last + end(second)


def pages_in_a_circle() -> bytes:
    return plain(specimen(pages=b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"))


def reference_in_a_circle() -> bytes:
    return plain({**specimen(contents=b"6 0 R"), 6: b"4 0 R"})


def names_in_a_circle() -> bytes:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles 6 0 R >> >>"
    return plain({**specimen(catalogue=catalogue), 6: b"<< /Kids [6 0 R 6 0 R 6 0 R] >>"})


def fields_in_a_circle() -> bytes:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>"
    return plain({**specimen(catalogue=catalogue), 6: b"<< /T (a) /FT /Tx /Kids [6 0 R 6 0 R] >>"})


def many_numbers() -> bytes:
    return plain({**specimen(), 6: b"[" + b"0 " * (6 << 20) + b"]"})


def doubling() -> bytes:
    """Each object refers twice to the next: 2^40 paths, which must not be walked."""
    objects = specimen()
    objects[3] = objects[3].replace(b"/Parent", b"/Extra 10 0 R /Parent")
    for number in range(10, 50):
        objects[number] = b"[%d 0 R %d 0 R]" % (number + 1, number + 1)
    objects[50] = b"[]"
    return plain(objects)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "header": lambda: b"%PDF-",
    "only an end": lambda: HEADER + end(0),
    "negative start": lambda: HEADER + b"startxref\n-5\n%%EOF\n",
    "far start": lambda: HEADER + end(10**18),
    "no root": lambda: HEADER + table({}, b"/Size 1") + end(len(HEADER)),
    "deep arrays": lambda: deep(b"[", b"]"),
    "deep dictionaries": lambda: deep(b"<< /a ", b">>"),
    "deep pages": lambda: plain(specimen(pages=b"[" * 5000 + b"]" * 5000)),
    "bomb": bomb,
    "huge table": huge_table,
    "rows of no width": rows_of_no_width,
    "loop": loop,
    "pages in a circle": pages_in_a_circle,
    "reference in a circle": reference_in_a_circle,
    "names in a circle": names_in_a_circle,
    "fields in a circle": fields_in_a_circle,
    "many numbers": many_numbers,
    "doubled key": lambda: plain(specimen(page=b"<< /Type /Page /Type /Page /Parent 2 0 R >>")),
    "zeros": lambda: HEADER + bytes(1 << 20),
    "noise": lambda: HEADER + random.Random(7).randbytes(1 << 20),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_document_is_refused_in_time(pdf_office: PdfOffice, kind: str) -> None:
    document = HOSTILE[kind]()
    begin = time.process_time()
    assert pdf_office.verify(document).outcome is Outcome.FAILED
    # The same as revision 0 of somebody who opened a session for it.
    assertion = pdf_office.issue(document or b"x")
    try:
        pdf = attach(document, assertion)
    except ApiError:
        pdf = update(document, {}) if b"startxref" in document else document
    outcome = pdf_office.verify(pdf, signature_roots=[]).outcome
    assert time.process_time() - begin < SECONDS
    if kind not in ("many numbers", "doubled key"):
        assert outcome is not Outcome.PASSED


def test_paths_are_not_multiplied(pdf_office: PdfOffice) -> None:
    begin = time.process_time()
    verification = pdf_office.verify(pdf_office.attached(doubling()), signature_roots=[])
    assert verification.outcome is Outcome.PASSED
    assert time.process_time() - begin < SECONDS


def test_the_time_for_a_document_ends() -> None:
    with pytest.raises(PdfTooComplexError):
        open_pdf(many_numbers(), Deadline(0.0)).get_object(
            open_pdf(plain()).root_ref.__class__(6, 0)
        )


def test_an_encrypted_document_is_named_as_such(pdf_office: PdfOffice) -> None:
    document = encrypted()
    with pytest.raises(PdfEncryptedError):
        open_pdf(document)
    assert pdf_office.verify(document).reasons[0] == "pdf-encrypted"


def test_bytes_before_the_header_are_refused() -> None:
    with pytest.raises(PdfUnusableError):
        open_pdf(b"\n" + plain())


@pytest.mark.parametrize("which", ["signature_roots", "timestamp_roots"])
@pytest.mark.parametrize("given", [["notary.pem"], [None], b"notary.pem", 7], ids=str)
def test_roots_in_another_type_are_not_passed_over(
    pdf_office: PdfOffice, which: str, given: object
) -> None:
    with pytest.raises(RootsUnusableError):
        pdf_office.verify(plain(), **{which: given})
