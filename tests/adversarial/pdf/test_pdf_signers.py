"""Certificates that do not make a signer: for something else, expired, revoked."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from api.assertions.verification import Outcome
from tests.fixtures.pdf_office import PdfOffice, Person, with_list
from tests.fixtures.revocation_lists import revocation_list
from tests.fixtures.timestamp_authority import Ca

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def people() -> Ca:
    return Ca("Gốc chữ ký khác")


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
