"""What iText, PDFBox, DSS and @signpdf write when they sign, and what a forger would make of it."""

from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, append_signature_field

from api.assertions.verification import Outcome
from api.pdf.attachments import check_document
from api.pdf.errors import PdfUnusableError
from tests.fixtures.pdf_attacks import Writer, attached_anyway, attacked, dictionary, numbers, page
from tests.fixtures.pdf_documents import (
    by_pyhanko,
    end,
    plain,
    specimen,
    stream,
    update,
    with_text_field,
    written,
)
from tests.fixtures.pdf_office import PdfOffice, with_list


@pytest.mark.parametrize(
    "entries", [{"DR": dictionary()}, {"H": pdf_name("/N")}], ids=["iText 5", "iText 7"]
)
@pytest.mark.parametrize(
    ("box", "reasons"), [((0, 0, 0, 0), ()), ((50, 50, 90, 90), ("pdf-signature-visible",))]
)
def test_a_field_may_have_resources_where_it_has_no_area(
    pdf_office: PdfOffice,
    attached: bytes,
    entries: dict[str, generic.PdfObject],
    box: tuple[int, ...],
    reasons: tuple[str, ...],
) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(attached))
    append_signature_field(writer, SigFieldSpec("Signature1", on_page=0))
    field = writer.root["/AcroForm"]["/Fields"][-1]
    for key, value in {**entries, "Rect": numbers(*box)}.items():
        field[f"/{key}"] = value
    writer.update_container(field)
    out = BytesIO()
    writer.write(out)
    assert pdf_office.verify(out.getvalue(), signature_roots=[]).reasons == reasons


@pytest.mark.parametrize(
    ("comment", "is_read"),
    [
        (b"%iText-5.5.13.4\n", True),
        (b"%iText-Core-8.0.5\r\n%iText-pdfHTML-5.0.5\r\n", True),
        (b"%startxref\n", False),
        (b"%x-trailer\n", False),
        (b"%obj\n", False),
        (b"%startxref 17\n", False),
        (b"%<</Root 1 0 R>>\n", False),
        (b"iText-5.5.13.4\n", False),
    ],
)
def test_software_names_itself_behind_a_trailer(
    pdf_office: PdfOffice, attached: bytes, comment: bytes, is_read: bool
) -> None:
    """And writes there nothing that a viewer could take for a keyword."""
    later = update(attached, {3: specimen()[3]})
    at = later.rindex(b"startxref")
    found = pdf_office.verify(later[:at] + comment + later[at:], signature_roots=[])
    assert found.outcome is (Outcome.PASSED if is_read else Outcome.FAILED)
    assert is_read or found.reasons == ("pdf-unusable",)


def test_software_names_itself_nowhere_else(pdf_office: PdfOffice, attached: bytes) -> None:
    """Between a dictionary and what ends it, some viewers look for a stream."""
    for comment in (b"%iText-5.5.13.4\n", b"\n%iText-5.5.13.4"):
        later = update(attached, {3: specimen()[3] + comment})
        assert pdf_office.verify(later, signature_roots=[]).reasons == ("pdf-unusable",)
    later = update(attached, {3: specimen()[3]})
    later = later.replace(b"trailer\n<<", b"trailer\n%iText\n<<")
    assert pdf_office.verify(later, signature_roots=[]).reasons == ("pdf-unusable",)


@pytest.mark.parametrize("level", list(MDPPerm))
def test_a_signature_over_the_assertion_may_certify(
    pdf_office: PdfOffice, attached: bytes, level: MDPPerm
) -> None:
    pdf = pdf_office.basic(attached, pdf_office.notary, certify=True, docmdp_permissions=level)
    pdf = with_list(pdf, pdf_office.people.crl())
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    if level is not MDPPerm.NO_CHANGES:
        later = pdf_office.basic(pdf, pdf_office.organisation)
        assert pdf_office.verify(later).outcome is Outcome.PASSED


@pytest.mark.parametrize("kind", ["another right", "no signature", "an older signature"])
def test_nothing_else_gives_rights(pdf_office: PdfOffice, attached: bytes, kind: str) -> None:
    """Usage rights, or a certification by what is no signature of that revision."""
    pdf = pdf_office.basic(attached, pdf_office.notary)

    def grant(writer: Writer) -> None:
        older = writer.root["/AcroForm"]["/Fields"][0].raw_get("/V")
        rights = {
            "another right": lambda: dictionary(UR3=older),
            "no signature": lambda: dictionary(DocMDP=writer.root.raw_get("/Pages")),
            "an older signature": lambda: dictionary(DocMDP=older),
        }
        writer.root["/Perms"] = rights[kind]()
        writer.update_root()

    found = pdf_office.verify(attacked(pdf, grant), signature_roots=[])
    assert found.reasons == ("pdf-changed",)


def by_stream(pdf: bytes, number: int, *, freed: int | None = None) -> bytes:
    """Append an object, and a cross-reference stream that does not list itself."""
    rows, index = b"", b""
    if freed is not None:
        rows, index = b"\0" + (0).to_bytes(4) + b"\1", b"%d 1 " % freed
    body, offsets = written({number: b"<< >>"}, len(pdf))
    rows += b"\1" + offsets[number].to_bytes(4) + b"\0"
    entries = b"/Type /XRef /Size %d /W [1 4 1] /Index [%s%d 1] /Root 1 0 R /Prev %d" % (
        number + 2,
        index,
        number,
        int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0]),
    )
    root = pdf[pdf.rindex(b"/Root") :].split()[1]
    section = stream(rows, entries.replace(b"/Root 1", b"/Root " + root))
    at = len(pdf) + len(body)
    return pdf + body + written({number + 1: section}, at)[0] + end(at)


def test_the_number_of_a_cross_reference_stream_may_be_used_again(pdf_office: PdfOffice) -> None:
    """PDFBox signs twice, so: nobody finds such a stream by its number."""
    twice = by_stream(by_stream(pdf_office.attached(by_pyhanko()), 60), 61)
    found = pdf_office.verify(twice, signature_roots=[])
    assert found.outcome is Outcome.PASSED, found.checks
    document = by_stream(by_stream(by_pyhanko(), 60), 61)
    attached = pdf_office.attached(document)
    assert pdf_office.verify(attached, signature_roots=[]).outcome is Outcome.PASSED


def test_no_other_rule_is_lifted_where_a_number_is_used_again(pdf_office: PdfOffice) -> None:
    """An object that was given up comes back in its old generation; a page has two contents."""
    twice = by_stream(by_stream(by_pyhanko(), 60), 61)
    check_document(twice)
    with pytest.raises(PdfUnusableError):
        check_document(by_stream(by_stream(twice, 64, freed=60), 60))
    with pytest.raises(PdfUnusableError):
        check_document(twice.replace(b"/MediaBox", b"/Contents"))


INHERITED = {"/MediaBox": numbers(0, 0, 595, 842), "/Rotate": generic.NumberObject(0)}


@pytest.mark.parametrize("key", INHERITED)
def test_a_page_may_be_told_what_it_inherits(pdf_office: PdfOffice, key: str) -> None:
    """IText 5 writes all of it into a page that it adds a field to; nothing else may be there."""
    objects = specimen(page=b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << >> >>")
    objects[2] = objects[2].replace(b">>", b"/MediaBox [0 0 595 842] /Rotate 0 >>")
    attached = pdf_office.attached(plain(objects))

    def told(value: generic.PdfObject) -> tuple[str, ...]:
        def tell(writer: Writer) -> None:
            page(writer)[key] = value
            writer.update_container(page(writer))

        return pdf_office.verify(attacked(attached, tell), signature_roots=[]).reasons

    assert told(INHERITED[key]) == ()
    assert told(numbers(0, 0, 595, 400)) == ("pdf-page-changed",)
    assert told(generic.NumberObject(90)) == ("pdf-page-changed",)
    assert told(generic.NullObject()) == ("pdf-page-changed",)


def test_a_page_inherits_nothing_by_a_parent_that_is_not_above_it(pdf_office: PdfOffice) -> None:
    """Some viewers go up by /Parent, others down by /Kids, and so each shows a part of its own."""
    objects = specimen(page=b"<< /Type /Page /Parent 6 0 R /Contents 4 0 R /Resources << >> >>")
    objects[2] = objects[2].replace(b">>", b"/MediaBox [0 0 595 400] >>")
    objects[6] = b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>"
    attached = pdf_office.attached(plain(objects))

    for height in (400, 842):

        def tell(writer: Writer, height: int = height) -> None:
            page(writer)["/MediaBox"] = numbers(0, 0, 595, height)
            writer.update_container(page(writer))

        found = pdf_office.verify(attacked(attached, tell), signature_roots=[])
        assert found.reasons == ("pdf-page-changed",)


def test_a_new_form_may_say_that_it_is_one(pdf_office: PdfOffice, attached: bytes) -> None:
    """@signpdf does. What else it may hold, is counted up."""

    def add_form(**entries: generic.PdfObject) -> tuple[str, ...]:
        form = dictionary(Fields=generic.ArrayObject(), **entries)

        def add(writer: Writer) -> None:
            writer.root["/AcroForm"] = writer.add_object(form)
            writer.update_root()

        return pdf_office.verify(attacked(attached, add), signature_roots=[]).reasons

    assert add_form(Type=pdf_name("/AcroForm")) == ()
    assert add_form(CO=generic.ArrayObject()) == ("pdf-form-changed",)


def add_defaults(writer: Writer) -> None:
    font = dictionary(Type=pdf_name("/Font"), Subtype=pdf_name("/Type1"))
    font["/BaseFont"] = pdf_name("/Helvetica")
    if "/AcroForm" not in writer.root:
        writer.root["/AcroForm"] = writer.add_object(dictionary(Fields=generic.ArrayObject()))
        writer.update_root()
    form = writer.root["/AcroForm"]
    form["/DR"] = dictionary(Font=dictionary(Helv=font))
    form["/DA"] = generic.pdf_string("/Helv 0 Tf 0 g ")
    writer.update_container(form)


def test_a_form_may_be_given_defaults_that_no_field_needs(pdf_office: PdfOffice) -> None:
    """Where a field brings no look or style of its own, viewers would paint it by them.

    Ghostscript and Poppler with their fonts, in which a one may look like a nine; pdf.js in their
    colour, which may be white.
    """
    document = with_text_field()
    button = document.replace(b"/FT /Tx", b"/FT/Btn")
    button = button.replace(
        b"/DA (/Helv 12 Tf 0 g) /AP << /N 7 0 R >>", b"/DA (/He 12 Tf 0 g)/AP<</N<</A 7 0 R>>>>"
    )
    for painted in (document, button):
        later = attacked(pdf_office.attached(painted), add_defaults)
        assert pdf_office.verify(later, signature_roots=[]).outcome is Outcome.PASSED
    for unpainted in (
        document.replace(b"/AP <<", b"/XP <<"),
        document.replace(b"/AP <<", b"/XP <<").replace(b"[6 0 R] >> >>", b"[     ] >> >>"),
        document.replace(b"/DA (/Helv 12 Tf 0 g)", b"".ljust(21)),
        document.replace(b"/DA (/Helv 12 Tf 0 g)", b"/DA ()".ljust(21)),
        document.replace(b"/AP << /N 7 0 R >>", b"/AP << /N << >> >>"),
        button.replace(b"/A 7 0 R", b"        "),
        plain(with_a_widget_and_no_form()),
        plain(with_a_free_text()),
    ):
        forced = attached_anyway(unpainted, pdf_office.issue(unpainted))
        assert pdf_office.verify(forced, signature_roots=[]).outcome is Outcome.PASSED
        found = pdf_office.verify(attacked(forced, add_defaults), signature_roots=[])
        assert found.reasons == ("pdf-form-changed",)


def with_a_widget_and_no_form() -> dict[int, bytes]:
    objects = specimen()
    objects[3] = objects[3].replace(b"/Contents", b"/Annots [6 0 R] /Contents")
    objects[6] = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (amount) /V (1000000) /Rect [72 600 300 620] "
        b"/DA (/Helv 12 Tf 0 g) >>"
    )
    return objects


def with_a_free_text() -> dict[int, bytes]:
    objects = specimen()
    objects[3] = objects[3].replace(b"/Contents", b"/Annots [6 0 R] /Contents")
    objects[6] = (
        b"<< /Type /Annot /Subtype /FreeText /Contents (1000000) /Rect [72 600 300 620] "
        b"/DA (/Helv 12 Tf 0 g) >>"
    )
    return objects
