"""Changes after the assertion was attached, or after everything was signed, each refused.

The attacks are those of Mladenov et al., "1 Trillion Dollar Refund" (CCS 2019: incremental saving,
wrapping), of Mainka et al., "Shadow Attacks" (NDSS 2021: hide, replace, hide-and-replace), and
of "Breaking the Specification" (S&P 2021: evil annotations), made for attachments as well.
"""

import re
from io import BytesIO

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from api.assertions.verification import Outcome
from api.pdf.attachment_names import ASSERTION
from tests.fixtures.pdf_attacks import (
    Attack,
    Writer,
    add_page,
    add_text_field,
    annotate,
    associate,
    attach_as,
    attacked,
    calculate,
    crop,
    dictionary,
    field_with_action,
    flat_field_that_shows,
    name_script,
    need_appearances,
    other_catalogue,
    overwrite_text_in_place,
    page,
    redirect_pages,
    remove_attachments,
    replace_font,
    replace_text,
    retitle,
    run_script,
    swap,
    switch_layers,
    visible_signature_field,
)
from tests.fixtures.pdf_documents import (
    by_pyhanko,
    end,
    stream,
    update,
    written,
)
from tests.fixtures.pdf_office import PdfOffice

PAGES = [
    add_page,
    replace_text,
    overwrite_text_in_place,
    replace_font,
    crop,
    annotate,
    redirect_pages,
    other_catalogue,
]
CASES: list[tuple[Attack, str]] = [
    *((attack, "pdf-page-changed") for attack in PAGES),
    (run_script, "pdf-changed"),
    (name_script, "pdf-changed"),
    (switch_layers, "pdf-changed"),
    (retitle, "pdf-changed"),
    (add_text_field, "pdf-form-changed"),
    (field_with_action, "pdf-form-changed"),
    (need_appearances, "pdf-form-changed"),
    (calculate, "pdf-form-changed"),
    (visible_signature_field, "pdf-signature-visible"),
    (flat_field_that_shows, "pdf-signature-visible"),
    (attach_as("contract.pdf", b"%PDF-1.7"), "pdf-attachment-changed"),
    (attach_as("assertion-2.sd-jwt", b"x"), "pdf-attachment-changed"),
    (attach_as(ASSERTION, b"x"), "pdf-assertion-ambiguous"),
    (swap("assertion.tst", b"x"), "pdf-attachment-changed"),
    (associate, "pdf-attachment-changed"),
    (remove_attachments, "pdf-assertion-missing"),
]


def name_of(value: object) -> str:
    return getattr(value, "__qualname__", str(value)).split(".")[0]


@pytest.mark.parametrize(("attack", "reason"), CASES, ids=name_of)
def test_a_change_after_the_signature_is_refused(
    pdf_office: PdfOffice, signed: bytes, attack: Attack, reason: str
) -> None:
    verification = pdf_office.verify(attacked(signed, attack))
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons == (reason,)


@pytest.mark.parametrize(
    ("attack", "reason"),
    [case for case in CASES if case[1] in ("pdf-page-changed", "pdf-form-changed", "pdf-changed")],
    ids=name_of,
)
def test_a_change_before_the_signature_is_refused(
    pdf_office: PdfOffice, attached: bytes, attack: Attack, reason: str
) -> None:
    """An honest notary's signature over a changed document does not make it the document."""
    changed = attacked(attached, attack)
    assert pdf_office.verify(changed, signature_roots=[]).reasons == (reason,)


@pytest.mark.parametrize(
    "key",
    [
        *("/AA", "/OpenAction", "/Outlines", "/PageMode", "/PageLabels", "/ViewerPreferences"),
        *("/URI", "/Lang", "/OutputIntents", "/Collection", "/Requirements", "/Perms", "/Legal"),
        *("/StructTreeRoot", "/Threads", "/Dests", "/NeedsRendering", "/DPartRoot", "/Unknown"),
    ],
)
def test_nothing_else_comes_into_the_catalogue_or_a_page(
    pdf_office: PdfOffice, attached: bytes, key: str
) -> None:
    def in_catalogue(writer: Writer) -> None:
        writer.root[key] = dictionary()
        writer.update_root()

    def in_page(writer: Writer) -> None:
        page(writer)[key] = dictionary()
        writer.update_container(page(writer))

    for attack, reason in ((in_catalogue, "pdf-changed"), (in_page, "pdf-page-changed")):
        found = pdf_office.verify(attacked(attached, attack), signature_roots=[])
        assert found.reasons == (reason,)


def test_a_change_inside_an_object_stream_is_refused(pdf_office: PdfOffice) -> None:
    """The font lies in an object stream, and another stream redefines it there."""
    pdf = pdf_office.attached(by_pyhanko())
    fonts = page(IncrementalPdfFileWriter(BytesIO(pdf)))["/Resources"]["/Font"]
    number = fonts.raw_get("/F1").idnum
    for name, reasons in ((b"Symbol", ("pdf-page-changed",)), (b"Helvetica", ())):
        font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s >>" % name
        changed = redefined_in_a_stream(pdf, number, font)
        assert pdf_office.verify(changed, signature_roots=[]).reasons == reasons


def redefined_in_a_stream(pdf: bytes, number: int, body: bytes) -> bytes:
    prefix = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    head = b"%d 0 " % number
    packed = stream(head + body, b"/Type /ObjStm /N 1 /First %d" % len(head))
    text, offsets = written({90: packed}, len(prefix))
    at = len(prefix) + len(text)
    rows = b"\x02" + (90).to_bytes(4) + b"\x00"
    rows += b"".join(b"\x01" + offset.to_bytes(4) + b"\x00" for offset in (offsets[90], at))
    previous = int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])
    entries = b"/Type /XRef /Size 92 /W [1 4 1] /Index [%d 1 90 2] /Root %s /Prev %d" % (
        number,
        re.findall(rb"/Root (\d+ \d+ R)", pdf)[-1],
        previous,
    )
    section, _ = written({91: stream(rows, entries)}, at)
    return prefix + text + section + end(at)


def test_a_change_that_a_later_revision_takes_back_is_refused(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    """What was signed showed something else than what is shown now."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s >>"
    swindle = pdf_office.signed(update(attached, {5: font % b"Symbol"}))
    back = update(swindle, {5: font % b"Helvetica"})
    assert pdf_office.verify(back).reasons == ("pdf-page-changed",)
