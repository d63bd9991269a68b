"""EF.CardSecurity: the published specimen parses, and its signature holds for its bytes alone.

Data: `chip/efcardsecurity` of the test data.
"""

from pathlib import Path

import pytest

from devices.emrtd.errors import AuthenticationRefusedError, FileMalformedError
from devices.emrtd.lds.card_security import (
    VerifiedCardSecurity,
    parse_card_security,
    verify_card_security,
)
from devices.emrtd.lds.sod import parse_sod
from devices.emrtd.trust.certificates import parse_certificate
from devices.errors import DeviceError
from devices.tlv import encode_tlv


@pytest.fixture
def specimen(test_data: Path) -> bytes:
    return (test_data / "chip/efcardsecurity/efcardsecurity.dump").read_bytes()


def test_specimen_names_its_protocols_and_its_signer(specimen: bytes) -> None:
    card_security = parse_card_security(specimen)
    assert card_security.raw == specimen
    assert [
        info.oid.removeprefix("0.4.0.127.0.7.2.2.") for info in card_security.security_infos
    ] == [
        "2",
        "3.2.2",
        "3.2",
        "1.2",
    ]
    verified = verify_card_security(card_security)
    assert verified.card_security is card_security
    assert verified.signer.country == "UT"


def test_no_changed_byte_keeps_the_signature(specimen: bytes) -> None:
    """Content, signature and the signer's key: whatever changes, nothing is verified."""
    content = specimen.index(bytes.fromhex("31819a"))
    signature = len(specimen) - 60
    key = specimen.index(b"DS-1") + 40
    for position in (content + 30, content + 120, signature, key):
        altered = bytearray(specimen)
        altered[position] ^= 1
        with pytest.raises(DeviceError):
            verify_card_security(parse_card_security(bytes(altered)))


def test_a_signer_from_elsewhere_does_not_fit(specimen: bytes, test_data: Path) -> None:
    """Without a certificate inside and with another one at hand, the signer is missing."""
    start = specimen.index(bytes.fromhex("a082012c"))
    without = specimen[19 + 4 : start] + specimen[start + 4 + 0x12C :]
    oid = bytes.fromhex("06092a864886f70d010702")
    data = encode_tlv(0x30, oid + encode_tlv(0xA0, encode_tlv(0x30, without)))
    other = parse_certificate((test_data / "chip/certs/dsc_de_0130846f2b3e.cer").read_bytes())
    card_security = parse_card_security(data)
    assert card_security.signed_data.certificates == ()
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_card_security(card_security, (other,))
    assert refusal.value.reason == "card-security-signer-missing"
    own = parse_card_security(specimen).signed_data.certificates
    assert verify_card_security(card_security, (other, *own)).signer == own[0]


def test_one_signed_file_does_not_pass_for_another(specimen: bytes, test_data: Path) -> None:
    sod = (test_data / "chip/bsi2008/EF_SOD.bin").read_bytes()
    with pytest.raises(FileMalformedError):
        parse_card_security(sod[4:])
    with pytest.raises(DeviceError):
        parse_sod(encode_tlv(0x77, specimen))


def test_nobody_makes_a_verified_one_by_hand(specimen: bytes) -> None:
    card_security = parse_card_security(specimen)
    signer = card_security.signed_data.certificates[0]
    with pytest.raises(TypeError):
        VerifiedCardSecurity(card_security, signer, object())
