"""An authority's online verdict: authentic answers count, everything else says nothing.

The authority is a fake on loopback: the real one's protocol is not public.
"""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from devices.emrtd.errors import AuthenticationRefusedError
from devices.emrtd.verification.online_verdict import (
    OnlineVerdictRecord,
    VerdictRequest,
    ask_authority,
    check_online_verdict,
    verify_signed_verdict,
)
from devices.errors import DeviceError
from tests.fixtures import trust_pki as pki
from tests.fixtures.trust_pki import authority, document_signer, resigned

CSCA = authority()
EVIDENCE = resigned(document_signer(CSCA))
KEY = ECKey.generate_key("P-256")
PUBLIC_KEY = ECKey.import_key(KEY.as_dict(private=False))


class AuthorityUnreachableError(DeviceError):
    code = "authority-unreachable"


@dataclass(frozen=True)
class HttpAuthority:
    """A client of the fake authority."""

    url: str

    def ask(self, request: VerdictRequest) -> bytes:
        try:
            question = {"sod_sha256": request.sod_sha256, "nonce": request.nonce}
            return httpx.post(self.url, json=question, timeout=5).raise_for_status().content
        except httpx.HTTPError:
            raise AuthorityUnreachableError("the authority does not answer") from None


def _answer(question: dict[str, Any], **changes: Any) -> bytes:
    header = {"alg": "ES256", "typ": changes.pop("typ", "chip-verdict+jwt")}
    key = changes.pop("key", KEY)
    claims = question | {"iat": int(datetime.now(UTC).timestamp()), "verdict": "genuine"} | changes
    return jws.serialize_compact(header, json.dumps(claims), key).encode()


@pytest.fixture
def serve() -> Iterator[Callable[..., HttpAuthority]]:
    servers: list[HTTPServer] = []

    def start(status: int = 200, **changes: Any) -> HttpAuthority:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                answer = _answer(json.loads(self.rfile.read(length)), **changes)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return HttpAuthority(f"http://127.0.0.1:{server.server_port}/")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _verdict(record: OnlineVerdictRecord | None) -> Any:
    return pki.verdict_of(EVIDENCE, CSCA.anchors, online=record, authority_key=PUBLIC_KEY)


SOD_SHA256 = _verdict(None).sod_sha256


def test_not_configured() -> None:
    check = _verdict(None).check("online-verdict")
    assert (check.result, check.reason) == ("not_performed", "online-verdict-not-configured")
    assert _verdict(None).outcome == "PASSED"


@pytest.mark.parametrize(
    ("answer", "result", "reason", "outcome"),
    [
        ("genuine", "ok", None, "PASSED"),
        ("refused", "failed", "online-verdict-refused", "FAILED"),
        ("unknown", "not_performed", "online-verdict-unknown", "PASSED"),
    ],
)
def test_answers(
    serve: Callable[..., HttpAuthority], answer: str, result: str, reason: str | None, outcome: str
) -> None:
    record = ask_authority(serve(verdict=answer), SOD_SHA256)
    verdict = _verdict(record)
    check = verdict.check("online-verdict")
    assert (check.result, check.reason, verdict.outcome) == (result, reason, outcome)
    assert verdict.online_verdict.raw == record.raw
    # Years later, the record gives the same check.
    assert _verdict(replace(record)).check("online-verdict") == check


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": ECKey.generate_key("P-256")}, "signature-invalid"),
        ({"sod_sha256": "00" * 32}, "mismatch"),
        ({"nonce": "00" * 16}, "mismatch"),
        ({"iat": int((datetime.now(UTC) - timedelta(hours=1)).timestamp())}, "expired"),
        ({"iat": 1e300}, "malformed"),
        ({"iat": None}, "malformed"),
        ({"verdict": "ok"}, "malformed"),
        ({"typ": "JWT"}, "malformed"),
        ({"status": 500}, "unavailable"),
    ],
)
def test_answers_that_say_nothing(
    serve: Callable[..., HttpAuthority], changes: dict[str, Any], reason: str
) -> None:
    verdict = _verdict(ask_authority(serve(**changes), SOD_SHA256))
    check = verdict.check("online-verdict")
    assert (check.result, check.reason) == ("not_performed", f"online-verdict-{reason}")
    assert verdict.online_verdict is None


def test_no_authority_there() -> None:
    record = ask_authority(HttpAuthority("http://127.0.0.1:9/"), SOD_SHA256)
    assert record.raw is None
    assert _verdict(record).check("online-verdict").reason == "online-verdict-unavailable"


def test_answer_about_another_document_is_not_taken_for_this_one() -> None:
    request = VerdictRequest.about("11" * 32)
    raw = _answer({"sod_sha256": request.sod_sha256, "nonce": request.nonce})
    record = OnlineVerdictRecord(request, raw)
    assert verify_signed_verdict(record, PUBLIC_KEY).answer == "genuine"
    assert _verdict(record).check("online-verdict").reason == "online-verdict-mismatch"


@pytest.mark.parametrize(
    "raw", [b"", b"a", b"..", b"a.b.c", b"\xff" * 10, b"." * 70_000, b"e30.e30.e30"]
)
def test_bytes_that_are_no_answer(raw: bytes) -> None:
    record = OnlineVerdictRecord(VerdictRequest.about(SOD_SHA256), raw)
    with pytest.raises(AuthenticationRefusedError):
        verify_signed_verdict(record, PUBLIC_KEY)
    assert check_online_verdict(record, PUBLIC_KEY, SOD_SHA256)[0].result == "not_performed"


def test_unsigned_answer() -> None:
    header = "eyJhbGciOiJub25lIiwidHlwIjoiY2hpcC12ZXJkaWN0K2p3dCJ9"
    body = _answer({"sod_sha256": SOD_SHA256, "nonce": "00"}).split(b".")[1].decode()
    record = OnlineVerdictRecord(VerdictRequest.about(SOD_SHA256), f"{header}.{body}.".encode())
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_signed_verdict(record, PUBLIC_KEY)
    assert refusal.value.reason == "online-verdict-signature-invalid"
