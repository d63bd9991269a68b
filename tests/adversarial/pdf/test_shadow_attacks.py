"""Changes after the assertion was attached, or after everything was signed, each refused.

The attacks are those of Mladenov et al., "1 Trillion Dollar Refund" (CCS 2019: incremental saving,
wrapping), of Mainka et al., "Shadow Attacks" (NDSS 2021: hide, replace, hide-and-replace), and
of "Breaking the Specification" (S&P 2021: evil annotations), made for attachments as well.
"""

import re
from collections.abc import Callable
from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.embed import EmbeddedFileObject, FileSpec, embed_file
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.signers import PdfTimeStamper

from api.assertions.verification import Outcome
from api.pdf.attachments import ASSERTION
from api.pdf.timestamp_client import HttpTimeStamper
from tests.fixtures.pdf_documents import (
    OTHER_TEXT,
    by_pyhanko,
    end,
    plain,
    specimen,
    stream,
    update,
    with_attachments,
    with_reserved_field,
    with_text_field,
    written,
)
from tests.fixtures.pdf_office import PdfOffice, Person
from tests.fixtures.timestamp_authority import Ca

Writer = IncrementalPdfFileWriter
Attack = Callable[[Writer], None]


def attacked(pdf: bytes, attack: Attack) -> bytes:
    """Append a revision as a well-behaved writer would, with any content."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    attack(writer)
    out = BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(pdf)
    return out.getvalue()


def page(writer: Writer) -> generic.DictionaryObject:
    found: generic.DictionaryObject = writer.root["/Pages"]["/Kids"][0]
    return found


def text(data: bytes) -> generic.StreamObject:
    return generic.StreamObject(stream_data=data)


def numbers(*values: int) -> generic.ArrayObject:
    return generic.ArrayObject([generic.NumberObject(value) for value in values])


def dictionary(**entries: generic.PdfObject) -> generic.DictionaryObject:
    return generic.DictionaryObject({f"/{name}": value for name, value in entries.items()})


# Pages


def add_page(writer: Writer) -> None:
    writer.insert_page(dictionary(Type=pdf_name("/Page"), MediaBox=numbers(0, 0, 595, 842)))


def replace_text(writer: Writer) -> None:
    page(writer)["/Contents"] = writer.add_object(text(OTHER_TEXT))
    writer.update_container(page(writer))


def overwrite_text_in_place(writer: Writer) -> None:
    contents = page(writer)["/Contents"]
    contents._data = OTHER_TEXT
    contents._encoded_data = None
    writer.mark_update(page(writer).raw_get("/Contents"))


def replace_font(writer: Writer) -> None:
    font = page(writer)["/Resources"]["/Font"]["/F1"]
    font["/BaseFont"] = pdf_name("/Symbol")
    writer.update_container(font)


def crop(writer: Writer) -> None:
    page(writer)["/CropBox"] = numbers(0, 0, 595, 400)
    writer.update_container(page(writer))


def annotate(writer: Writer, **entries: generic.PdfObject) -> None:
    note = dictionary(
        Type=pdf_name("/Annot"),
        Subtype=pdf_name("/FreeText"),
        Rect=numbers(60, 700, 400, 750),
        Contents=generic.pdf_string("9000000"),
        DA=generic.pdf_string("/Helv 18 Tf"),
        **entries,
    )
    writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), writer.add_object(note))


def redirect_pages(writer: Writer) -> None:
    new = dictionary(**{key[1:]: page(writer).raw_get(key) for key in page(writer)})
    new["/Contents"] = writer.add_object(text(OTHER_TEXT))
    kids = generic.ArrayObject([writer.add_object(new)])
    tree = dictionary(Type=pdf_name("/Pages"), Count=generic.NumberObject(1), Kids=kids)
    writer.root["/Pages"] = writer.add_object(tree)
    writer.update_root()


def other_catalogue(writer: Writer) -> None:
    redirect_pages(writer)
    copy = dictionary(**{key[1:]: writer.root.raw_get(key) for key in writer.root})
    writer.trailer["/Root"] = writer.add_object(copy)


# Catalogue


def run_script(writer: Writer) -> None:
    script = dictionary(S=pdf_name("/JavaScript"), JS=generic.pdf_string("app.alert(1)"))
    writer.root["/OpenAction"] = script
    writer.update_root()


def name_script(writer: Writer) -> None:
    script = dictionary(S=pdf_name("/JavaScript"), JS=generic.pdf_string("app.alert(1)"))
    names = generic.ArrayObject([generic.pdf_string("a"), writer.add_object(script)])
    writer.root["/Names"]["/JavaScript"] = dictionary(Names=names)
    writer.update_container(writer.root["/Names"])


def switch_layers(writer: Writer) -> None:
    writer.root["/OCProperties"] = dictionary(OCGs=generic.ArrayObject(), D=dictionary())
    writer.update_root()


def retitle(writer: Writer) -> None:
    info = dictionary(Title=generic.pdf_string("Hợp đồng khác"))
    writer.set_info(writer.add_object(info))


# Forms


def add_text_field(writer: Writer) -> None:
    field = dictionary(
        Type=pdf_name("/Annot"),
        Subtype=pdf_name("/Widget"),
        FT=pdf_name("/Tx"),
        T=generic.pdf_string("sum"),
        V=generic.pdf_string("9000000"),
        Rect=numbers(60, 700, 400, 750),
    )
    reference = writer.add_object(field)
    fields = writer.add_object(generic.ArrayObject([reference]))
    writer.root["/AcroForm"] = writer.add_object(dictionary(Fields=fields))
    writer.update_root()
    writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), reference)


def visible_signature_field(writer: Writer) -> None:
    append_signature_field(writer, SigFieldSpec("Extra", on_page=0, box=(60, 700, 400, 750)))


def flat_field_that_shows(writer: Writer) -> None:
    append_signature_field(writer, SigFieldSpec("Extra", on_page=0))
    form = text(OTHER_TEXT)
    form["/Subtype"], form["/BBox"] = pdf_name("/Form"), numbers(0, 0, 400, 400)
    field = writer.root["/AcroForm"]["/Fields"][-1]
    field["/AP"] = dictionary(N=writer.add_object(form))
    writer.update_container(field)


def field_with_action(writer: Writer) -> None:
    append_signature_field(writer, SigFieldSpec("Extra", on_page=0))
    field = writer.root["/AcroForm"]["/Fields"][-1]
    field["/AA"] = dictionary(PO=dictionary(S=pdf_name("/JavaScript"), JS=generic.pdf_string("")))
    writer.update_container(field)


def form(writer: Writer) -> generic.DictionaryObject:
    """Return the form, which is a new one where the document has none."""
    if "/AcroForm" not in writer.root:
        writer.root["/AcroForm"] = writer.add_object(dictionary(Fields=generic.ArrayObject()))
        writer.update_root()
    found: generic.DictionaryObject = writer.root["/AcroForm"]
    writer.update_container(found)
    return found


def need_appearances(writer: Writer) -> None:
    form(writer)["/NeedAppearances"] = generic.BooleanObject(True)


def calculate(writer: Writer) -> None:
    form(writer)["/CO"] = generic.ArrayObject()


# Attachments


def attach_as(name: str, data: bytes) -> Attack:
    def attack(writer: Writer) -> None:
        embedded = EmbeddedFileObject.from_file_data(writer, data)
        embed_file(writer, FileSpec(file_spec_string=name, file_name=name, embedded_data=embedded))

    return attack


def attachment(writer: Writer, name: str) -> generic.DictionaryObject:
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    index = [str(names[i]) for i in range(0, len(names), 2)].index(name)
    found: generic.DictionaryObject = names[2 * index + 1]
    return found


def swap(name: str, data: bytes) -> Attack:
    def attack(writer: Writer) -> None:
        specification = attachment(writer, name)
        reference = writer.add_object(generic.StreamObject(stream_data=data))
        specification["/EF"] = dictionary(F=reference, UF=reference)
        writer.update_container(specification)

    return attack


def remove_attachments(writer: Writer) -> None:
    names = writer.root["/Names"]
    names["/EmbeddedFiles"] = dictionary(Names=generic.ArrayObject())
    writer.update_container(names)


def associate(writer: Writer) -> None:
    extra = dictionary(Type=pdf_name("/Filespec"), F=generic.pdf_string("x"))
    writer.root["/AF"].append(writer.add_object(extra))
    writer.update_root()


@pytest.fixture(scope="module")
def signed(pdf_office: PdfOffice) -> bytes:
    """A document with its assertion, and the notary's signature over both."""
    pdf = pdf_office.signed(pdf_office.attached(plain()))
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    return pdf


@pytest.fixture(scope="module")
def attached(pdf_office: PdfOffice) -> bytes:
    """A document with its assertion, not signed."""
    pdf = pdf_office.attached(plain())
    assert pdf_office.verify(pdf, signature_roots=[]).outcome is Outcome.PASSED
    return pdf


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


def test_a_form_field_that_is_changed_is_refused(pdf_office: PdfOffice) -> None:
    def change(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field["/V"] = generic.pdf_string("9000000")
        writer.update_container(field)

    def repaint(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        shown = text(OTHER_TEXT)
        shown["/Subtype"], shown["/BBox"] = pdf_name("/Form"), numbers(0, 0, 228, 20)
        field["/AP"] = dictionary(N=writer.add_object(shown))
        writer.update_container(field)

    def remove(writer: Writer) -> None:
        writer.root["/AcroForm"]["/Fields"] = generic.ArrayObject()
        writer.update_root()

    pdf = pdf_office.signed(pdf_office.attached(with_text_field()))
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    for attack in (change, repaint, remove):
        assert pdf_office.verify(attacked(pdf, attack)).reasons == ("pdf-form-changed",)


def test_a_reserved_field_that_grows_or_shows_without_a_signature_is_refused(
    pdf_office: PdfOffice,
) -> None:
    def grow(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field["/Rect"] = numbers(0, 0, 595, 842)
        writer.update_container(field)

    def show(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        shown = text(OTHER_TEXT)
        shown["/Subtype"], shown["/BBox"] = pdf_name("/Form"), numbers(0, 0, 250, 70)
        field["/AP"] = dictionary(N=writer.add_object(shown))
        writer.update_container(field)

    pdf = pdf_office.attached(with_reserved_field())
    for attack in (grow, show):
        reasons = pdf_office.verify(attacked(pdf, attack), signature_roots=[]).reasons
        assert reasons == ("pdf-form-changed",)
    signed = pdf_office.signed(pdf, field="Notary")
    for attack in (grow, show):
        assert pdf_office.verify(attacked(signed, attack)).reasons == ("pdf-form-changed",)


def test_a_timestamp_shows_nothing_in_a_reserved_field(pdf_office: PdfOffice) -> None:
    """Anybody can have a document timestamp, and put a picture into its field."""
    pdf = pdf_office.signed(pdf_office.attached(with_reserved_field()))
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    field = writer.root["/AcroForm"]["/Fields"][0]
    shown = text(OTHER_TEXT)
    shown["/Subtype"], shown["/BBox"] = pdf_name("/Form"), numbers(0, 0, 250, 70)
    field["/AP"] = dictionary(N=writer.add_object(shown))
    writer.update_container(field)
    stamper = PdfTimeStamper(HttpTimeStamper(pdf_office.tsa_url), field_name="Notary")
    out = stamper.timestamp_pdf(writer, "sha256")
    verification = pdf_office.verify(out.getvalue())
    assert verification.reasons == ("pdf-signature-visible",)


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


# Signatures


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


# Cross-references


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


def test_a_later_revision_must_not_become_hybrid(pdf_office: PdfOffice, attached: bytes) -> None:
    """Objects that only some viewers see."""
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
