"""SecurityInfos: what a chip says that it can do, and what is made of the rest."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.emrtd.crypto.dh_groups import DH_GROUPS
from devices.emrtd.crypto.domain_parameters import (
    STANDARDISED,
    DhKey,
    parse_agreement_key,
    parse_domain_parameters,
)
from devices.emrtd.crypto.elliptic_curves import BY_NAME, Curve
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.crypto.public_keys import EcKey
from devices.emrtd.errors import FileMalformedError, KeyUnsupportedError
from devices.emrtd.lds import parse_dg14
from devices.emrtd.lds.card_security import parse_card_security
from devices.emrtd.lds.security_infos import (
    Mapping,
    SecurityInfo,
    active_authentication_algorithm,
    chip_authentication_infos,
    chip_authentication_public_keys,
    offers_chip_authentication,
    offers_terminal_authentication,
    pace_infos,
    parse_security_infos,
)
from devices.tlv import encode_tlv

BSI = bytes.fromhex("04007F00070202")
PRIME_FIELD = bytes.fromhex("2A8648CE3D0101")
EC_PUBLIC_KEY = bytes.fromhex("2A8648CE3D0201")
DH_PUBLIC_NUMBER = bytes.fromhex("2A8648CE3E0201")
DH_KEY_AGREEMENT = bytes.fromhex("2A864886F70D010301")
STANDARDISED_OID = bytes.fromhex("04007F00070102")


def _oid(contents: bytes) -> bytes:
    return encode_tlv(0x06, contents)


def _integer(value: int) -> bytes:
    return encode_tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _sequence(*parts: bytes) -> bytes:
    return encode_tlv(0x30, b"".join(parts))


def _infos(*infos: bytes) -> tuple[SecurityInfo, ...]:
    return parse_security_infos(encode_tlv(0x31, b"".join(infos)))


def _pace(arcs: tuple[int, int], *numbers: int) -> bytes:
    return _sequence(_oid(BSI + b"\x04" + bytes(arcs)), *(_integer(number) for number in numbers))


def _domain_info(mapping: int, algorithm: bytes, *parameter_id: int) -> bytes:
    oid = _oid(BSI + b"\x04" + bytes([mapping]))
    return _sequence(oid, algorithm, *(_integer(number) for number in parameter_id))


def _explicit(curve: Curve, *, b: int | None = None) -> bytes:
    size = curve.field_bytes
    return _sequence(
        _oid(EC_PUBLIC_KEY),
        _sequence(
            _integer(1),
            _sequence(_oid(PRIME_FIELD), _integer(curve.p)),
            _sequence(
                encode_tlv(0x04, curve.a.to_bytes(size, "big")),
                encode_tlv(0x04, (curve.b if b is None else b).to_bytes(size, "big")),
            ),
            encode_tlv(0x04, curve.encode(curve.base)),
            _integer(curve.n),
            _integer(1),
        ),
    )


def _group(number: int, oid: bytes, count: int) -> bytes:
    group = DH_GROUPS[number]
    values = (group.p, group.g, group.q)[:count]
    return _sequence(_oid(oid), _sequence(*(_integer(value) for value in values)))


def test_offers_in_their_order() -> None:
    offers = pace_infos(_infos(_pace((2, 2), 2, 13), _pace((4, 4), 2, 17), _pace((1, 1), 2, 0)))
    assert [offer.label for offer in offers] == [
        "PACE-ECDH-GM-AES-128 (brainpoolP256r1)",
        "PACE-ECDH-IM-AES-256 (brainpoolP512r1)",
        "PACE-DH-GM-3DES (1024-bit MODP with 160-bit order)",
    ]
    assert offers[1].mapping is Mapping.INTEGRATED
    assert offers[2].cipher is SessionCipher.TDES


@pytest.mark.parametrize(
    "info",
    [
        _pace((2, 2), 1, 13),
        _pace((2, 2), 3, 13),
        _pace((6, 1), 2, 13),
        _pace((5, 2), 2, 13),
        _pace((2, 5), 2, 13),
        _pace((7, 2), 2, 13),
        _sequence(_oid(BSI + b"\x04\x02\x02\x01"), _integer(2), _integer(13)),
        _sequence(_oid(b"\x2a\x03\x04"), _integer(2)),
    ],
    ids=["v1", "v3", "cam-3des", "arc 5", "cipher 5", "arc 7", "longer", "foreign"],
)
def test_unknown_variants_are_passed_over(info: bytes) -> None:
    infos = _infos(info, _pace((2, 2), 2, 12))
    assert len(infos) == 2
    assert [offer.parameter_id for offer in pace_infos(infos)] == [12]


@pytest.mark.parametrize("number", [3, 7, 19, 31, 32, 255])
def test_reserved_numbers_have_no_domain(number: int) -> None:
    (offer,) = pace_infos(_infos(_pace((2, 2), 2, number)))
    assert (offer.parameter_id, offer.domain) == (number, None)


def test_curve_numbers_are_not_for_groups_nor_the_other_way_round() -> None:
    offers = pace_infos(_infos(_pace((1, 2), 2, 13), _pace((2, 2), 2, 0)))
    assert [offer.domain for offer in offers] == [None, None]


@pytest.mark.parametrize("curve", BY_NAME.values(), ids=BY_NAME.keys())
def test_explicit_curves_are_recognised_by_value(curve: Curve) -> None:
    infos = _infos(_pace((2, 2), 2, 40), _domain_info(2, _explicit(curve), 40))
    (offer,) = pace_infos(infos)
    assert (offer.domain, offer.parameter_id) == (curve, 40)
    (unnumbered,) = pace_infos(_infos(_pace((2, 2), 2), _domain_info(2, _explicit(curve))))
    assert (unnumbered.domain, unnumbered.parameter_id) == (curve, None)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(("oid", "count"), [(DH_PUBLIC_NUMBER, 3), (DH_KEY_AGREEMENT, 2)])
def test_explicit_groups_are_recognised_by_value(number: int, oid: bytes, count: int) -> None:
    infos = _infos(_pace((1, 2), 2, 40), _domain_info(1, _group(number, oid, count), 40))
    (offer,) = pace_infos(infos)
    assert offer.domain == DH_GROUPS[number]


def test_explicit_parameters_that_differ_are_not_supported() -> None:
    curve = BY_NAME["brainpoolP256r1"]
    for algorithm in (_explicit(curve, b=curve.b ^ 1), _sequence(_oid(b"\x2a\x03\x04"))):
        (offer,) = pace_infos(_infos(_pace((2, 2), 2, 40), _domain_info(2, algorithm, 40)))
        assert offer.domain is None
    # Parameters for another mapping, or with another number, are not this offer's.
    for info in (_domain_info(4, _explicit(curve), 40), _domain_info(2, _explicit(curve), 41)):
        (offer,) = pace_infos(_infos(_pace((2, 2), 2, 40), info))
        assert offer.domain is None


def test_explicit_parameters_cannot_take_a_standardised_number() -> None:
    other = _explicit(BY_NAME["secp192r1"])
    (offer,) = pace_infos(_infos(_pace((2, 2), 2, 13), _domain_info(2, other, 13)))
    assert offer.domain == BY_NAME["brainpoolP256r1"]


def test_standardised_parameters_by_number() -> None:
    for number, domain in STANDARDISED.items():
        algorithm = _sequence(_oid(STANDARDISED_OID), _integer(number))
        assert parse_domain_parameters(algorithm) == domain
    assert parse_domain_parameters(_sequence(_oid(STANDARDISED_OID), _integer(5))) is None


def test_agreement_keys() -> None:
    point = ec.derive_private_key(7, ec.BrainpoolP256R1()).public_key()
    named = point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = parse_agreement_key(named)
    assert isinstance(key, EcKey)
    assert key.curve.name == "brainpoolP256r1"
    group = DH_GROUPS[1]
    value = pow(group.g, 12345, group.p)
    info = _sequence(_group(1, DH_PUBLIC_NUMBER, 3), encode_tlv(0x03, b"\x00" + _integer(value)))
    assert parse_agreement_key(info) == DhKey(group, value)
    assert str(value) not in repr(parse_agreement_key(info))


@pytest.mark.parametrize(
    "info",
    [
        b"",
        b"\x30\x00",
        _sequence(_sequence(_oid(STANDARDISED_OID), _integer(13)), b"\x03\x02\x00\x04"),
        _sequence(
            _sequence(_oid(STANDARDISED_OID), _integer(13)),
            encode_tlv(0x03, b"\x00\x04" + bytes(64)),
        ),
        _sequence(_group(0, DH_PUBLIC_NUMBER, 3), encode_tlv(0x03, b"\x00" + _integer(1))),
        _sequence(
            _group(0, DH_PUBLIC_NUMBER, 3), encode_tlv(0x03, b"\x00" + _integer(DH_GROUPS[0].p - 1))
        ),
        _sequence(_sequence(_oid(DH_PUBLIC_NUMBER)), encode_tlv(0x03, b"\x00" + _integer(4))),
    ],
)
def test_agreement_keys_that_are_none(info: bytes) -> None:
    with pytest.raises(KeyUnsupportedError):
        parse_agreement_key(info)


def test_chip_and_terminal_authentication() -> None:
    infos = _infos(
        _sequence(_oid(BSI + b"\x03\x02\x04"), _integer(1), _integer(7)),
        _sequence(_oid(BSI + b"\x03\x01\x01"), _integer(1)),
        _sequence(_oid(BSI + b"\x03\x02\x09"), _integer(1)),
        _sequence(_oid(BSI + b"\x02"), _integer(1)),
        _sequence(
            _oid(BSI + b"\x01\x02"),
            _sequence(_sequence(_oid(STANDARDISED_OID), _integer(13)), b"\x03\x01\x00"),
            _integer(7),
        ),
        _sequence(_oid(bytes.fromhex("678108010105")), _integer(1), _oid(b"\x2a\x03")),
    )
    first, second = chip_authentication_infos(infos)
    assert (first.key_agreement, first.cipher.label, first.key_id) == ("ECDH", "AES-256", 7)
    assert (second.key_agreement, second.cipher.label, second.key_id) == ("DH", "3DES", None)
    (key,) = chip_authentication_public_keys(infos)
    assert (key.key_agreement, key.key_id) == ("ECDH", 7)
    assert offers_chip_authentication(infos)
    assert offers_terminal_authentication(infos)
    assert active_authentication_algorithm(infos) == "1.2.3"
    assert not offers_terminal_authentication(_infos(_pace((2, 2), 2, 13)))


@pytest.mark.parametrize(
    "data", [b"", b"\x31\x00", b"\x30\x00", b"\x31\x02\x05\x00", b"\x31\x80\x00\x00"]
)
def test_what_is_no_security_info(data: bytes) -> None:
    with pytest.raises(FileMalformedError):
        parse_security_infos(data)


def test_too_many() -> None:
    with pytest.raises(FileMalformedError):
        _infos(*(_pace((2, 2), 2, number) for number in range(65)))


def test_huge_numbers_are_bounded() -> None:
    (info,) = _infos(_sequence(_oid(BSI + b"\x04\x02\x02"), _integer(2), _integer(1 << 40_000)))
    assert info.parameter is None
    (offer,) = pace_infos((info,))
    assert offer.domain is None
    assert offer.label


def test_keys_of_published_specimens(test_data: Path) -> None:
    dump = (test_data / "chip/efcardsecurity/efcardsecurity.dump").read_bytes()
    infos = parse_card_security(dump).security_infos
    assert offers_terminal_authentication(infos)
    assert [info.cipher.label for info in chip_authentication_infos(infos)] == ["AES-128"]
    dg14 = parse_dg14((test_data / "chip/bsi2008/Datagroup14.bin").read_bytes())
    (key,) = chip_authentication_public_keys(dg14)
    public = key.public_key()
    assert isinstance(public, EcKey)
    assert public.curve.name == "brainpoolP224r1"
