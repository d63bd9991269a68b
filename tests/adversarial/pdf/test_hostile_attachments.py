"""Attachments that are two things at once, numbered wrongly, or far larger than they seem."""

import time
import zlib
from collections.abc import Callable
from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from api.assertions.verification import Outcome
from api.pdf.attachments import attach
from tests.fixtures.pdf_documents import plain
from tests.fixtures.pdf_office import PdfOffice

SECONDS = 20.0
Specification = Callable[[IncrementalPdfFileWriter, bytes], generic.DictionaryObject]


def specification(
    writer: IncrementalPdfFileWriter, stream: generic.StreamObject, **others: generic.StreamObject
) -> generic.DictionaryObject:
    files = {"/F": stream, **{f"/{key}": value for key, value in others.items()}}
    embedded = generic.DictionaryObject({k: writer.add_object(v) for k, v in files.items()})
    return generic.DictionaryObject({"/Type": pdf_name("/Filespec"), "/EF": embedded})


def carrying(assertion: bytes, make: Specification, *names: str) -> bytes:
    """Attach by hand, under any names."""
    writer = IncrementalPdfFileWriter(BytesIO(plain()))
    pairs = generic.ArrayObject()
    for name in names or ("assertion.sd-jwt",):
        pairs += [generic.pdf_string(name), writer.add_object(make(writer, assertion))]
    tree = generic.DictionaryObject({"/Names": pairs})
    writer.root["/Names"] = generic.DictionaryObject({"/EmbeddedFiles": tree})
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def simple(writer: IncrementalPdfFileWriter, data: bytes) -> generic.DictionaryObject:
    return specification(writer, generic.StreamObject(stream_data=data))


def two_files(writer: IncrementalPdfFileWriter, data: bytes) -> generic.DictionaryObject:
    other = generic.StreamObject(stream_data=b"something else")
    return specification(writer, generic.StreamObject(stream_data=data), UF=other)


def another_system(writer: IncrementalPdfFileWriter, data: bytes) -> generic.DictionaryObject:
    other = generic.StreamObject(stream_data=b"something else")
    return specification(writer, generic.StreamObject(stream_data=data), DOS=other)


def elsewhere(writer: IncrementalPdfFileWriter, data: bytes) -> generic.DictionaryObject:
    outside = {"/F": generic.pdf_string("other.txt")}
    return specification(writer, generic.StreamObject(outside, stream_data=data))


def packed(times: int, size: int) -> Specification:
    """A chain of filters, each of which unpacks a thousandfold."""

    def make(writer: IncrementalPdfFileWriter, data: bytes) -> generic.DictionaryObject:
        encoded = bytes(size)
        for _ in range(times):
            encoded = zlib.compress(encoded, 9)
        filters = generic.ArrayObject([pdf_name("/FlateDecode")] * times)
        stream = generic.StreamObject({"/Filter": filters}, encoded_data=encoded)
        return specification(writer, stream)

    return make


def test_what_the_helper_attaches_is_accepted(pdf_office: PdfOffice) -> None:
    pdf = carrying(pdf_office.issue(plain()).encode(), simple)
    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("make", "names", "reason"),
    [
        (two_files, (), "pdf-assertion-ambiguous"),
        (another_system, (), "pdf-assertion-ambiguous"),
        (elsewhere, (), "pdf-assertion-missing"),
        (simple, ("assertion.sd-jwt", "assertion.sd-jwt"), "pdf-assertion-ambiguous"),
        (simple, ("assertion.sd-jwt", "assertion-2.sd-jwt"), "pdf-assertion-ambiguous"),
        (simple, ("assertion.sd-jwt", "assertion-3.sd-jwt"), "pdf-assertion-ambiguous"),
        (simple, ("assertion-2.sd-jwt",), "pdf-assertion-ambiguous"),
        (simple, ("assertion.sd-jwt", "assertion-2.tst"), "pdf-assertion-ambiguous"),
        (simple, ("assertion.tst",), "pdf-assertion-missing"),
        (simple, ("assertion-17.sd-jwt",), "pdf-assertion-missing"),
        (simple, ("Assertion.sd-jwt",), "pdf-assertion-missing"),
        (simple, ("assertion.sd-jwt", "assertion-17.sd-jwt"), "pdf-attachment-changed"),
        (simple, ("assertion.sd-jwt", "contract.pdf"), "pdf-attachment-changed"),
    ],
)
def test_it_must_be_clear_what_is_attached(
    pdf_office: PdfOffice, make: Specification, names: tuple[str, ...], reason: str
) -> None:
    pdf = carrying(pdf_office.issue(plain()).encode(), make, *names)
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == (reason,)


@pytest.mark.parametrize(("times", "size"), [(1, 200 << 20), (2, 200 << 20), (3, 64 << 20), (9, 9)])
def test_what_unpacks_to_more_is_refused(pdf_office: PdfOffice, times: int, size: int) -> None:
    pdf = carrying(b"", packed(times, size))
    begin = time.process_time()
    found = pdf_office.verify(pdf, signature_roots=[])
    assert time.process_time() - begin < SECONDS
    assert found.outcome is Outcome.FAILED


def test_associated_files_do_not_replace_embedded_ones(pdf_office: PdfOffice) -> None:
    """/AF lists another specification than /Names: only the embedded one is read, and it alone."""
    pdf = attach(plain(), pdf_office.issue(plain()))
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    other = simple(writer, b"another assertion")
    writer.root["/AF"] = generic.ArrayObject([writer.add_object(other)])
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    found = pdf_office.verify(out.getvalue(), signature_roots=[])
    assert found.reasons == ("pdf-attachment-changed",)
