"""Validation data that anybody adds to a document: responses of nobody, lists without end."""

import time
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.validation.dss import DocumentSecurityStore

from api.assertions.verification import Outcome
from api.pdf.validation_data import MAX_VALIDATION_BYTES
from tests.fixtures.pdf_office import PdfOffice, Person, with_list
from tests.fixtures.revocation_lists import revocation_list
from tests.fixtures.timestamp_authority import Ca, new_key

DAY = timedelta(days=1)
SECONDS = 30.0


def response(
    person: Person,
    by: Ca,
    *,
    delegate: ExtendedKeyUsageOID | None = None,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    at: datetime | None = None,
    about: x509.Certificate | None = None,
) -> bytes:
    """Answer for a certificate, as its authority or as one to whom that gave a certificate."""
    moment = at or datetime.now(UTC)
    is_revoked = status is ocsp.OCSPCertStatus.REVOKED
    key, responder = by.key, by.certificate
    builder = ocsp.OCSPResponseBuilder()
    if delegate is not None:
        key = new_key()
        responder = by.leaf("OCSP", key, purposes=(delegate,))
        builder = builder.certificates([responder])
    made = (
        builder.add_response(
            cert=about or person.certificate,
            issuer=person.authority.certificate,
            algorithm=hashes.SHA1(),
            cert_status=status,
            this_update=moment,
            next_update=moment + DAY,
            revocation_time=moment if is_revoked else None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


def test_only_a_genuine_response_stands_for_a_list(pdf_office: PdfOffice, attached: bytes) -> None:
    """Revoked, then expired, then dropped from the list that is embedded; and any response."""
    now = datetime.now(UTC)
    people, stranger = Ca("Gốc có OCSP"), Ca("Gốc có OCSP")
    person = Person(people, "http://127.0.0.1:9/crl")
    person.certificate = people.leaf(
        "CCV", person.key, begin=now - 9 * DAY, days=10, crl_url="http://127.0.0.1:9/crl"
    )
    late = revocation_list(people, made=now + 2 * DAY)
    pdf = with_list(pdf_office.basic(attached, person), late)
    signing, other = ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION
    for data, outcome in (
        (response(person, people), Outcome.PASSED),
        (response(person, people, delegate=signing), Outcome.PASSED),
        (response(person, people, delegate=other), Outcome.INDETERMINATE),
        (response(person, stranger), Outcome.INDETERMINATE),
        (response(person, stranger, delegate=signing), Outcome.INDETERMINATE),
        (response(person, people, at=now + 2 * DAY), Outcome.INDETERMINATE),
        (response(person, people, about=people.certificate), Outcome.INDETERMINATE),
        (response(person, people, status=ocsp.OCSPCertStatus.UNKNOWN), Outcome.INDETERMINATE),
        (
            response(person, people, status=ocsp.OCSPCertStatus.REVOKED, at=now - DAY),
            Outcome.INDETERMINATE,
        ),
    ):
        out = BytesIO(pdf)
        carried = asn1_ocsp.OCSPResponse.load(data)
        DocumentSecurityStore.add_dss(out, sig_contents=None, ocsps=[carried])
        found = pdf_office.verify(out.getvalue(), signature_roots=[people.pem], at=now + 3 * DAY)
        assert found.outcome is outcome, found.reasons


def carrying(pdf: bytes, streams: list[bytes], times: int = 1) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    made = [generic.StreamObject(stream_data=data) for data in streams]
    for one in made:
        one.compress()
    lists = generic.ArrayObject([writer.add_object(one) for one in made] * times)
    store = generic.DictionaryObject({"/CRLs": lists})
    writer.root["/DSS"] = writer.add_object(store)
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_list_that_is_carried_many_times_is_read_once(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    people = Ca("Gốc có danh sách dài")
    pdf = pdf_office.basic(attached, Person(people, "http://127.0.0.1:9/crl"))
    now = datetime.now(UTC)
    entries = [(x509.load_pem_x509_certificate(people.pem), now, None)]
    long = revocation_list(people, *entries)
    begin = time.process_time()
    found = pdf_office.verify(carrying(pdf, [long], 900), signature_roots=[people.pem])
    assert time.process_time() - begin < SECONDS
    assert found.outcome is Outcome.PASSED, found.reasons


@pytest.mark.parametrize("count", [900, 1001])
def test_validation_data_without_end_are_refused(
    pdf_office: PdfOffice, attached: bytes, count: int
) -> None:
    """Small when packed: by number, or by what they unpack to."""
    size = MAX_VALIDATION_BYTES // 899
    head = b"\x30\x84" + (size + 4).to_bytes(4)
    streams = [head + number.to_bytes(4) + bytes(size) for number in range(count)]
    begin = time.process_time()
    found = pdf_office.verify(carrying(attached, streams), signature_roots=[])
    assert time.process_time() - begin < SECONDS
    assert found.reasons == ("pdf-too-complex",)
