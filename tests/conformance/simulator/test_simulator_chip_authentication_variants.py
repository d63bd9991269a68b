"""ICAO Doc 9303-11 §6.2: Chip Authentication in every variant, against the reader's arithmetic."""

import tomllib

import pytest

from devices.apdu import OK, CommandApdu
from devices.emrtd.crypto.dh_agreement import DhAgreement
from devices.emrtd.crypto.domain_parameters import STANDARDISED, DhKey, parse_agreement_key
from devices.emrtd.crypto.ecdh_agreement import EcdhAgreement
from devices.emrtd.crypto.kdf import KeyPurpose, SessionCipher, derive_key
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.access import ChipAccess
from devices.emrtd.terminal.secure_messaging import SecureChannel, SecureMessaging
from devices.simulator import tlv
from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.object_identifiers import oid_contents
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, parse_profile
from devices.simulator.protocols import ChipAuthenticationKey, PaceOffer
from devices.simulator.static_keys import plan_static_keys
from devices.transport import PlainChannel

CIPHERS = {
    "3des": SessionCipher.TDES,
    "aes-128": SessionCipher.AES_128,
    "aes-192": SessionCipher.AES_192,
    "aes-256": SessionCipher.AES_256,
}


def card_with(*keys: dict[str, object], form: str = "explicit") -> CardImage:
    table = tomllib.loads(SPECIMEN.read_text("utf-8"))
    table["chip"] |= {
        "chip_authentication_keys": list(keys),
        "chip_authentication_parameters": form,
        "active_authentication": "none",
        "quirks": [],
    }
    return personalise(parse_profile(table))


class Terminal:
    """A reader that performs Chip Authentication with one of the chip's keys."""

    def __init__(self, image: CardImage, number: int = 0) -> None:
        self.plain = PlainChannel(SimulatedCard(image))
        self.channel = ChipAccess(self.plain, Can("123456")).open()
        self.key = image.behaviour.chip_authentication[number]
        pair = AgreementKeyPair.load(image.ca_keys[number])
        static = parse_agreement_key(pair.public_key_info())
        agreement = (
            DhAgreement(static.group) if isinstance(static, DhKey) else EcdhAgreement(static.curve)
        )
        private, self.ephemeral = agreement.generate(agreement.generator)
        public = pair.domain.multiply(pair.domain.generator, pair.private_key)
        self.secret = private.agree(agreement.accept(pair.domain.encode(public)))

    def send(self, ins: int, p1: int, p2: int, data: bytes, le: int | None = None) -> int:
        return self.channel.send(CommandApdu(0x00, ins, p1, p2, data, le)).status

    def set_at(self, cipher: str, *objects: bytes) -> int:
        protocol = tlv.encode(0x80, oid_contents(self.key.protocol(cipher)))
        return self.send(0x22, 0x41, 0xA4, protocol + b"".join(objects))

    def general_authenticate(self) -> int:
        return self.send(0x86, 0, 0, tlv.encode(0x7C, tlv.encode(0x80, self.ephemeral)), 256)

    def set_kat(self, *objects: bytes) -> int:
        return self.send(0x22, 0x41, 0xA6, tlv.encode(0x91, self.ephemeral) + b"".join(objects))

    def new_session_works(self, cipher: str) -> bool:
        """Whether the card speaks with the new keys."""
        session = CIPHERS[cipher]
        keys = [
            derive_key(self.secret, use, session) for use in (KeyPurpose.ENCRYPTION, KeyPurpose.MAC)
        ]
        messaging = SecureMessaging(session, *keys, bytes(session.block_bytes))
        channel = SecureChannel(self.plain, messaging)
        read = channel.send(CommandApdu(0x00, 0xB0, 0x9E, 0x00, b"", 4))
        return read.status == OK and read.data[:1] == b"\x60"


@pytest.mark.parametrize("parameter_id", STANDARDISED)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_6_2_4_2_set_at_and_general_authenticate(parameter_id, cipher):
    terminal = Terminal(card_with({"parameter_id": parameter_id, "ciphers": [cipher]}))
    assert terminal.set_at(cipher) == 0x9000
    assert terminal.general_authenticate() == 0x9000
    assert terminal.new_session_works(cipher)


@pytest.mark.parametrize("parameter_id", [0, 2, 12, 17])
def test_6_2_4_1_set_kat(parameter_id):
    terminal = Terminal(card_with({"parameter_id": parameter_id, "ciphers": ["3des"]}))
    assert terminal.set_kat() == 0x9000
    assert terminal.new_session_works("3des")


def test_set_kat_is_for_3des_only():
    terminal = Terminal(card_with({"parameter_id": 13, "ciphers": ["aes-128"]}))
    assert terminal.set_kat() == 0x6A80


def test_a_bad_key_in_set_kat_leaves_the_session():
    terminal = Terminal(card_with({"parameter_id": 13, "ciphers": ["3des"]}))
    terminal.ephemeral = b"\x04" + bytes(64)
    assert terminal.set_kat() == 0x6A80
    assert terminal.send(0xB0, 0x9E, 0x00, b"", 4) == 0x9000


@pytest.fixture(scope="module")
def two_keys() -> CardImage:
    return card_with(
        {"parameter_id": 13, "ciphers": ["aes-128", "3des"]},
        {"parameter_id": 15, "ciphers": ["aes-128"], "key_id": 7},
    )


@pytest.mark.parametrize("number", [0, 1])
def test_9_2_6_several_keys_have_identifiers(two_keys, number):
    terminal = Terminal(two_keys, number)
    assert terminal.key.key_id is not None
    assert terminal.set_at("aes-128", tlv.encode(0x84, bytes([terminal.key.key_id]))) == 0x9000
    assert terminal.general_authenticate() == 0x9000
    assert terminal.new_session_works("aes-128")


def test_without_an_identifier_several_keys_are_ambiguous(two_keys):
    terminal = Terminal(two_keys)
    assert terminal.set_at("aes-128") == 0x6A88
    assert terminal.set_at("aes-128", tlv.encode(0x84, b"\x63")) == 0x6A88
    # Only one of them speaks 3DES.
    assert terminal.set_kat() == 0x9000


def test_a_protocol_that_the_chip_does_not_announce_is_refused(two_keys):
    assert Terminal(two_keys).set_at("aes-256") == 0x6A80


@pytest.mark.parametrize("parameter_id", STANDARDISED)
@pytest.mark.parametrize("form", ["explicit", "named", "standardised", "pkcs3"])
def test_9_5_the_reader_understands_each_form_of_domain_parameters(parameter_id, form):
    pair = AgreementKeyPair.generate(parameter_id)
    key = parse_agreement_key(pair.public_key_info(form))
    public = pair.domain.multiply(pair.domain.generator, pair.private_key)
    if isinstance(key, DhKey):
        assert key.value == public
        assert key.group == STANDARDISED[parameter_id]
    else:
        assert key.curve == STANDARDISED[parameter_id]
        assert key.point == (public.x(), public.y())


def test_a_static_key_survives_storage():
    for parameter_id in STANDARDISED:
        pair = AgreementKeyPair.generate(parameter_id)
        assert AgreementKeyPair.load(pair.private_key_info()) == pair


@pytest.mark.parametrize(
    ("keys", "mapped", "expected"),
    [
        ([{}], [], [(13, None)]),
        ([{}], [13], [(13, 13)]),
        ([{"key_id": 3}], [13], [(13, 3), (13, 13)]),
        ([], [13, 15], [(13, 13), (15, 15)]),
        ([{}, {"parameter_id": 12}], [], [(13, 1), (12, 2)]),
        ([{}, {"key_id": 1}], [], [(13, 2), (13, 1)]),
    ],
)
def test_9_2_1_the_mapping_s_key_has_the_parameter_s_number(keys, mapped, expected):
    planned = plan_static_keys(
        [ChipAuthenticationKey(**key) for key in keys],
        [PaceOffer(mapping="cam", parameter_id=number) for number in mapped],
    )
    assert sorted((key.parameter_id, key.key_id) for key in planned) == sorted(expected)


def test_two_keys_of_one_identifier_are_refused():
    with pytest.raises(ValueError, match="same key_id"):
        plan_static_keys([ChipAuthenticationKey(key_id=1)] * 2, [])
