"""The evidence file: one encoding, and nothing else is accepted."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import cbor2
import pytest

from devices.emrtd.errors import EvidenceMalformedError
from devices.emrtd.evidence import (
    MAX_EVIDENCE_BYTES,
    CamRecord,
    ChipAuthenticationRecord,
    ChipAuthenticationRequest,
    ChipEvidence,
    PaceRecord,
)

CA = {"oid": "0.4", "key_id": None, "public_key": b"\x04", "command": b"\x0c", "answer": None}
EVIDENCE = ChipEvidence(
    files={"EF.SOD": b"\x77\x00", "EF.DG1": b"\x61\x00", "EF.CardAccess": b"\x31\x00"},
    access="PACE-CAN",
    access_offered=("0.4.0.127.0.7.2.2.4.2.2",),
    downgrade_reason=None,
    policy="prefer_pace",
    pace=PaceRecord("0.4.0.127.0.7.2.2.4.2.2", 13),
    aa_challenge=bytes(8),
    aa_response=b"\x01",
    times_ms={"access": 12},
    apdu_count=9,
    reader="reader",
    agent="test",
)


def test_round_trip() -> None:
    assert ChipEvidence.from_bytes(EVIDENCE.to_bytes()) == EVIDENCE
    assert EVIDENCE.data_groups == {1: b"\x61\x00"}


def test_round_trip_of_every_access() -> None:
    cam = CamRecord(b"\x04" + bytes(64), bytes(32))
    record = PaceRecord("0.4.0.127.0.7.2.2.4.6.2", None, cam)
    for evidence in (
        replace(EVIDENCE, pace=record, resumed=2),
        replace(EVIDENCE, access="BAC", pace=None, policy="bac_only"),
    ):
        assert ChipEvidence.from_bytes(evidence.to_bytes()) == evidence
    assert "00" not in repr(cam)


def test_round_trip_of_chip_authentication_and_times() -> None:
    request = ChipAuthenticationRequest("0.4", 1, b"\x04\x05", b"\x0c\xb0\x8e\x00")
    began = datetime(2026, 11, 22, 8, 30, tzinfo=timezone(timedelta(hours=7)))
    for answer in (None, b"\x99\x02\x90\x00"):
        record = ChipAuthenticationRecord(request, answer)
        evidence = replace(EVIDENCE, ca=record, started_at=began, finished_at=began)
        again = ChipEvidence.from_bytes(evidence.to_bytes())
        assert again == evidence
        assert again.to_bytes() == evidence.to_bytes()
    assert b"2026-11-22T01:30:00Z" in evidence.to_bytes()
    assert "99" not in repr(evidence)


def test_one_digest_whatever_the_order() -> None:
    reordered = replace(EVIDENCE, files=dict(reversed(list(EVIDENCE.files.items()))))
    assert reordered.to_bytes() == EVIDENCE.to_bytes()


def test_every_truncation_is_refused() -> None:
    data = EVIDENCE.to_bytes()
    for length in range(len(data)):
        with pytest.raises(EvidenceMalformedError):
            ChipEvidence.from_bytes(data[:length])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", 1),
        ("version", 3),
        ("version", True),
        ("format", "other"),
        ("files", []),
        ("files", {"EF.DG1": "text"}),
        ("files", {"EF.DG1": b""}),
        ("files", {"EF.DG17": b"\x00"}),
        ("files", {"../../etc/passwd": b"\x00"}),
        ("files", {1: b"\x00"}),
        ("files", {"EF.DG1": bytes((1 << 20) + 1)}),
        ("access", "NONE"),
        ("access", None),
        ("access", ["PACE-CAN"]),
        ("access_offered", "text"),
        ("access_offered", [1]),
        ("downgrade_reason", 1),
        ("policy", "anything"),
        ("policy", None),
        ("policy", ["prefer_pace"]),
        ("pace", None),
        ("pace", "0.4.0.127.0.7.2.2.4.2.2"),
        ("pace", {}),
        ("pace", {"oid": 1, "parameter_id": 13, "cam": None}),
        ("pace", {"oid": "0.4", "parameter_id": -1, "cam": None}),
        ("pace", {"oid": "0.4", "parameter_id": True, "cam": None}),
        ("pace", {"oid": "0.4", "parameter_id": 13, "cam": {}}),
        ("pace", {"oid": "0.4", "parameter_id": 13, "cam": {"mapping_key": b"\x04"}}),
        ("pace", {"oid": "0.4", "parameter_id": 13, "cam": None, "more": 1}),
        ("access", "BAC"),
        ("ca", {}),
        ("ca", CA | {"more": 1}),
        ("ca", CA | {"oid": 1}),
        ("ca", CA | {"key_id": -1}),
        ("ca", CA | {"key_id": True}),
        ("ca", CA | {"public_key": b""}),
        ("ca", CA | {"command": "00"}),
        ("ca", CA | {"answer": b""}),
        ("ca", CA | {"answer": bytes(5000)}),
        ("started_at", 0),
        ("started_at", ""),
        ("started_at", "2026-11-22"),
        ("started_at", "2026-11-22T01:30:00+07:00"),
        ("started_at", "2026-11-22T1:30:00Z"),
        ("finished_at", "2026-13-22T01:30:00Z"),
        ("finished_at", "2026-11-22T01:30:00.5Z"),
        ("resumed", -1),
        ("resumed", None),
        ("aa_challenge", "00"),
        ("aa_challenge", bytes(9)),
        ("aa_response", b""),
        ("times_ms", {"access": -1}),
        ("times_ms", {"access": 1.5}),
        ("apdu_count", True),
        ("apdu_count", 1 << 40),
        ("reader", b"bytes"),
        ("reader", "x" * 300),
        ("agent", None),
    ],
)
def test_wrong_types_and_values(name: str, value: Any) -> None:
    content = cbor2.loads(EVIDENCE.to_bytes()) | {name: value}
    with pytest.raises(EvidenceMalformedError):
        ChipEvidence.from_bytes(cbor2.dumps(content, canonical=True))


def test_missing_and_unknown_entries() -> None:
    content = cbor2.loads(EVIDENCE.to_bytes())
    for name in content:
        fewer = {key: value for key, value in content.items() if key != name}
        with pytest.raises(EvidenceMalformedError):
            ChipEvidence.from_bytes(cbor2.dumps(fewer, canonical=True))
    with pytest.raises(EvidenceMalformedError):
        ChipEvidence.from_bytes(cbor2.dumps(content | {"more": 1}, canonical=True))


def test_other_encodings_of_the_same_content() -> None:
    content = cbor2.loads(EVIDENCE.to_bytes())
    shuffled = dict(reversed(list(content.items())))
    for data in (cbor2.dumps(shuffled), EVIDENCE.to_bytes() + b"\x00"):
        with pytest.raises(EvidenceMalformedError):
            ChipEvidence.from_bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x00\x00\x00\xff\xff\xff\xff\xff",
        b"\x81" * 100_000,
        b"\xd8\x1c\x81\xd8\x1d\x00",
        bytes(MAX_EVIDENCE_BYTES + 1),
    ],
    ids=["empty", "huge-array", "4-gib-bytes", "nested", "cyclic", "too-large"],
)
def test_bombs(data: bytes) -> None:
    with pytest.raises(EvidenceMalformedError):
        ChipEvidence.from_bytes(data)
