"""Whatever answers in the authority's place: a bounded time, one error, nothing in the log."""

import gzip
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from api.proofing.online_authority import HttpAuthority
from devices.emrtd.errors import OnlineAuthorityUnavailableError
from devices.emrtd.verification.online_verdict import (
    OnlineVerdictRecord,
    VerdictRequest,
    verify_signed_verdict,
)
from tests.fixtures import trust_pki as pki
from tests.fixtures.fake_authority import FakeAuthority
from tests.fixtures.trust_pki import Issued

KEY = ECKey.generate_key("P-256")
REQUEST = VerdictRequest.about("ab" * 32)


def tls_certificate(number: int, by: Issued | None = None, host: str = "127.0.0.1") -> Issued:
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    subject = pki.name(f"authority {number}")
    return pki.issue(subject, pki.key(number, "secp256r1"), by, extensions=[(names, False)])


def pem_of(issued: Issued, folder: Path, *, private: bool = False) -> Path:
    certificate = x509.load_der_x509_certificate(issued.certificate.der)
    data = certificate.public_bytes(Encoding.PEM)
    if private:
        data += issued.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / f"{issued.certificate.sha256}-{private}.pem"
    path.write_bytes(data)
    return path


CA = pki.authority(70, "TLS root", kind="secp256r1", path_length=None)
SERVER = tls_certificate(71, CA)


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeAuthority]]:
    with ExitStack() as stack:
        yield lambda **odd: stack.enter_context(FakeAuthority(KEY, **odd))


@pytest.mark.parametrize("pinned", [CA, SERVER], ids=["its-authority", "itself"])
def test_a_pinned_certificate(serve: Any, tmp_path: Path, pinned: Issued) -> None:
    authority = serve(certificate=pem_of(SERVER, tmp_path, private=True))
    client = HttpAuthority(authority.url, 5, pem_of(pinned, tmp_path))
    verdict = verify_signed_verdict(OnlineVerdictRecord(REQUEST, client.ask(REQUEST)), KEY)
    assert verdict.answer == "genuine"
    assert authority.questions == [{"lds_sha256": REQUEST.lds_sha256, "nonce": REQUEST.nonce}]


@pytest.mark.parametrize(
    ("shown", "pinned"),
    [
        (SERVER, pki.authority(72, "TLS root", kind="secp256r1", path_length=None)),
        (SERVER, tls_certificate(73, CA)),
        (SERVER, None),
        (tls_certificate(74, CA, "127.0.0.2"), CA),
    ],
    ids=["another-root", "another-server", "the-systems-roots", "another-address"],
)
def test_another_server(serve: Any, tmp_path: Path, shown: Issued, pinned: Issued | None) -> None:
    authority = serve(certificate=pem_of(shown, tmp_path, private=True))
    client = HttpAuthority(authority.url, 5, pinned and pem_of(pinned, tmp_path))
    with pytest.raises(OnlineAuthorityUnavailableError):
        client.ask(REQUEST)
    assert authority.questions == []


@pytest.mark.parametrize(
    "odd",
    [
        {"status": 500},
        {"status": 404},
        {"status": 204},
        {"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}},
        {"padding": 1 << 20},
        {"headers": {"Content-Length": "99999"}},
        {"headers": {"Content-Length": "x"}},
        {"headers": {"X": "y" * 200_000}},
    ],
    ids=lambda odd: "-".join(f"{name}-{str(value)[:20]}" for name, value in odd.items()),
)
def test_what_is_no_answer(serve: Any, odd: dict[str, Any]) -> None:
    authority = serve(**odd)
    with pytest.raises(OnlineAuthorityUnavailableError):
        HttpAuthority(authority.url, 5).ask(REQUEST)


@pytest.mark.parametrize("odd", [{"delay_s": 60.0}, {"pause_s": 0.2}], ids=["slow", "dripping"])
def test_the_time_is_bounded(serve: Any, odd: dict[str, Any]) -> None:
    begun = time.monotonic()
    with pytest.raises(OnlineAuthorityUnavailableError):
        HttpAuthority(serve(**odd).url, 0.4).ask(REQUEST)
    assert time.monotonic() - begun < 30


def test_what_is_compressed_is_not_expanded(serve: Any) -> None:
    authority = serve(headers={"Content-Encoding": "gzip"}, padding=100)
    answer = HttpAuthority(authority.url, 5).ask(REQUEST)
    assert not answer.startswith(gzip.compress(b"")[:2])
    assert answer.endswith(b"." * 100)


def test_nobody_there() -> None:
    for url in ("http://127.0.0.1:9/", "https://127.0.0.1:9/"):
        with pytest.raises(OnlineAuthorityUnavailableError):
            HttpAuthority(url, 5).ask(REQUEST)


def test_nothing_of_the_question_is_told(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = HttpAuthority(serve(status=503).url, 5)
    with pytest.raises(OnlineAuthorityUnavailableError) as error:
        client.ask(REQUEST)
    told = caplog.text + str(error.value) + repr(error.value)
    assert "status 503" in told
    for secret in (REQUEST.lds_sha256, REQUEST.nonce):
        assert secret not in told


def test_the_environment_does_not_choose_another_way(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert HttpAuthority(serve().url, 5).ask(REQUEST)


def test_a_name_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up a name cannot be interrupted: it must not hold the session up either."""
    look_up, answers = socket.getaddrinfo, threading.Event()

    def slow(*arguments: Any, **more: Any) -> Any:
        answers.wait(60)
        return look_up("127.0.0.1", *arguments[1:], **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    begun = time.monotonic()
    with pytest.raises(OnlineAuthorityUnavailableError):
        HttpAuthority("http://localhost:9/", 0.3).ask(REQUEST)
    assert time.monotonic() - begun < 30
    answers.set()
