"""Any bytes, and any damage to good ones, end in a value or in our own typed error, quickly."""

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biometrics.errors import BiometricsError
from devices.apdu import CommandApdu
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.evidence import ChipEvidence, PaceRecord
from devices.emrtd.lds.mrz import MrzKey, check_digit, parse_mrz
from devices.emrtd.terminal.secure_messaging import SecureMessaging
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.verifier import verify_evidence
from devices.errors import DeviceError
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import load_profile
from devices.tlv import Tlv, encode_tlv, parse_tlv, parse_tlvs
from tests.fuzz.seeds import seeds_for
from tests.fuzz.targets import TARGETS

SPECIMEN = Path(__file__).parents[3] / "devices/simulator/specimen.toml"
QUICK = settings(
    max_examples=120, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@cache
def _card() -> CardImage:
    return personalise(load_profile(SPECIMEN))


@cache
def _seeds(name: str) -> list[bytes]:
    folder = os.environ.get("CHINHCHU_TEST_DATA", Path(__file__).parents[3] / "../shared/data")
    return seeds_for(name, Path(folder))


def _value_or_typed_error(parse: Callable[[bytes], Any], data: bytes) -> None:
    try:
        parse(data)
    except (DeviceError, BiometricsError) as error:
        assert error.code
        assert type(error) not in (DeviceError, BiometricsError)


@pytest.mark.parametrize("name", TARGETS)
@QUICK
@given(data=st.binary(max_size=512))
def test_any_bytes(name: str, data: bytes) -> None:
    _value_or_typed_error(TARGETS[name], data)


@pytest.mark.parametrize("name", TARGETS)
def test_well_formed_inputs_are_taken(name: str) -> None:
    """The seeds are worth damaging: each parser takes at least one of its own."""
    if not _seeds(name):
        pytest.skip(f"no seed for {name} without the published test data")
    taken = 0
    for seed in _seeds(name):
        with contextlib.suppress(DeviceError):
            TARGETS[name](seed)
            taken += 1
    assert taken


@pytest.mark.parametrize("name", TARGETS)
@QUICK
@given(data=st.data())
def test_damaged_inputs(name: str, data: st.DataObject) -> None:
    """Bytes changed, cut out, doubled or cut off: still a value or our own error."""
    if not _seeds(name):
        pytest.skip(f"no seed for {name} without the published test data")
    damaged = bytearray(data.draw(st.sampled_from(_seeds(name))))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, max(0, len(damaged) - 1)))
        length = data.draw(st.integers(0, 8))
        piece = damaged[position : position + length]
        kind = data.draw(st.sampled_from(("change", "cut out", "double", "write")))
        if kind == "change" and damaged:
            damaged[position] = data.draw(st.integers(0, 255))
        elif kind == "cut out":
            del damaged[position : position + length]
        elif kind == "double":
            damaged[position:position] = piece
        else:
            damaged[position:position] = data.draw(st.binary(max_size=8))
    cut = data.draw(st.integers(0, len(damaged)))
    _value_or_typed_error(TARGETS[name], bytes(damaged))
    _value_or_typed_error(TARGETS[name], bytes(damaged[:cut]))


@QUICK
@given(data=st.data())
def test_damaged_evidence_gets_a_verdict(data: st.DataObject) -> None:
    """Whatever the terminal did to the files, the verifier answers, and never with PASSED."""
    files = dict(_card().files)
    del files["EF.COM"]
    name = data.draw(st.sampled_from(sorted(files)))
    damaged = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    files[name] = bytes(damaged)
    evidence = ChipEvidence(
        files=files,
        access="PACE-CAN",
        access_offered=(),
        downgrade_reason=None,
        policy="prefer_pace",
        pace=PaceRecord("0.4.0.127.0.7.2.2.4.2.2", 13),
        aa_challenge=bytes(8),
        aa_response=bytes(256),
        times_ms={},
        apdu_count=1,
        reader="test",
        agent="test",
    )
    anchors = TrustAnchors((parse_certificate(_card().csca),))
    at = datetime(2026, 11, 21, tzinfo=UTC)
    verdict = verify_evidence(evidence, anchors, challenge=bytes(8), at=at)
    assert verdict.outcome == "FAILED"


@QUICK
@given(text=st.text(max_size=120))
def test_any_text_as_mrz(text: str) -> None:
    _value_or_typed_error(lambda _: parse_mrz(text), b"")


@QUICK
@given(tag=st.sampled_from([0x02, 0x30, 0x5F1F, 0x7F61, 0x87]), value=st.binary(max_size=70_000))
def test_tlv_round_trip(tag: int, value: bytes) -> None:
    assert parse_tlv(encode_tlv(tag, value), tag) == Tlv(tag, value)


@QUICK
@given(
    cipher=st.sampled_from(list(SessionCipher)),
    data=st.binary(max_size=700),
    le=st.one_of(st.none(), st.integers(1, 65536)),
    ins=st.sampled_from([0xB0, 0xB1, 0x88, 0xA4]),
)
def test_a_protected_command_is_whole_and_hides_its_data(
    cipher: SessionCipher, data: bytes, le: int | None, ins: int
) -> None:
    key = bytes(range(cipher.key_bytes))
    session = SecureMessaging(cipher, key, key, bytes(cipher.block_bytes))
    wrapped = session.wrap(CommandApdu(0x00, ins, 0x00, 0x00, data, le))
    tags = [element.tag for element in parse_tlvs(wrapped.data)]
    cryptogram = [0x85 if ins & 1 else 0x87] if data else []
    assert tags == cryptogram + ([0x97] if le else []) + [0x8E]
    assert len(data) < 8 or data not in wrapped.to_bytes()


@QUICK
@given(
    number=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=9),
    birth=st.text("0123456789", min_size=6, max_size=6),
    expiry=st.text("0123456789", min_size=6, max_size=6),
)
def test_td3_round_trip(number: str, birth: str, expiry: str) -> None:
    number_field, personal = number.ljust(9, "<"), "<" * 14
    line2 = f"{number_field}{check_digit(number_field)}UTO{birth}{check_digit(birth)}F"
    line2 += f"{expiry}{check_digit(expiry)}{personal}0"
    line2 += check_digit(line2[0:10] + line2[13:20] + line2[21:43])
    mrz = parse_mrz("P<UTOERIKSSON<<ANNA<MARIA".ljust(44, "<") + "\n" + line2)
    assert (mrz.document_number, mrz.name) == (number, "ERIKSSON ANNA MARIA")
    assert mrz.key == MrzKey(number, birth, expiry)
