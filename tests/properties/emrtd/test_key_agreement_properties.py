"""Any bytes as a public value, any number as a secret: an element, or our own refusal."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emrtd.chip_authentication_mapping import decrypt_authentication_data
from devices.emrtd.crypto.dh_agreement import DhAgreement
from devices.emrtd.crypto.dh_groups import DH_GROUPS
from devices.emrtd.crypto.domain_parameters import parse_agreement_key, parse_domain_parameters
from devices.emrtd.crypto.ecdh_agreement import EcdhAgreement
from devices.emrtd.crypto.elliptic_curves import BY_NAME, CURVES, Curve
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.crypto.key_agreement import ElementInvalidError, KeyAgreement
from devices.emrtd.crypto.scalar_multiplication import multiply_secret
from devices.emrtd.errors import ChipAuthenticationMappingError, KeyUnsupportedError
from devices.emrtd.terminal.pace_mapping import integrated_nonce_bytes, pseudo_random_number

QUICK = settings(max_examples=40, deadline=None)
AGREEMENTS: list[KeyAgreement] = [
    *(EcdhAgreement(curve) for curve in CURVES),
    DhAgreement(DH_GROUPS[0]),
]


@pytest.mark.parametrize("agreement", AGREEMENTS)
@QUICK
@given(data=st.data())
def test_any_bytes_are_an_element_or_refused(agreement: KeyAgreement, data: st.DataObject) -> None:
    size = len(agreement.generator)
    encoded = data.draw(st.binary(max_size=size + 2))
    if data.draw(st.booleans()):
        encoded = agreement.generator[: size // 2] + encoded[size // 2 :]
    with contextlib.suppress(ElementInvalidError):
        element = agreement.accept(encoded)
        assert agreement.accept(element) == element


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_three_ways_to_one_point(curve: Curve, data: st.DataObject) -> None:
    scalars = st.integers(1, curve.n - 1)
    k, j = data.draw(scalars), data.draw(scalars)
    base = curve.multiply(j, curve.base)
    assert base is not None
    expected = curve.multiply(k, base)
    assert expected is not None
    assert multiply_secret(curve, k, base) == expected
    private = EcdhAgreement(curve).private_key(k)
    assert private.multiply(curve.encode(base)) == curve.encode(expected)


@pytest.mark.parametrize(
    "curve", [curve for curve in CURVES if curve.p % 4 == 3], ids=lambda curve: curve.name
)
@QUICK
@given(data=st.data())
def test_every_number_maps_onto_the_curve(curve: Curve, data: st.DataObject) -> None:
    number = data.draw(st.integers(2, curve.p - 2))
    element = EcdhAgreement(curve).map_integrated(number)
    assert curve.decode(element) is not None
    # The encoding is even in the number's sign but for the sign of y.
    other = EcdhAgreement(curve).map_integrated(curve.p - number)
    assert other[: 1 + curve.field_bytes] == element[: 1 + curve.field_bytes]


@pytest.mark.parametrize("cipher", SessionCipher, ids=lambda cipher: cipher.label)
@QUICK
@given(data=st.data())
def test_pseudo_random_numbers_stay_below_the_modulus(
    cipher: SessionCipher, data: st.DataObject
) -> None:
    size = integrated_nonce_bytes(cipher)
    nonce = data.draw(st.binary(min_size=size, max_size=size))
    own = data.draw(st.binary(min_size=cipher.key_bytes, max_size=cipher.key_bytes))
    modulus = BY_NAME["brainpoolP256r1"].p
    number = pseudo_random_number(cipher, nonce, own, modulus)
    assert 0 <= number < modulus
    flipped = bytes([nonce[0] ^ 0x80]) + nonce[1:]
    assert pseudo_random_number(cipher, flipped, own, modulus) != number


@QUICK
@given(st.binary(max_size=80))
def test_any_chip_authentication_data(encrypted: bytes) -> None:
    with contextlib.suppress(ChipAuthenticationMappingError):
        assert decrypt_authentication_data(SessionCipher.AES_128, bytes(16), encrypted)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_domain_parameters_and_keys(data: bytes) -> None:
    for parse in (parse_domain_parameters, parse_agreement_key):
        with contextlib.suppress(KeyUnsupportedError):
            parse(data)
