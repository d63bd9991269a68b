"""The reader against the worked examples of ICAO Doc 9303-11, APDU by APDU.

Vectors: `chip/vectors/icao9303-11_vectors.json` (appendices D and G.1).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.emrtd.bac import open_bac
from devices.emrtd.errors import AccessFailedError
from devices.emrtd.kdf import KeyPurpose, SessionCipher, derive_key
from devices.emrtd.mrz import MrzKey
from devices.emrtd.pace import open_pace
from devices.emrtd.security_infos import pace_infos, parse_security_infos
from devices.errors import ReplayMismatchError
from devices.replay import ReplayTransport
from devices.transport import PlainChannel


@pytest.fixture(scope="module")
def vectors(test_data: Path) -> dict[str, Any]:
    path = test_data / "chip/vectors/icao9303-11_vectors.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _replay(example: dict[str, Any]) -> ReplayTransport:
    return ReplayTransport((bytes.fromhex(c), bytes.fromhex(r)) for c, r in example["APDUs"])


def _mrz_key(example: dict[str, Any]) -> MrzKey:
    return MrzKey(example["document_number"], example["dob"], example["expiry"])


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
    assert session._ks_enc.hex().upper() == example["KS_Enc"]
    assert session._ks_mac.hex().upper() == example["KS_Mac"]
    assert session._ssc == int(example["SSC"], 16)


def test_appendix_g1_pace_generic_mapping(vectors: dict[str, Any]) -> None:
    example = vectors["PACE_GM_ECDH_G1"]
    (info,) = pace_infos(parse_security_infos(bytes.fromhex(example["EF_CardAccess"])))
    scalars = iter([int(example["map_pcd_priv"], 16), int(example["ka_pcd_priv"], 16)])
    transport = _replay(example)
    session = open_pace(
        PlainChannel(transport), info, _mrz_key(example), lambda order: next(scalars)
    )
    assert transport.remaining == 0
    assert session._ks_enc.hex().upper() == example["KS_Enc"]
    assert session._ks_mac.hex().upper() == example["KS_Mac"]
    assert session._ssc == 0


def test_appendix_g1_another_mapping_key_is_another_conversation(vectors: dict[str, Any]) -> None:
    example = vectors["PACE_GM_ECDH_G1"]
    (info,) = pace_infos(parse_security_infos(bytes.fromhex(example["EF_CardAccess"])))
    scalars = iter([int(example["map_pcd_priv"], 16) + 1, int(example["ka_pcd_priv"], 16)])
    with pytest.raises(ReplayMismatchError):
        open_pace(
            PlainChannel(_replay(example)), info, _mrz_key(example), lambda order: next(scalars)
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
            lambda order: next(scalars),
        )


def test_vietnamese_card_offers_pace_on_brainpool_p256r1(vectors: dict[str, Any]) -> None:
    infos = parse_security_infos(bytes.fromhex(vectors["VN_CCCD_EF_CardAccess"]["hex"]))
    (offer,) = pace_infos(infos)
    assert offer.oid == "0.4.0.127.0.7.2.2.4.2.2"
    assert offer.label == "PACE-ECDH-GM-AES-128 (brainpoolP256r1)"
    assert [info.oid for info in infos][:2] == ["0.4.0.127.0.7.2.2.2", "0.4.0.127.0.7.2.2.3.2.2"]
