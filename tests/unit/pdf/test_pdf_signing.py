"""Signing: keys from files and tokens, revocation, and authorities that do not answer well."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from api.assertions.crl_check import CrlUnusableError
from api.assertions.errors import RootsUnusableError
from api.assertions.timestamps import MAX_TOKEN_BYTES
from api.assertions.verification import Outcome
from api.errors import InputUnusableError
from api.pdf.errors import (
    RevocationListUnavailableError,
    SignerUnusableError,
    SigningFailedError,
    TimestampRefusedError,
)
from api.pdf.signing import signer_from_pkcs11, signer_from_pkcs12
from api.pdf.timestamp_client import request_timestamp
from tests.fixtures.pdf_office import PASSWORD, PdfOffice, Person, with_list
from tests.fixtures.timestamp_authority import Ca, serve

SOFTHSM = next(
    (
        path
        for path in map(
            Path,
            (
                "/usr/lib/softhsm/libsofthsm2.so",
                "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                "/opt/homebrew/lib/softhsm/libsofthsm2.so",
            ),
        )
        if path.exists()
    ),
    None,
)
PIN = "1234567890"


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pdf_office: PdfOffice) -> Path:
    """A SoftHSM token with the notary's key, certificate and authority."""
    pkcs11 = pytest.importorskip("pkcs11")
    if SOFTHSM is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed")
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    init = ["softhsm2-util", "--init-token", "--free", "--label", "notary"]
    subprocess.run([*init, "--pin", PIN, "--so-pin", PIN], check=True, capture_output=True)
    pem = tmp_path / "key.pem"
    pem.write_bytes(
        pdf_office.notary.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    load = ["softhsm2-util", "--import", pem, "--token", "notary", "--label", "seal", "--id", "01"]
    subprocess.run([*load, "--pin", PIN], check=True, capture_output=True)
    library = pkcs11.lib(str(SOFTHSM))
    library.reinitialize()
    with library.get_token(token_label="notary").open(rw=True, user_pin=PIN) as session:
        from pkcs11.util.x509 import decode_x509_certificate

        for label, certificate in (
            ("seal", pdf_office.notary.certificate),
            ("authority", pdf_office.people.certificate),
        ):
            attributes = decode_x509_certificate(certificate.public_bytes(Encoding.DER))
            attributes[pkcs11.Attribute.LABEL] = label
            attributes[pkcs11.Attribute.TOKEN] = True
            session.create_object(attributes)
    return SOFTHSM


def test_a_token_signs(pdf_office: PdfOffice, attached: bytes, token: Path) -> None:
    with signer_from_pkcs11(token, token_label="notary", label="seal", pin=PIN) as signer:
        pdf = pdf_office.signed(attached, signer)
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED


def test_a_token_that_is_not_there_is_told(tmp_path: Path, token: Path) -> None:
    for module, token_label, label, pin in (
        (tmp_path / "none.so", "notary", "seal", PIN),
        (token, "another", "seal", PIN),
        (token, "notary", "another", PIN),
        (token, "notary", "seal", "wrong"),
    ):
        with (
            pytest.raises(SignerUnusableError),
            signer_from_pkcs11(module, token_label=token_label, label=label, pin=pin),
        ):
            pytest.fail("there is no such signer")


def test_a_file_of_keys_must_open(pdf_office: PdfOffice) -> None:
    data = pdf_office.notary.pkcs12
    for unfit, password in ((data, "wrong"), (data, None), (b"", PASSWORD), (data[:99], PASSWORD)):
        with pytest.raises(SignerUnusableError):
            signer_from_pkcs12(unfit, password)


def test_nothing_is_signed_without_revocation_information(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    with pytest.raises(SigningFailedError):
        pdf_office.signed(attached, fetch_crls=False)
    pdf = pdf_office.signed(attached, fetch_crls=False, crls=[pdf_office.people.crl()])
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED


def test_lists_are_taken_as_authorities_publish_them(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    """DER by the standard (RFC 5280 §4.2.1.13), PEM by some."""
    people = Ca("Gốc có danh sách dạng PEM")
    pem = x509.load_der_x509_crl(people.crl()).public_bytes(Encoding.PEM)
    roots = {"signature_roots": [people.pem]}
    person = Person(people, None)
    given = pdf_office.signed(attached, person.signer, fetch_crls=False, crls=[pem], **roots)
    assert pdf_office.verify(given, **roots).outcome is Outcome.PASSED
    with serve(lambda _: pem, "application/pkix-crl") as url:
        fetched = pdf_office.signed(attached, Person(people, url).signer, **roots)
    assert pdf_office.verify(fetched, **roots).outcome is Outcome.PASSED


def test_what_is_no_certificate_or_list_is_told(pdf_office: PdfOffice, attached: bytes) -> None:
    key = pdf_office.notary.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for given in (key, b"", b"0\x00", b"no certificate", pdf_office.people.crl()):
        for option, error in (
            ("signature_roots", RootsUnusableError),
            ("timestamp_roots", RootsUnusableError),
            ("certificates", SigningFailedError),
        ):
            with pytest.raises(error):
                pdf_office.signed(attached, **{option: [given]})
    for given in (key, b"", b"0\x00", b"no list", pdf_office.people.pem):
        with pytest.raises(CrlUnusableError):
            pdf_office.signed(attached, crls=[given])


def test_nothing_is_signed_with_a_revoked_or_foreign_certificate(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    people = Ca("Gốc có thu hồi")
    with serve(lambda _: people.crl(), "application/pkix-crl") as url:
        person = Person(people, url)
        people.revoked.append(person.certificate)
        with pytest.raises(SigningFailedError):
            pdf_office.signed(attached, person.signer, signature_roots=[people.pem])
        with pytest.raises(SigningFailedError):
            pdf_office.signed(attached, person.signer)
    with pytest.raises(RevocationListUnavailableError):
        pdf_office.signed(attached, person.signer, signature_roots=[people.pem])
    with serve(lambda _: b"no list", "application/pkix-crl") as url:
        person = Person(people, url)
        with pytest.raises(RevocationListUnavailableError):
            pdf_office.signed(attached, person.signer, signature_roots=[people.pem])


def test_other_softwares_signatures_are_judged_by_what_they_carry(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    people = Ca("Gốc có thu hồi")
    person = Person(people, "http://127.0.0.1:9/crl")
    roots = [people.pem]
    pdf = pdf_office.basic(attached, person)
    unknown = pdf_office.verify(pdf, signature_roots=roots)
    assert unknown.outcome is Outcome.INDETERMINATE
    assert unknown.reasons == ("pdf-signature-revocation-unknown",)
    good = with_list(pdf, people.crl())
    assert pdf_office.verify(good, signature_roots=roots).outcome is Outcome.PASSED
    people.revoked.append(person.certificate)
    revoked = with_list(pdf, people.crl(datetime.now(UTC) - timedelta(days=1)))
    found = pdf_office.verify(revoked, signature_roots=roots)
    assert found.outcome is Outcome.FAILED
    assert found.reasons == ("pdf-signature-revoked",)


def test_an_unknown_field_is_told(pdf_office: PdfOffice, attached: bytes) -> None:
    with pytest.raises(SigningFailedError):
        pdf_office.signed(attached, field="Nobody")
    with pytest.raises(InputUnusableError):
        pdf_office.signed(attached, url="https://office.example/a/1")


@contextmanager
def answering(data: bytes) -> Iterator[str]:
    with serve(lambda _: data, "application/timestamp-reply") as url:
        yield url


@pytest.mark.parametrize(
    "data", [b"", b"no answer", b"0" * 100_000, b"\x30\x05\x30\x03\x02\x01\x02"]
)
def test_an_authority_that_answers_badly_is_told(data: bytes) -> None:
    with answering(data) as url, pytest.raises(TimestampRefusedError):
        request_timestamp(url, b"data")


def test_an_answer_to_something_else_is_refused(pdf_office: PdfOffice) -> None:
    kept: list[bytes] = []

    def replay(query: bytes) -> bytes:
        kept.append(pdf_office.tsa.respond(query) if not kept else kept[0])
        return kept[0]

    with serve(replay, "application/timestamp-reply") as url:
        request_timestamp(url, b"data")
        with pytest.raises(TimestampRefusedError):
            request_timestamp(url, b"data")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "not a url", "https://[", ""])
def test_an_authority_that_cannot_be_reached_is_told(url: str) -> None:
    with pytest.raises(TimestampRefusedError):
        request_timestamp(url, b"data", timeout_s=2)


def test_an_authority_that_never_ends_its_answer_is_given_up() -> None:
    """Each byte comes in time, the answer does not."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as until_done:
        stopped = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
                while not stopped.wait(0.05):
                    connection.sendall(b"0")

        dripping = threading.Thread(target=drip)
        dripping.start()
        until_done.callback(dripping.join)
        until_done.callback(stopped.set)
        with pytest.raises(TimestampRefusedError, match="in time"):
            request_timestamp(
                f"http://127.0.0.1:{server.getsockname()[1]}/", b"data", timeout_s=0.5
            )


def test_an_answer_that_is_too_large_is_told() -> None:
    with (
        answering(bytes(MAX_TOKEN_BYTES + 1)) as url,
        pytest.raises(TimestampRefusedError, match="too large"),
    ):
        request_timestamp(url, b"data")
