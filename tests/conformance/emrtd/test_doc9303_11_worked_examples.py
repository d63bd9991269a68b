"""The reader against the worked examples of ICAO Doc 9303-11, APDU by APDU.

Vectors: `chip/vectors/icao9303-11_vectors.json` of the test data (appendices D, G.1, H.1, H.2);
`doc9303_11_appendix_i.json` beside this file (appendix I).
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.apdu import CommandApdu
from devices.emrtd.chip_authentication_mapping import check_chip_authentication
from devices.emrtd.crypto.dh_agreement import DhAgreement
from devices.emrtd.crypto.dh_groups import DH_GROUPS
from devices.emrtd.crypto.ecdh_agreement import EcdhAgreement
from devices.emrtd.crypto.elliptic_curves import BY_NAME, Curve
from devices.emrtd.crypto.kdf import KeyPurpose, SessionCipher, derive_key
from devices.emrtd.errors import AccessFailedError, ChipAuthenticationMappingError
from devices.emrtd.evidence import CamRecord
from devices.emrtd.files import EMRTD_AID
from devices.emrtd.lds.mrz import MrzKey
from devices.emrtd.lds.security_infos import PaceInfo, pace_infos, parse_security_infos
from devices.emrtd.terminal.bac import open_bac
from devices.emrtd.terminal.pace import PaceSession, open_pace
from devices.emrtd.terminal.pace_mapping import pseudo_random_number
from devices.emrtd.terminal.secure_messaging import SecureMessaging
from devices.errors import ReplayMismatchError
from devices.replay import ReplayTransport
from devices.transport import PlainChannel

SELECT = CommandApdu(0x00, 0xA4, 0x04, 0x0C, EMRTD_AID)


@pytest.fixture(scope="module")
def vectors(test_data: Path) -> dict[str, Any]:
    path = test_data / "chip/vectors/icao9303-11_vectors.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _replay(example: dict[str, Any]) -> ReplayTransport:
    return ReplayTransport((bytes.fromhex(c), bytes.fromhex(r)) for c, r in example["APDUs"])


def _mrz_key(example: dict[str, Any]) -> MrzKey:
    return MrzKey(example["document_number"], example["dob"], example["expiry"])


def _session(cipher: SessionCipher, ks_enc: str, ks_mac: str, ssc: str) -> SecureMessaging:
    return SecureMessaging(cipher, *(bytes.fromhex(value) for value in (ks_enc, ks_mac, ssc)))


def test_appendix_d2_keys_from_the_mrz(vectors: dict[str, Any]) -> None:
    example = vectors["BAC_D"]
    seed = _mrz_key(example).bac_seed()
    assert (
        derive_key(seed, KeyPurpose.ENCRYPTION, SessionCipher.TDES).hex().upper()
        == (example["KEnc"])
    )
    assert derive_key(seed, KeyPurpose.MAC, SessionCipher.TDES).hex().upper() == example["KMac"]


def test_appendix_d3_basic_access_control(vectors: dict[str, Any]) -> None:
    example = vectors["BAC_D"]
    randoms = {8: example["RND_IFD"], 16: example["K_IFD"]}
    transport = _replay(example)
    session = open_bac(
        PlainChannel(transport), _mrz_key(example), lambda size: bytes.fromhex(randoms[size])
    )
    assert transport.remaining == 0
    expected = _session(SessionCipher.TDES, example["KS_Enc"], example["KS_Mac"], example["SSC"])
    assert session.wrap(SELECT) == expected.wrap(SELECT)


def test_appendix_g1_pace_generic_mapping(vectors: dict[str, Any]) -> None:
    example = vectors["PACE_GM_ECDH_G1"]
    (info,) = pace_infos(parse_security_infos(bytes.fromhex(example["EF_CardAccess"])))
    scalars = iter([int(example["map_pcd_priv"], 16), int(example["ka_pcd_priv"], 16)])
    transport = _replay(example)
    session = open_pace(
        PlainChannel(transport), info, _mrz_key(example), scalar=lambda order: next(scalars)
    ).messaging
    assert transport.remaining == 0
    expected = _session(SessionCipher.AES_128, example["KS_Enc"], example["KS_Mac"], "00" * 16)
    assert session.wrap(SELECT) == expected.wrap(SELECT)


def test_appendix_g1_another_mapping_key_is_another_conversation(vectors: dict[str, Any]) -> None:
    example = vectors["PACE_GM_ECDH_G1"]
    (info,) = pace_infos(parse_security_infos(bytes.fromhex(example["EF_CardAccess"])))
    scalars = iter([int(example["map_pcd_priv"], 16) + 1, int(example["ka_pcd_priv"], 16)])
    with pytest.raises(ReplayMismatchError):
        open_pace(
            PlainChannel(_replay(example)),
            info,
            _mrz_key(example),
            scalar=lambda order: next(scalars),
        )


def test_appendix_g1_a_wrong_card_token_is_refused(vectors: dict[str, Any]) -> None:
    example = vectors["PACE_GM_ECDH_G1"]
    (info,) = pace_infos(parse_security_infos(bytes.fromhex(example["EF_CardAccess"])))
    exchanges = [(bytes.fromhex(c), bytes.fromhex(r)) for c, r in example["APDUs"]]
    command, response = exchanges[-1]
    exchanges[-1] = (command, response[:-3] + bytes([response[-3] ^ 1]) + response[-2:])
    scalars = iter([int(example["map_pcd_priv"], 16), int(example["ka_pcd_priv"], 16)])
    with pytest.raises(AccessFailedError):
        open_pace(
            PlainChannel(ReplayTransport(exchanges)),
            info,
            _mrz_key(example),
            scalar=lambda order: next(scalars),
        )


def test_appendix_h1_integrated_mapping_on_a_curve(vectors: dict[str, Any]) -> None:
    example = vectors["PACE_IM_ECDH_H1"]
    curve = BY_NAME[example["curve"]]
    number = pseudo_random_number(
        SessionCipher.AES_128,
        bytes.fromhex(example["s"]),
        bytes.fromhex(example["t"]),
        curve.p,
    )
    assert number == int(example["Rp"], 16)
    generator = EcdhAgreement(curve).map_integrated(number)
    assert generator.hex().upper() == "04" + example["G_mapped_x"] + example["G_mapped_y"]


def test_appendix_h2_integrated_mapping_in_a_group(vectors: dict[str, Any]) -> None:
    example = vectors["PACE_IM_DH_H2"]
    (group,) = (group for group in DH_GROUPS if group.p == int(example["p"], 16))
    assert (group.g, group.q) == (int(example["g"], 16), int(example["q"], 16))
    number = pseudo_random_number(
        SessionCipher.AES_128,
        bytes.fromhex(example["s"]),
        bytes.fromhex(example["t"]),
        group.p,
    )
    assert DhAgreement(group).map_integrated(number).hex().upper() == example["G_mapped"]


@pytest.fixture(scope="module")
def appendix_i() -> dict[str, Any]:
    path = Path(__file__).with_name("doc9303_11_appendix_i.json")
    return json.loads(path.read_text(encoding="utf-8"))


def _run_appendix_i(example: dict[str, Any], last_answer: str | None = None) -> PaceSession:
    (info,) = pace_infos(parse_security_infos(bytes.fromhex(example["card_access"])))
    scalars = iter(
        [int(example["mapping_private_key"], 16), int(example["agreement_private_key"], 16)]
    )
    exchanges = [(bytes.fromhex(c), bytes.fromhex(r)) for c, r in example["apdus"]]
    if last_answer is not None:
        exchanges[-1] = (exchanges[-1][0], bytes.fromhex(last_answer))
    key = MrzKey(example["document_number"], example["date_of_birth"], example["date_of_expiry"])
    return open_pace(
        PlainChannel(ReplayTransport(exchanges)),
        # The example selects the protocol without DO'84'.
        replace(info, parameter_id=None),
        key,
        scalar=lambda order: next(scalars),
    )


def _appendix_i_domain(example: dict[str, Any]) -> tuple[PaceInfo, Curve]:
    (info,) = pace_infos(parse_security_infos(bytes.fromhex(example["card_access"])))
    assert isinstance(info.domain, Curve)
    return info, info.domain


def test_appendix_i_pace_chip_authentication_mapping(appendix_i: dict[str, Any]) -> None:
    session = _run_appendix_i(appendix_i)
    expected = _session(
        SessionCipher.AES_128, appendix_i["ks_enc"], appendix_i["ks_mac"], "00" * 16
    )
    assert session.messaging.wrap(SELECT) == expected.wrap(SELECT)
    assert session.cam is not None
    assert session.cam.mapping_key.hex().upper() == appendix_i["chip_mapping_key"]
    _, curve = _appendix_i_domain(appendix_i)
    key_info = bytes.fromhex("3164" + appendix_i["chip_authentication_public_key_info"])
    check_chip_authentication(session.cam, curve, parse_security_infos(key_info))


def test_appendix_i_another_static_key_is_found(appendix_i: dict[str, Any]) -> None:
    session = _run_appendix_i(appendix_i)
    info, curve = _appendix_i_domain(appendix_i)
    assert session.cam is not None
    forged = curve.encode(curve.multiply(7, curve.base) or curve.base).hex().upper()
    genuine = appendix_i["chip_authentication_public_key_info"]
    key_info = bytes.fromhex("3164" + genuine[: -6 - len(forged)] + forged + genuine[-6:])
    with pytest.raises(ChipAuthenticationMappingError) as error:
        check_chip_authentication(session.cam, curve, parse_security_infos(key_info))
    assert error.value.reason == "cam-key-mismatch"
    assert info.label == "PACE-ECDH-CAM-AES-128 (brainpoolP256r1)"


def test_appendix_i_altered_authentication_data_are_found(appendix_i: dict[str, Any]) -> None:
    session = _run_appendix_i(appendix_i)
    assert session.cam is not None
    _, curve = _appendix_i_domain(appendix_i)
    data = bytearray(session.cam.authentication_data)
    data[-1] ^= 1
    key_info = bytes.fromhex("3164" + appendix_i["chip_authentication_public_key_info"])
    with pytest.raises(ChipAuthenticationMappingError) as error:
        check_chip_authentication(
            CamRecord(session.cam.mapping_key, bytes(data)),
            curve,
            parse_security_infos(key_info),
        )
    assert error.value.reason == "cam-key-mismatch"


@pytest.mark.parametrize(
    ("cut", "reason"),
    [
        ("7C0A86088596CF055C67C1A39000", "cam-data-missing"),
        ("7C0C86088596CF055C67C1A38A009000", "cam-data-malformed"),
        ("7C1186088596CF055C67C1A38A05112233445566779000", None),
        ("7C1C86088596CF055C67C1A38A10" + "11" * 16 + "9000", "cam-data-malformed"),
    ],
)
def test_appendix_i_without_the_right_data_object(
    appendix_i: dict[str, Any], cut: str, reason: str | None
) -> None:
    with pytest.raises(AccessFailedError) as error:
        _run_appendix_i(appendix_i, cut)
    assert error.value.password_was_tried
    assert getattr(error.value, "reason", None) == reason


def test_vietnamese_card_offers_pace_on_brainpool_p256r1(vectors: dict[str, Any]) -> None:
    infos = parse_security_infos(bytes.fromhex(vectors["VN_CCCD_EF_CardAccess"]["hex"]))
    (offer,) = pace_infos(infos)
    assert offer.oid == "0.4.0.127.0.7.2.2.4.2.2"
    assert offer.label == "PACE-ECDH-GM-AES-128 (brainpoolP256r1)"
    assert [info.oid for info in infos][:2] == ["0.4.0.127.0.7.2.2.2", "0.4.0.127.0.7.2.2.3.2.2"]
