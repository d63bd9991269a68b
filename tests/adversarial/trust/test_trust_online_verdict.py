"""An authority's online verdict: authentic answers count, everything else says nothing.

The authority is a fake on loopback: the real one's protocol is not public.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from joserfc.jwk import ECKey

from api.proofing.online_authority import HttpAuthority
from devices.emrtd.errors import AuthenticationRefusedError, EvidenceMalformedError
from devices.emrtd.files import SOD
from devices.emrtd.verification.online_verdict import (
    MAX_ANSWER_BYTES,
    OnlineVerdictRecord,
    VerdictRequest,
    ask_authority,
    check_online_verdict,
    verify_signed_verdict,
)
from devices.tlv import encode_tlv, parse_tlv
from tests.fixtures import trust_pki as pki
from tests.fixtures.fake_authority import FakeAuthority, sign_answer
from tests.fixtures.trust_pki import authority, document_signer, resigned

CSCA = authority()
EVIDENCE = resigned(document_signer(CSCA))
KEY = ECKey.generate_key("P-256")
PUBLIC_KEY = ECKey.import_key(KEY.as_dict(private=False))


@pytest.fixture
def serve() -> Iterator[Callable[..., HttpAuthority]]:
    """Return a function that starts an authority with something odd, and returns its client."""
    with ExitStack() as stack:

        def start(**odd: Any) -> HttpAuthority:
            odd = {"key": KEY} | odd
            return HttpAuthority(stack.enter_context(FakeAuthority(**odd)).url, timeout_s=5)

        yield start


def _verdict(record: OnlineVerdictRecord | None) -> Any:
    return pki.verdict_of(EVIDENCE, CSCA.anchors, online=record, authority_key=PUBLIC_KEY)


LDS_SHA256 = _verdict(None).lds_sha256
OTHER = asn1_x509.Certificate.load(authority(55).certificate.der)


def test_not_configured() -> None:
    verdict = pki.verdict_of(EVIDENCE, CSCA.anchors)
    check = verdict.check("online-verdict")
    assert (check.result, check.reason) == ("not_performed", "online-verdict-not-configured")
    assert verdict.outcome == "PASSED"


def _add_certificate(signed: cms.SignedData) -> None:
    signed["certificates"].append(cms.CertificateChoices("certificate", OTHER))


def _add_attribute(signed: cms.SignedData) -> None:
    attribute = cms.CMSAttribute({"type": "1.2.3.4", "values": [core.Any(core.Null())]})
    signed["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([attribute])


@pytest.mark.parametrize("change", [_add_certificate, _add_attribute])
def test_unsigned_bytes_make_no_other_document(change: Callable[[cms.SignedData], None]) -> None:
    """A terminal cannot have the authority asked about another card than the one it has."""
    assert EVIDENCE.sod is not None
    file = cms.ContentInfo.load(parse_tlv(EVIDENCE.sod, SOD.tag).value)
    change(file["content"])
    altered = encode_tlv(SOD.tag, file.dump(force=True))
    evidence = replace(EVIDENCE, files={**EVIDENCE.files, SOD.name: altered})
    verdict = pki.verdict_of(evidence, CSCA.anchors)
    assert verdict.outcome == "PASSED"
    assert verdict.sod_sha256 != _verdict(None).sod_sha256
    assert verdict.lds_sha256 == LDS_SHA256


def test_an_authority_that_has_to_agree_and_was_not_asked() -> None:
    verdict = _verdict(None)
    assert (verdict.outcome, verdict.reasons) == ("INDETERMINATE", ("online-verdict-unavailable",))


@pytest.mark.parametrize(
    ("answer", "result", "reason", "outcome"),
    [
        ("genuine", "ok", None, "PASSED"),
        ("refused", "failed", "online-verdict-refused", "FAILED"),
        ("unknown", "not_performed", "online-verdict-unknown", "INDETERMINATE"),
    ],
)
def test_answers(
    serve: Callable[..., HttpAuthority], answer: str, result: str, reason: str | None, outcome: str
) -> None:
    record = ask_authority(serve(verdict=answer), LDS_SHA256)
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
        ({"lds_sha256": "00" * 32}, "mismatch"),
        ({"nonce": "00" * 16}, "mismatch"),
        ({"nonce": "\ud800"}, "mismatch"),
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
    verdict = _verdict(ask_authority(serve(**changes), LDS_SHA256))
    check = verdict.check("online-verdict")
    assert (check.result, check.reason) == ("not_performed", f"online-verdict-{reason}")
    assert (verdict.outcome, verdict.reasons) == ("INDETERMINATE", (check.reason,))
    assert verdict.online_verdict is None


def test_no_authority_there() -> None:
    record = ask_authority(HttpAuthority("http://127.0.0.1:9/", timeout_s=5), LDS_SHA256)
    assert record.raw is None
    assert _verdict(record).check("online-verdict").reason == "online-verdict-unavailable"


def test_answer_about_another_document_is_not_taken_for_this_one() -> None:
    request = VerdictRequest.about("11" * 32)
    raw = sign_answer({"lds_sha256": request.lds_sha256, "nonce": request.nonce}, KEY)
    record = OnlineVerdictRecord(request, raw)
    assert verify_signed_verdict(record, PUBLIC_KEY).answer == "genuine"
    assert _verdict(record).check("online-verdict").reason == "online-verdict-mismatch"


@pytest.mark.parametrize(
    "raw", [b"", b"a", b"..", b"a.b.c", b"\xff" * 10, b"." * 70_000, b"e30.e30.e30"]
)
def test_bytes_that_are_no_answer(raw: bytes) -> None:
    record = OnlineVerdictRecord(VerdictRequest.about(LDS_SHA256), raw)
    with pytest.raises(AuthenticationRefusedError):
        verify_signed_verdict(record, PUBLIC_KEY)
    assert check_online_verdict(record, PUBLIC_KEY, LDS_SHA256)[0].result == "not_performed"


def test_unsigned_answer() -> None:
    header = "eyJhbGciOiJub25lIiwidHlwIjoiY2hpcC12ZXJkaWN0K2p3dCJ9"
    body = sign_answer({"lds_sha256": LDS_SHA256, "nonce": "00"}, KEY).split(b".")[1].decode()
    record = OnlineVerdictRecord(VerdictRequest.about(LDS_SHA256), f"{header}.{body}.".encode())
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_signed_verdict(record, PUBLIC_KEY)
    assert refusal.value.reason == "online-verdict-signature-invalid"


class TestRecord:
    """Question and answer as they are kept: the same bytes, or refused."""

    request = VerdictRequest.about("ab" * 32)

    @pytest.mark.parametrize("raw", [None, b"", b"a.b.c", bytes(range(256)), b"x" * 65_536])
    def test_round_trip(self, raw: bytes | None) -> None:
        record = OnlineVerdictRecord(self.request, raw)
        kept = record.to_bytes()
        assert OnlineVerdictRecord.from_bytes(kept) == record
        assert OnlineVerdictRecord.from_bytes(kept).to_bytes() == kept

    @pytest.mark.parametrize(
        "changes",
        [
            {"format": "another"},
            {"version": 2},
            {"lds_sha256": 7},
            {"nonce": None},
            {"asked_at": "2026-11-22T00:00:00"},
            {"asked_at": "yesterday"},
            {"asked_at": 1},
            {"answer": "text"},
            {"answer": [b""]},
            {"answer": bytes(MAX_ANSWER_BYTES + 2000)},
            {"more": 1},
        ],
    )
    def test_another_record(self, changes: dict[str, Any]) -> None:
        content = cbor2.loads(OnlineVerdictRecord(self.request, b"a.b.c").to_bytes())
        with pytest.raises(EvidenceMalformedError):
            OnlineVerdictRecord.from_bytes(cbor2.dumps(content | changes, canonical=True))

    def test_other_bytes(self) -> None:
        kept = OnlineVerdictRecord(self.request, b"a.b.c").to_bytes()
        loose = cbor2.dumps(dict(reversed(cbor2.loads(kept).items())))
        for data in (b"", kept[:-1], kept + b"0", loose, b"\x80", b"\x81" * 3000, b"\xa1\x80\x80"):
            with pytest.raises(EvidenceMalformedError):
                OnlineVerdictRecord.from_bytes(data)
