"""Timestamps that prove nothing: of a revoked authority, or over something else."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography import x509

from api.assertions.verification import Outcome
from api.pdf.attachments import attach
from api.pdf.signatures import Level
from api.pdf.timestamp_client import request_timestamp
from tests.fixtures.pdf_documents import plain
from tests.fixtures.pdf_office import PdfOffice, with_list
from tests.fixtures.revocation_lists import revocation_list
from tests.fixtures.timestamp_authority import Ca, Tsa, serve

DAY = timedelta(days=1)


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
