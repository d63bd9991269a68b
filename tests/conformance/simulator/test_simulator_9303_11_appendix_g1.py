"""ICAO Doc 9303-11 appendix G.1: PACE with Generic Mapping over brainpoolP256r1, byte for byte."""

import pytest

from devices.simulator.pace import Pace, Password, password_secret
from devices.simulator.protocols import PaceOffer

from .conftest import Script

# G.1 step 3: the chip's ephemeral private key for the mapped generator.
CHIP_PRIVATE_KEY = "107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A"
MRZ_INFORMATION = "T22000129364081251010318"


@pytest.fixture
def example(icao_vectors):
    return icao_vectors["PACE_GM_ECDH_G1"]


@pytest.fixture
def card(make_card, example):
    script = Script(octets=[example["s"]], scalars=[example["map_picc_priv"], CHIP_PRIVATE_KEY])
    return make_card(MRZ_INFORMATION, script)


def test_every_response_is_the_example_s(card, example):
    for command, response in example["APDUs"]:
        assert card.transmit(bytes.fromhex(command)).hex().upper() == response


def test_the_session_has_the_example_s_keys(example):
    script = Script(octets=[example["s"]], scalars=[example["map_picc_priv"], CHIP_PRIVATE_KEY])
    secret = password_secret(Password.MRZ, "", MRZ_INFORMATION)
    run = Pace(PaceOffer(), secret, script)
    steps = [bytes.fromhex(command)[5:-1] for command, _ in example["APDUs"][1:]]
    for number, step in enumerate(steps, 1):
        run.step(step, number == len(steps))
    session = run.session
    assert session._ks_enc.hex().upper() == example["KS_Enc"]
    assert session._ks_mac.hex().upper() == example["KS_Mac"]
    assert session._ssc == 0


def test_a_wrong_token_is_refused_in_step_4(card, example):
    *steps, (last, _) = example["APDUs"]
    for command, _ in steps:
        card.transmit(bytes.fromhex(command))
    altered = bytearray.fromhex(last)
    altered[-2] ^= 1
    assert card.transmit(bytes(altered)) == bytes.fromhex("6300")
    assert card.transmit(bytes.fromhex(last)) == bytes.fromhex("6985")


def test_steps_out_of_order_are_refused(card, example):
    commands = [bytes.fromhex(command) for command, _ in example["APDUs"]]
    card.transmit(commands[0])
    assert card.transmit(commands[2]) == bytes.fromhex("6A80")
    assert card.transmit(commands[1]) == bytes.fromhex("6985")


@pytest.mark.parametrize("point", ["04" + "11" * 64, "00", "02" + "11" * 32, ""])
def test_a_key_that_is_no_point_of_the_curve_is_refused(card, example, point):
    for command, _ in example["APDUs"][:2]:
        card.transmit(bytes.fromhex(command))
    value = bytes.fromhex(point)
    data = bytes([0x7C, len(value) + 2, 0x81, len(value)]) + value
    command = bytes.fromhex("10860000") + bytes([len(data)]) + data + b"\x00"
    assert card.transmit(command) == bytes.fromhex("6A80")
