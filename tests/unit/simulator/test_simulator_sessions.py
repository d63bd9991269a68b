"""Chip Authentication on a whole card, ECDSA Active Authentication, and hostile commands."""

import random

import pytest
from asn1crypto import core, keys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from devices.apdu import CommandApdu
from devices.emrtd.crypto.kdf import KeyPurpose, SessionCipher, derive_key
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.access import ChipAccess
from devices.emrtd.terminal.secure_messaging import SecureChannel, SecureMessaging
from devices.errors import DeviceError
from devices.simulator import tlv
from devices.simulator.card import SimulatedCard
from devices.simulator.keys import load_key
from devices.simulator.personalise import personalise
from devices.simulator.profile import parse_profile
from devices.transport import PlainChannel

CA_OID = bytes.fromhex("04007F00070202030202")
SET_AT = CommandApdu(0x00, 0x22, 0x41, 0xA4, tlv.encode(0x80, CA_OID))
SELECT_COM = CommandApdu(0x00, 0xA4, 0x02, 0x0C, bytes.fromhex("011E"))


def chip_key(dg14):
    """Return the point that DG14 announces for Chip Authentication."""
    ((_, infos),) = tlv.parse(dg14)
    ((_, members),) = tlv.parse(infos)
    for _, info in tlv.parse(members):
        (_, oid), *fields = tlv.parse(info)
        if core.ObjectIdentifier(contents=oid).dotted == "0.4.0.127.0.7.2.2.1.2":
            ((_, spki), *_) = fields
            point = keys.PublicKeyInfo.load(tlv.encode(0x30, spki))["public_key"].native
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.BrainpoolP256R1(), point)
    raise AssertionError("DG14 announces no key")


def authenticate_chip(card, channel, public_key):
    """Run Chip Authentication as a terminal; return the channel with the new keys."""
    assert channel.send(SET_AT).status == 0x9000
    ephemeral = ec.generate_private_key(ec.BrainpoolP256R1())
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    data = tlv.encode(0x7C, tlv.encode(0x80, point))
    answer = channel.send(CommandApdu(0x00, 0x86, 0x00, 0x00, data, 256))
    assert (answer.data, answer.status) == (b"\x7c\x00", 0x9000)
    secret = ephemeral.exchange(ec.ECDH(), public_key)
    ks_enc, ks_mac = (
        derive_key(secret, purpose, SessionCipher.AES_128)
        for purpose in (KeyPurpose.ENCRYPTION, KeyPurpose.MAC)
    )
    messaging = SecureMessaging(SessionCipher.AES_128, ks_enc, ks_mac, bytes(16))
    return SecureChannel(PlainChannel(card), messaging)


def test_chip_authentication_renews_the_session(image, open_card):
    card, channel = open_card(image)
    renewed = authenticate_chip(card, channel, chip_key(image.files["EF.DG14"]))
    assert renewed.send(SELECT_COM).status == 0x9000
    assert renewed.send(CommandApdu(0x00, 0xB0, 0, 0, le=4)).data == image.files["EF.COM"][:4]


def test_a_clone_fails_chip_authentication(image, open_card):
    card, channel = open_card(image.cloned())
    renewed = authenticate_chip(card, channel, chip_key(image.files["EF.DG14"]))
    with pytest.raises(DeviceError):
        renewed.send(SELECT_COM)


def test_an_unknown_key_reference_is_refused(image, open_card):
    _, channel = open_card(image)
    data = SET_AT.data + tlv.encode(0x84, b"\x01")
    assert channel.send(CommandApdu(0x00, 0x22, 0x41, 0xA4, data)).status == 0x6A88


def test_named_parameters_in_dg14(table):
    table["chip"]["chip_authentication_parameters"] = "named"
    table["chip"]["active_authentication"] = "none"
    image = personalise(parse_profile(table))
    brainpool_p256r1 = bytes.fromhex("06092B2403030208010107")
    assert brainpool_p256r1 in image.files["EF.DG14"]


def test_active_authentication_with_ecdsa(table, pki):
    table["chip"]["active_authentication"] = "ecdsa-brainpoolP256r1"
    image = personalise(parse_profile(table), pki=pki)
    ecdsa_plain_sha256 = bytes.fromhex("060A04007F00070101040103")
    assert bytes.fromhex("0606678108010105020101") + ecdsa_plain_sha256 in image.files["EF.DG14"]
    channel = ChipAccess(PlainChannel(SimulatedCard(image)), Can("123456")).open()
    challenge = bytes(range(8))
    signature = channel.send(CommandApdu(0x00, 0x88, 0, 0, challenge, 256)).data
    ((_, spki),) = tlv.parse(image.files["EF.DG15"])
    public = load_der_public_key(spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public.verify(encode_dss_signature(r, s), challenge, ec.ECDSA(hashes.SHA256()))
    assert load_key(image.aa_key).public_key_info() == spki


@pytest.mark.parametrize("length", [0, 7, 9, 16])
def test_a_challenge_has_eight_bytes(image, open_card, length):
    _, channel = open_card(image)
    assert channel.send(CommandApdu(0x00, 0x88, 0, 0, bytes(length), 256)).status == 0x6700


def test_hostile_commands_in_a_session_get_a_status_word(image, open_card):
    """Whatever comes in under intact protection, the card answers and never breaks."""
    rng = random.Random(2)
    _, channel = open_card(image)
    instructions = (0x22, 0x82, 0x84, 0x86, 0x88, 0xA4, 0xB0, 0xB1, 0x00, 0xFF)
    parameters = (0x00, 0x01, 0x02, 0x04, 0x41, 0x80, 0x9E, 0xA4, 0xC1, 0xFF)
    prefixes = (b"", b"\x7c\x00", b"\x7c\x04\x80\x02", SET_AT.data, b"\x54\x01", b"\x7f\x7f\x7f")
    for _ in range(600):
        data = rng.choice(prefixes) + rng.randbytes(rng.choice((0, 0, 1, 2, 8, 40)))
        lengths = (None, 1, 8, 256, 65536) if data else (1, 8, 256, 65536)
        header = rng.choice(instructions), rng.choice(parameters), rng.choice(parameters)
        command = CommandApdu(0x00, *header, data, rng.choice(lengths))
        response = channel.send(command)
        assert response.status in range(0x6200, 0x9001)
        assert channel.send(SELECT_COM).status in (0x9000, 0x6A82)


def test_response_chaining_gives_the_whole_answer(image):
    """A short Le on a long answer: 61xx and GET RESPONSE give all of it."""
    card = SimulatedCard(image)
    first = card.transmit(bytes.fromhex("00B09C000A"))
    assert first == image.files["EF.CardAccess"][:10] + b"\x90\x00"
    pace = bytes.fromhex("0022C1A40F800A04007F00070202040202830102")
    assert card.transmit(pace) == b"\x90\x00"
    part = card.transmit(bytes.fromhex("10860000027C0005"))
    assert part[-2:] == bytes.fromhex("610F")
    rest = card.transmit(bytes.fromhex("00C000000F"))
    assert rest[-2:] == b"\x90\x00"
    assert (part[:-2] + rest[:-2]).startswith(bytes.fromhex("7C128010"))
    assert len(part[:-2] + rest[:-2]) == 20
