"""ICAO Doc 9303-11 §9.5.1: the standardised domain parameters, and what is no element of them."""

import pytest
from Crypto.Util.number import isPrime

from devices.simulator.domain_parameters import BY_PARAMETER_ID

DH = (0, 1, 2)
CURVES = tuple(range(8, 19))
# Table 12: bits of the field, and of the subgroup for DH.
FIELD_BITS = dict(
    zip(CURVES, (192, 192, 224, 224, 256, 256, 320, 384, 384, 512, 521), strict=True)
) | {0: 1024, 1: 2048, 2: 2048}


def test_table_12_is_complete():
    assert tuple(BY_PARAMETER_ID) == DH + CURVES
    assert {i: group.field_prime.bit_length() for i, group in BY_PARAMETER_ID.items()} == FIELD_BITS


@pytest.mark.parametrize("parameter_id", DH)
def test_groups_are_of_prime_order(parameter_id):
    group = BY_PARAMETER_ID[parameter_id]
    assert isPrime(group.field_prime)
    assert isPrime(group.order)
    assert group.order.bit_length() == (160, 224, 256)[parameter_id]
    assert (group.field_prime - 1) % group.order == 0
    assert group.multiply(group.generator, group.order) == 1


@pytest.mark.parametrize("parameter_id", BY_PARAMETER_ID)
def test_both_ends_agree(parameter_id):
    group = BY_PARAMETER_ID[parameter_id]
    one, other = 0x1234567890ABCDEF1234, group.order - 5
    keys = [group.encode(group.multiply(group.generator, k)) for k in (one, other)]
    secrets = [
        group.shared_secret(group.multiply(group.decode(key), scalar))
        for key, scalar in zip(keys, (other, one), strict=True)
    ]
    assert secrets[0] == secrets[1]
    assert len(secrets[0]) == (FIELD_BITS[parameter_id] + 7) // 8


@pytest.mark.parametrize("parameter_id", DH)
def test_rfc_2631_a_value_outside_the_subgroup_is_refused(parameter_id):
    group = BY_PARAMETER_ID[parameter_id]
    p = group.field_prime
    for value in (0, 1, p - 1, p, p + 1, 2, p + group.generator):
        with pytest.raises(ValueError, match="not an element"):
            group.decode(group.encode(value))


def test_9_4_1_a_public_value_has_no_leading_zeros():
    group = BY_PARAMETER_ID[0]
    short = next(
        value
        for scalar in range(1, 5000)
        if (value := group.multiply(group.generator, scalar)).bit_length() <= 1016
    )
    assert len(group.encode(short)) < 128
    assert group.decode(group.encode(short)) == short
    # The agreed value keeps them (PKCS #3).
    assert len(group.shared_secret(short)) == 128


@pytest.mark.parametrize("parameter_id", CURVES)
@pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: b"\x02" + p[1:], lambda p: b""])
def test_a_malformed_point_is_refused(parameter_id, change):
    group = BY_PARAMETER_ID[parameter_id]
    with pytest.raises(ValueError, match="not a"):
        group.decode(change(group.encode(group.generator)))


@pytest.mark.parametrize("parameter_id", CURVES)
def test_a_point_off_the_curve_is_refused(parameter_id):
    group = BY_PARAMETER_ID[parameter_id]
    point = bytearray(group.encode(group.generator))
    point[-1] ^= 1
    with pytest.raises(ValueError, match="not a point"):
        group.decode(bytes(point))
