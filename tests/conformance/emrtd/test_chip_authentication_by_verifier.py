"""ICAO Doc 9303-11, 6.2: the verifier challenges the chip through a terminal that holds no key.

Vector: `chip/vectors/ca_aa_transcripts.json` (gmrtd, MIT).
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core

from devices.emrtd.crypto.domain_parameters import STANDARDISED
from devices.emrtd.errors import AuthenticationRefusedError, ChipAuthenticationUnsupportedError
from devices.emrtd.evidence import (
    ChipAuthenticationRecord,
    ChipAuthenticationRequest,
    ChipEvidence,
)
from devices.emrtd.lds import parse_dg14
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.verification.chip_authentication import (
    ChipAuthenticationChallenge,
    challenge_chip,
    verify_chip_authentication,
)
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, parse_profile
from devices.tlv import encode_tlv

CIPHER_ARCS = {"3des": "1", "aes-128": "2", "aes-192": "3", "aes-256": "4"}
# Every group with one cipher, every cipher on one curve and in one Diffie-Hellman group.
VARIANTS = sorted(
    {(number, "aes-128") for number in STANDARDISED}
    | {(number, cipher) for number in (2, 13) for cipher in CIPHER_ARCS}
)


def card_with(*keys: dict[str, object], **chip: object) -> CardImage:
    table = tomllib.loads(SPECIMEN.read_text("utf-8"))
    table["chip"] |= {"chip_authentication_keys": list(keys), "quirks": []} | chip
    return personalise(parse_profile(table))


class Verifier:
    """Challenges a chip as a server does."""

    def __init__(self) -> None:
        self.challenge: ChipAuthenticationChallenge | None = None
        self.short_identifiers: bool | None = None

    def __call__(self, dg14: bytes, *, short_identifiers: bool) -> ChipAuthenticationRequest:
        self.short_identifiers = short_identifiers
        self.challenge = challenge_chip(dg14, short_identifiers=short_identifiers)
        return self.challenge.request(dg14)


def read(image: CardImage) -> tuple[ChipEvidence, Verifier]:
    verifier = Verifier()
    card = SimulatedCard(image)
    evidence = read_chip(card, Can("123456"), data_groups=(14,), clone_challenge=verifier)
    return ChipEvidence.from_bytes(evidence.to_bytes()), verifier


def verify(evidence: ChipEvidence, verifier: Verifier) -> None:
    assert evidence.ca is not None
    assert verifier.challenge is not None
    verify_chip_authentication(verifier.challenge, evidence.files["EF.DG14"], evidence.ca)


def refusal(evidence: ChipEvidence, verifier: Verifier) -> str:
    with pytest.raises(AuthenticationRefusedError) as refused:
        verify(evidence, verifier)
    return refused.value.reason


@pytest.mark.parametrize(("parameter_id", "cipher"), VARIANTS)
def test_6_2_every_variant_genuine_and_cloned(parameter_id: int, cipher: str) -> None:
    image = card_with({"parameter_id": parameter_id, "ciphers": [cipher]})
    evidence, verifier = read(image)
    verify(evidence, verifier)
    assert verifier.challenge is not None
    assert verifier.challenge.oid.endswith(f".{CIPHER_ARCS[cipher]}")
    assert refusal(*read(image.cloned())) == "ca-answer-invalid"


def test_9_2_5_the_strongest_of_the_chips_offers() -> None:
    weak = {"parameter_id": 13, "ciphers": ["3des", "aes-128"], "key_id": 1}
    strong = {"parameter_id": 16, "ciphers": ["aes-256"], "key_id": 9}
    evidence, verifier = read(card_with(weak, strong))
    verify(evidence, verifier)
    assert evidence.ca is not None
    assert (evidence.ca.request.oid[-4:], evidence.ca.request.key_id) == (".2.4", 9)


def test_one_key_of_several_without_its_own_number() -> None:
    keys = ({"parameter_id": 13, "ciphers": ["aes-128"]}, {"parameter_id": 2, "ciphers": ["3des"]})
    verify(*read(card_with(*keys)))


def test_9303_10_3_6_2_a_card_without_short_identifiers() -> None:
    evidence, verifier = read(card_with({}, quirks=["sfi-6a82"]))
    assert verifier.short_identifiers is False
    verify(evidence, verifier)
    assert refusal(*read(card_with({}, quirks=["sfi-6a82"]).cloned())) == ("ca-answer-invalid")


def test_a_card_with_short_lengths_and_a_long_key() -> None:
    verify(*read(card_with({"parameter_id": 2, "ciphers": ["aes-256"]}, extended_length=False)))


def _dg14(*infos: bytes) -> bytes:
    return encode_tlv(0x6E, encode_tlv(0x31, b"".join(sorted(infos))))


def _infos(image: CardImage) -> list[bytes]:
    data = image.files["EF.DG14"]
    return [
        encode_tlv(0x30, encode_tlv(0x06, _contents(info.oid)) + info.required_data)
        for info in parse_dg14(data)
        if info.oid.startswith("0.4.0.127.0.7.2.2.1.")
    ]


def _contents(oid: str) -> bytes:
    return bytes(core.ObjectIdentifier(oid).contents)


def test_9_2_5_a_key_without_an_info_is_for_3des() -> None:
    dg14 = _dg14(*_infos(card_with({})))
    assert challenge_chip(dg14).oid == "0.4.0.127.0.7.2.2.3.2.1"


def test_an_info_without_a_key_or_of_version_2_is_not_run() -> None:
    info = encode_tlv(0x06, _contents("0.4.0.127.0.7.2.2.3.2.2"))
    version_1, version_2 = (encode_tlv(0x30, info + bytes([2, 1, v])) for v in (1, 2))
    for infos in ((version_1,), (version_2, *_infos(card_with({})))):
        with pytest.raises(ChipAuthenticationUnsupportedError):
            challenge_chip(_dg14(*infos))


@pytest.fixture(scope="module")
def transcript(test_data: Path) -> dict[str, Any]:
    path = test_data / "chip/vectors/ca_aa_transcripts.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["TestChipAuthAT"]
    return found


def test_answer_of_a_real_chip(transcript: dict[str, Any]) -> None:
    values = [bytes.fromhex(value) for _, value in transcript["hex_values_in_order"]]
    dg14, private_key, public_key = values[0], values[4], values[8]
    challenge = challenge_chip(
        dg14, short_identifiers=False, scalar=lambda _: int.from_bytes(private_key, "big")
    )
    request = challenge.request(dg14)
    assert request.public_key == public_key
    # The terminal of the transcript selected DG14 first: the very command that is sealed here.
    command, answer = (bytes.fromhex(apdu) for apdu in transcript["apdus"][2])
    assert request.command == command
    verify_chip_authentication(challenge, dg14, ChipAuthenticationRecord(request, answer))
    for position in range(len(answer)):
        changed = bytearray(answer)
        changed[position] ^= 1
        with pytest.raises(AuthenticationRefusedError) as refused:
            record = ChipAuthenticationRecord(request, bytes(changed))
            verify_chip_authentication(challenge, dg14, record)
        assert refused.value.reason == "ca-answer-invalid"
