"""Signatures that are there and do not count: moved, by the wrong hand, forbidden, out of date."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    append_signature_field,
)
from pyhanko.sign.validation.dss import DocumentSecurityStore

from api.assertions.verification import Outcome
from api.pdf.attachments import attach
from api.pdf.signatures import Level
from api.pdf.timestamp_client import request_timestamp
from tests.fixtures.pdf_documents import plain, specimen, update
from tests.fixtures.pdf_office import PdfOffice, Person
from tests.fixtures.revocation_lists import revocation_list
from tests.fixtures.timestamp_authority import Ca, Tsa, serve

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def attached(pdf_office: PdfOffice) -> bytes:
    return pdf_office.attached(plain())


@pytest.fixture(scope="module")
def stamped(pdf_office: PdfOffice, attached: bytes) -> bytes:
    """The notary's signature with a timestamp, by other software."""
    return pdf_office.basic(attached, pdf_office.notary)


@pytest.fixture(scope="module")
def people() -> Ca:
    return Ca("Gốc chữ ký khác")


def with_list(pdf: bytes, crl: bytes) -> bytes:
    """Add a revocation list, as anybody may."""
    out = BytesIO(pdf)
    DocumentSecurityStore.add_dss(out, sig_contents=None, crls=[asn1_crl.CertificateList.load(crl)])
    return out.getvalue()


# Byte ranges


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


# What a new field may be


def add_field(pdf: bytes, **entries: generic.PdfObject) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    append_signature_field(writer, SigFieldSpec("Extra", on_page=0))
    field = writer.root["/AcroForm"]["/Fields"][-1]
    for name, value in entries.items():
        field[f"/{name}"] = value
    writer.update_container(field)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def numbers(*values: float) -> generic.ArrayObject:
    return generic.ArrayObject([generic.FloatObject(value) for value in values])


def test_a_plain_new_field_is_allowed(pdf_office: PdfOffice, attached: bytes) -> None:
    found = pdf_office.verify(add_field(attached), signature_roots=[])
    assert found.outcome is Outcome.PASSED, found.checks


@pytest.mark.parametrize("kind", ["Text", "FreeText", "Stamp", "FileAttachment", "Link", "Ink"])
def test_a_field_of_another_kind_of_annotation_is_refused(
    pdf_office: PdfOffice, attached: bytes, kind: str
) -> None:
    """Evil annotations: viewers draw an icon of fixed size for a note, however small its box."""
    pdf = add_field(attached, Subtype=pdf_name(f"/{kind}"), Rect=numbers(100, 720, 100, 720))
    found = pdf_office.verify(pdf, signature_roots=[])
    assert found.reasons == ("pdf-form-changed",)


@pytest.mark.parametrize(
    "entries",
    [
        {"BS": generic.DictionaryObject({"/W": generic.NumberObject(80)})},
        {"Border": numbers(0, 0, 80)},
        {"MK": generic.DictionaryObject({"/BC": numbers(1, 1, 1)})},
        {"MK": generic.DictionaryObject({"/BG": numbers(1, 1, 1)})},
        {"Parent": generic.NullObject()},
        {"A": generic.DictionaryObject({"/S": pdf_name("/JavaScript")})},
    ],
)
def test_a_field_that_viewers_paint_themselves_is_refused(
    pdf_office: PdfOffice, attached: bytes, entries: dict[str, generic.PdfObject]
) -> None:
    """A line of no height with a border of 80 points covers a paragraph."""
    pdf = add_field(attached, Rect=numbers(60, 720, 400, 720), **entries)
    assert pdf_office.verify(pdf, signature_roots=[]).reasons == ("pdf-form-changed",)


def test_a_box_of_no_numbers_is_not_flat(pdf_office: PdfOffice, attached: bytes) -> None:
    for side in (generic.NullObject(), pdf_name("/a"), generic.pdf_string("1")):
        box = generic.ArrayObject([side, generic.NumberObject(0), side, generic.NumberObject(9)])
        found = pdf_office.verify(add_field(attached, Rect=box), signature_roots=[])
        assert found.outcome is Outcome.FAILED


# Certification


@pytest.mark.parametrize("level", list(MDPPerm))
def test_a_certified_document_allows_no_attachment(pdf_office: PdfOffice, level: MDPPerm) -> None:
    """`attach` refuses it; somebody else's software need not."""
    document = pdf_office.basic(plain(), pdf_office.notary, certify=True, docmdp_permissions=level)
    forced = attach_anyway(document, pdf_office.issue(document))
    assert pdf_office.verify(forced, signature_roots=[]).reasons == ("pdf-certified",)


def test_what_a_signature_forbids_is_refused(pdf_office: PdfOffice, attached: bytes) -> None:
    """The notary allows nothing after it, and somebody signs after it."""
    final = SigFieldSpec(
        "Basic0",
        field_mdp_spec=FieldMDPSpec(FieldMDPAction.ALL),
        doc_mdp_update_value=MDPPerm.NO_CHANGES,
    )
    pdf = pdf_office.basic(attached, pdf_office.notary, new_field_spec=final)
    pdf = with_list(pdf, pdf_office.people.crl())
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    later = pdf_office.basic(pdf, pdf_office.organisation)
    assert pdf_office.verify(later).reasons == ("pdf-certified",)


@pytest.mark.parametrize(
    ("form", "reason"),
    [(b"/XFA (x)", "pdf-unusable"), (b"/NeedAppearances true", "pdf-unusable")],
)
def test_what_attaching_refuses_does_not_verify(
    pdf_office: PdfOffice, form: bytes, reason: str
) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] %s >> >>" % form
    document = plain(specimen(catalogue=catalogue))
    forced = attach_anyway(document, pdf_office.issue(document))
    assert pdf_office.verify(forced, signature_roots=[]).reasons == (reason,)


def attach_anyway(document: bytes, assertion: str) -> bytes:
    """Attach by the library alone."""
    from pyhanko.pdf_utils.embed import EmbeddedFileObject, FileSpec, embed_file

    writer = IncrementalPdfFileWriter(BytesIO(document))
    data = EmbeddedFileObject.from_file_data(writer, assertion.encode())
    spec = FileSpec("assertion.sd-jwt", file_name="assertion.sd-jwt", embedded_data=data)
    embed_file(writer, spec)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


# Certificates


def verdict(pdf_office: PdfOffice, people: Ca, pdf: bytes, **changes: object) -> tuple[str, ...]:
    found = pdf_office.verify(pdf, signature_roots=[people.pem], **changes)
    assert (found.outcome is Outcome.PASSED) == (not found.reasons)
    return found.reasons


def test_a_certificate_for_something_else_does_not_sign(
    pdf_office: PdfOffice, attached: bytes, people: Ca
) -> None:
    for purposes, reasons in (
        ((ExtendedKeyUsageOID.EMAIL_PROTECTION,), ()),
        ((ExtendedKeyUsageOID.TIME_STAMPING,), ("pdf-signature-untrusted",)),
        ((ExtendedKeyUsageOID.SERVER_AUTH,), ("pdf-signature-untrusted",)),
    ):
        person = Person(people, None)
        person.certificate = people.leaf("TSA", person.key, purposes=purposes)
        assert verdict(pdf_office, people, pdf_office.basic(attached, person)) == reasons


def test_a_key_that_is_not_for_signing_does_not_sign(
    pdf_office: PdfOffice, attached: bytes, people: Ca
) -> None:
    person = Person(people, None)
    usage = dict.fromkeys(("digital_signature", "content_commitment", "key_cert_sign"), False)
    usage |= dict.fromkeys(("data_encipherment", "key_agreement", "crl_sign"), False)
    usage |= {"encipher_only": False, "decipher_only": False, "key_encipherment": True}
    person.certificate = (
        x509.CertificateBuilder()
        .subject_name(person.certificate.subject)
        .issuer_name(people.subject())
        .public_key(person.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - DAY)
        .not_valid_after(datetime.now(UTC) + DAY)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(people.key, hashes.SHA256())
    )
    pdf = pdf_office.basic(attached, person)
    assert verdict(pdf_office, people, pdf) == ("pdf-signature-untrusted",)


def test_an_expired_certificate_does_not_sign(
    pdf_office: PdfOffice, attached: bytes, people: Ca
) -> None:
    now = datetime.now(UTC)
    for begin, days, reasons in (
        (now - 10 * DAY, 9, ("pdf-signature-untrusted",)),
        (now + DAY, 9, ("pdf-signature-untrusted",)),
        (now - 10 * DAY, 11, ()),
    ):
        person = Person(people, None)
        person.certificate = people.leaf("CCV", person.key, begin=begin, days=days)
        assert verdict(pdf_office, people, pdf_office.basic(attached, person)) == reasons


# Revocation


def test_a_given_list_counts_for_signatures(
    pdf_office: PdfOffice, attached: bytes, people: Ca
) -> None:
    """Revoked before the proven time, after it, and at any time where nothing proves one."""
    person = Person(people, None)
    now = datetime.now(UTC)
    own = pdf_office.issuer_lists()
    proven = pdf_office.basic(attached, person)
    unproven = pdf_office.basic(attached, person, stamped=False)
    for since, in_proven, in_unproven in (
        (now - DAY, ("pdf-signature-revoked",), ("pdf-signature-revoked",)),
        (now + DAY, (), ("pdf-signature-revoked",)),
        (None, (), ()),
    ):
        entries = [] if since is None else [(person.certificate, since, None)]
        crls = [*own, revocation_list(people, *entries)]
        assert verdict(pdf_office, people, proven, crls=crls) == in_proven
        assert verdict(pdf_office, people, unproven, crls=crls) == in_unproven


def test_a_given_list_that_ended_leaves_it_open(
    pdf_office: PdfOffice, attached: bytes, people: Ca
) -> None:
    person = Person(people, "http://127.0.0.1:9/crl")
    pdf = pdf_office.basic(attached, person)
    stale = revocation_list(people, made=datetime.now(UTC) - 20 * DAY, days=10)
    crls = [*pdf_office.issuer_lists(), stale]
    unknown = ("pdf-signature-revocation-unknown",)
    assert verdict(pdf_office, people, pdf, crls=crls) == unknown
    # The same list in the document, where anybody puts what he likes.
    assert verdict(pdf_office, people, with_list(pdf, stale)) == unknown
    forged = revocation_list(Ca(people.name))
    assert verdict(pdf_office, people, with_list(pdf, forged)) == unknown
    assert verdict(pdf_office, people, with_list(pdf, people.crl())) == ()


def test_a_list_from_after_the_certificates_end_proves_nothing(
    pdf_office: PdfOffice, attached: bytes, people: Ca
) -> None:
    """RFC 5280 §3.3: revoked, then expired, then dropped from the list, then embedded."""
    now = datetime.now(UTC)
    person = Person(people, "http://127.0.0.1:9/crl")
    person.certificate = people.leaf(
        "CCV", person.key, begin=now - 9 * DAY, days=10, crl_url="http://127.0.0.1:9/crl"
    )
    pdf = pdf_office.basic(attached, person)
    late = with_list(pdf, revocation_list(people, made=now + 2 * DAY))
    unknown = ("pdf-signature-revocation-unknown",)
    assert verdict(pdf_office, people, late, at=now + 3 * DAY) == unknown
    both = with_list(late, people.crl())
    assert verdict(pdf_office, people, both, at=now + 3 * DAY) == ()


# Timestamps


@pytest.fixture
def other_tsa(tmp_path: Path) -> Tsa:
    return Tsa(tmp_path / "other", root=Ca("Gốc dấu thời gian khác"))


@pytest.mark.parametrize(
    ("reason", "since", "holds"),
    [
        (x509.ReasonFlags.superseded, DAY, True),
        (x509.ReasonFlags.superseded, -DAY, False),
        (x509.ReasonFlags.cessation_of_operation, DAY, True),
        (x509.ReasonFlags.key_compromise, DAY, False),
        (None, DAY, False),
    ],
)
def test_a_revoked_authority_proves_no_time(
    pdf_office: PdfOffice,
    attached: bytes,
    other_tsa: Tsa,
    reason: x509.ReasonFlags | None,
    since: timedelta,
    holds: bool,
) -> None:
    """RFC 3161 §4: who has the authority's key chooses the time."""
    now = datetime.now(UTC)
    given = revocation_list(other_tsa.issuing, (other_tsa.certificate, now + since, reason))
    with serve(other_tsa.respond, "application/timestamp-reply") as url:
        pdf = pdf_office.basic(attached, pdf_office.notary, tsa_url=url)
    found = pdf_office.verify(
        with_list(pdf, pdf_office.people.crl()),
        timestamp_roots=[pdf_office.tsa.root.pem, other_tsa.root.pem],
        crls=[*pdf_office.issuer_lists(), given],
    )
    (signature,) = found.signatures
    assert (signature.time is not None) == holds
    assert found.outcome is Outcome.PASSED, found.reasons


def test_a_later_timestamp_outlives_the_authority_before(
    pdf_office: PdfOffice, attached: bytes, other_tsa: Tsa
) -> None:
    """B-LTA is for this: the second authority proves the first one's token from before."""
    now = datetime.now(UTC)
    lost = x509.ReasonFlags.key_compromise
    with serve(other_tsa.respond, "application/timestamp-reply") as url:
        pdf = pdf_office.basic(attached, pdf_office.notary, tsa_url=url)
    signed = pdf_office.signed(pdf, pdf_office.organisation.signer)
    for since, proven in ((now + DAY, True), (now - DAY, True)):
        given = revocation_list(other_tsa.issuing, (other_tsa.certificate, since, lost))
        found = pdf_office.verify(
            signed,
            timestamp_roots=[pdf_office.tsa.root.pem, other_tsa.root.pem],
            crls=[*pdf_office.issuer_lists(), given],
        )
        assert found.outcome is Outcome.PASSED, found.reasons
        first = found.signatures[0]
        assert (first.time is not None) == proven
        assert first.level is Level.LTA


def test_a_document_timestamp_of_a_revoked_authority_is_told(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    pdf = pdf_office.signed(attached)
    tsa = pdf_office.tsa
    lost = (tsa.certificate, datetime.now(UTC) + DAY, x509.ReasonFlags.key_compromise)
    crls = [*pdf_office.issuer_lists(), revocation_list(tsa.issuing, lost)]
    found = pdf_office.verify(pdf, crls=crls)
    assert found.signatures[-1].reason == "pdf-timestamp-revoked"
    assert all(signature.time is None for signature in found.signatures)


def test_a_timestamp_over_something_else_proves_nothing(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    """A genuine token, of the pinned authority, for other bytes."""
    with serve(
        lambda query: pdf_office.tsa.respond(_altered(query)), "application/timestamp-reply"
    ) as url:
        pdf = pdf_office.basic(attached, pdf_office.notary, tsa_url=url)
    found = pdf_office.verify(with_list(pdf, pdf_office.people.crl()))
    assert found.signatures[0].time is None


def test_an_assertions_token_of_a_revoked_authority_does_not_pass(pdf_office: PdfOffice) -> None:
    document = plain()
    assertion = pdf_office.issue(document)
    pdf = attach(document, assertion, request_timestamp(pdf_office.tsa_url, assertion.encode()))
    lost = (pdf_office.tsa.certificate, datetime.now(UTC) - DAY, x509.ReasonFlags.key_compromise)
    crls = [*pdf_office.issuer_lists(), revocation_list(pdf_office.tsa.issuing, lost)]
    found = pdf_office.verify(pdf, signature_roots=[], crls=crls)
    assert found.outcome is Outcome.FAILED
    assert "timestamp-revoked" in found.reasons


@pytest.mark.parametrize("order", ["before", "after"])
def test_only_a_later_timestamp_covers_an_assertions_token(
    pdf_office: PdfOffice, other_tsa: Tsa, order: str
) -> None:
    """A document timestamp from before the assertion was attached proves nothing of its token."""
    signer = pdf_office.notary.signer
    document = pdf_office.signed(plain(), signer) if order == "before" else plain()
    assertion = pdf_office.issue(document)
    token = other_tsa.token(sha256(assertion.encode()).digest())
    pdf = attach(document, assertion, token)
    if order == "after":
        pdf = pdf_office.signed(pdf, signer)
    lost = x509.ReasonFlags.key_compromise
    given = revocation_list(
        other_tsa.issuing, (other_tsa.certificate, datetime.now(UTC) + DAY, lost)
    )
    found = pdf_office.verify(
        pdf,
        signature_roots=[],
        timestamp_roots=[pdf_office.tsa.root.pem, other_tsa.root.pem],
        crls=[*pdf_office.issuer_lists(), given],
    )
    assert found.reasons == (("timestamp-revoked",) if order == "before" else ())


def _altered(query: bytes) -> bytes:
    """Return a request with the same nonce for something else."""
    request = tsp.TimeStampReq.load(query)
    request["message_imprint"]["hashed_message"] = sha256(b"something else").digest()
    return bytes(request.dump(force=True))
