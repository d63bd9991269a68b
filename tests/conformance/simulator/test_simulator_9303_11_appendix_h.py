"""ICAO Doc 9303-11 appendix H: Integrated Mapping over a curve and over a Diffie-Hellman group."""

import pytest

from devices.simulator.ciphers import Aes, TripleDes
from devices.simulator.domain_parameters import BY_PARAMETER_ID
from devices.simulator.pace_mapping import IntegratedMapping, nonce_bytes, pseudo_random
from devices.simulator.protocols import CIPHERS

BRAINPOOL_P256R1, MODP_1024_160 = BY_PARAMETER_ID[13], BY_PARAMETER_ID[0]


def test_h1_pseudo_random_number(icao_vectors):
    example = icao_vectors["PACE_IM_ECDH_H1"]
    s, t = bytes.fromhex(example["s"]), bytes.fromhex(example["t"])
    number = pseudo_random(Aes(128), s, t, BRAINPOOL_P256R1.field_prime)
    assert number == int(example["Rp"], 16)


def test_h1_mapped_generator(icao_vectors):
    example = icao_vectors["PACE_IM_ECDH_H1"]
    mapping = IntegratedMapping(BRAINPOOL_P256R1, Aes(128))
    assert mapping.map(bytes.fromhex(example["s"]), bytes.fromhex(example["t"])) == b""
    encoded = "04" + example["G_mapped_x"] + example["G_mapped_y"]
    assert BRAINPOOL_P256R1.encode(mapping.generator).hex().upper() == encoded


def test_h2_mapped_generator(icao_vectors):
    example = icao_vectors["PACE_IM_DH_H2"]
    mapping = IntegratedMapping(MODP_1024_160, Aes(128))
    assert mapping.map(bytes.fromhex(example["s"]), bytes.fromhex(example["t"])) == b""
    assert mapping.generator == int(example["G_mapped"], 16)


def test_h2_group(icao_vectors):
    example = icao_vectors["PACE_IM_DH_H2"]
    group = MODP_1024_160
    found = (group.field_prime, group.generator, group.order)
    assert found == tuple(int(example[name], 16) for name in ("p", "g", "q"))


@pytest.mark.parametrize(
    ("cipher", "length"), [("3des", 16), ("aes-128", 16), ("aes-192", 32), ("aes-256", 32)]
)
def test_4_4_3_3_nonce_is_the_smallest_multiple_of_the_block_as_long_as_the_key(cipher, length):
    assert nonce_bytes(CIPHERS[cipher]) == length


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_nonce_of_another_length_is_refused(length):
    for cipher in (Aes(128), TripleDes()):
        with pytest.raises(ValueError, match="length of the key"):
            IntegratedMapping(BRAINPOOL_P256R1, cipher).map(bytes(16), bytes(length))


@pytest.mark.parametrize("parameter_id", [id_ for id_ in BY_PARAMETER_ID if id_ >= 8 and id_ != 10])
def test_appendix_b_gives_points_of_each_curve(parameter_id):
    group = BY_PARAMETER_ID[parameter_id]
    for number in (2, 12345, group.field_prime - 2):
        point = group.from_field(number)
        assert group.decode(group.encode(point)) == point


@pytest.mark.parametrize("number", [0, 1])
def test_numbers_without_a_point_are_refused(number):
    with pytest.raises(ValueError, match="no point"):
        BRAINPOOL_P256R1.from_field(number)


def test_9_5_1_p224_has_no_integrated_mapping():
    with pytest.raises(ValueError, match="3 modulo 4"):
        BY_PARAMETER_ID[10].from_field(5)
