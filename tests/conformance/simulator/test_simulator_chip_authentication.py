"""Chip Authentication version 1: the transcript of an Austrian card, as far as it pins the chip.

The card's private key is not public, so the shared secret is taken from the terminal's side; what
the chip sends and accepts before and after the change of keys is compared byte for byte.
"""

import hashlib

import pytest

from devices.simulator import tlv
from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.apdu import parse_command
from devices.simulator.chip_authentication import ChipAuthentication
from devices.simulator.ciphers import Aes
from devices.simulator.curves import BRAINPOOL_P256R1, decode_point, encode_point, x_coordinate
from devices.simulator.secure_messaging import SecureMessaging


@pytest.fixture
def transcript(transcripts):
    values = transcripts["TestChipAuthAT"]
    named = [value for _, value in values["hex_values_in_order"]]
    return {
        "apdus": [[bytes.fromhex(part) for part in pair] for pair in values["apdus"]],
        "chip_key": bytes.fromhex(named[0])[-65:],
        "ks": [bytes.fromhex(value) for value in named[1:3]],
        "ssc": int(named[3], 16),
        "terminal_private": int(named[7], 16),
        "terminal_key": bytes.fromhex(named[8]),
        "new_ks": [bytes.fromhex(value) for value in named[11:13]],
    }


def test_the_chip_answers_as_the_transcript(transcript):
    (set_at, set_at_answer), (authenticate, authenticate_answer), (select, select_answer) = (
        transcript["apdus"]
    )
    session = SecureMessaging(Aes(128), *transcript["ks"], ssc=transcript["ssc"])
    plain = session.unwrap(parse_command(set_at))
    assert (plain.header.hex(), plain.data.hex()) == ("002241a4", "800a04007f00070202030202")
    assert session.wrap(0x22, b"", 0x9000) == set_at_answer
    plain = session.unwrap(parse_command(authenticate))
    assert tlv.dynamic_authentication_data(plain.data) == {0x80: transcript["terminal_key"]}
    assert session.wrap(0x86, bytes.fromhex("7C00"), 0x9000) == authenticate_answer

    chip_key = decode_point(BRAINPOOL_P256R1, transcript["chip_key"])
    secret = x_coordinate(BRAINPOOL_P256R1, chip_key * transcript["terminal_private"])
    renewed = SecureMessaging.from_secret(Aes(128), secret)
    assert [renewed._ks_enc, renewed._ks_mac] == transcript["new_ks"]
    plain = renewed.unwrap(parse_command(select))
    assert (plain.header.hex(), plain.data.hex()) == ("00a4020c", "010e")
    assert renewed.wrap(0xA4, b"", 0x9000) == select_answer


def test_both_ends_agree():
    pair = AgreementKeyPair.generate(13)
    run = ChipAuthentication(Aes(128), pair)
    scalar = 0x1234567890ABCDEF
    terminal_key = encode_point(BRAINPOOL_P256R1, BRAINPOOL_P256R1.generator * scalar)
    assert run.step(tlv.encode(0x7C, tlv.encode(0x80, terminal_key)), True) == b"\x7c\x00"
    shared = int((BRAINPOOL_P256R1.generator * (scalar * pair.private_key)).x()).to_bytes(32, "big")
    assert run.session._ks_enc == hashlib.sha1(shared + b"\0\0\0\1").digest()[:16]


def test_a_point_off_the_curve_is_refused():
    run = ChipAuthentication(Aes(128), AgreementKeyPair.generate(13))
    with pytest.raises(ValueError, match="not a point"):
        run.step(tlv.encode(0x7C, tlv.encode(0x80, b"\x04" + bytes(64))), True)
    assert run.session is None
