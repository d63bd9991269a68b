"""Secure messaging and Active Authentication against transcripts of other implementations.

Vectors: `chip/vectors/ca_aa_transcripts.json` (gmrtd, MIT).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.apdu import CommandApdu, ResponseApdu, StatusWord
from devices.emrtd.active_authentication import (
    internal_authenticate,
    verify_active_authentication,
)
from devices.emrtd.crypto.block_ciphers import compute_mac, encrypt_cbc, pad
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.crypto.session_keys import SessionKeys
from devices.emrtd.errors import (
    AuthenticationRefusedError,
    SecureMessagingError,
    UnprotectedResponseError,
)
from devices.emrtd.lds import parse_dg15
from devices.emrtd.terminal.secure_messaging import SecureMessaging
from devices.tlv import encode_tlv

CHALLENGE = bytes.fromhex("96302B0F3D7E7864")


@pytest.fixture(scope="module")
def transcripts(test_data: Path) -> dict[str, Any]:
    path = test_data / "chip/vectors/ca_aa_transcripts.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def active(transcripts: dict[str, Any]) -> dict[str, Any]:
    return transcripts["TestDoActiveAuth"]


def _bytes_after(transcript: dict[str, Any], index: int) -> bytes:
    return bytes.fromhex(transcript["hex"][index][1])


def _tdes_session(active: dict[str, Any]) -> SecureMessaging:
    enc, mac, ssc = (_bytes_after(active, index) for index in range(3))
    return SecureMessaging(SessionCipher.TDES, enc, mac, ssc)


def _answer(active: dict[str, Any]) -> ResponseApdu:
    return ResponseApdu.parse(bytes.fromhex(active["apdus"][0][1]))


def test_tdes_command_is_protected_as_in_the_transcript(active: dict[str, Any]) -> None:
    command = _tdes_session(active).wrap(internal_authenticate(CHALLENGE, 256))
    assert command.to_bytes().hex() == active["apdus"][0][0]


def test_tdes_answer_holds_a_signature_that_verifies(active: dict[str, Any]) -> None:
    session = _tdes_session(active)
    session.wrap(internal_authenticate(CHALLENGE, 256))
    plain = session.unwrap(_answer(active))
    assert plain.status == 0x9000
    assert plain.data == _bytes_after(active, 6)
    verify_active_authentication(parse_dg15(_bytes_after(active, 4)), CHALLENGE, plain.data, None)


@pytest.mark.parametrize("changed", ["challenge", "signature", "shorter", "longer"])
def test_altered_active_authentication_is_refused(active: dict[str, Any], changed: str) -> None:
    key = parse_dg15(_bytes_after(active, 4))
    challenge, signature = CHALLENGE, _bytes_after(active, 6)
    if changed == "challenge":
        challenge = bytes(8)
    elif changed == "signature":
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    else:
        signature = signature[1:] if changed == "shorter" else b"\x00" + signature
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_active_authentication(key, challenge, signature, None)
    assert refusal.value.reason == "aa-signature-invalid"


@pytest.mark.parametrize("position", [0, 3, 100, -13, -11, -1])
def test_any_altered_byte_of_an_answer_is_refused(active: dict[str, Any], position: int) -> None:
    session = _tdes_session(active)
    session.wrap(internal_authenticate(CHALLENGE, 256))
    answer = _answer(active)
    data = bytearray(answer.data)
    data[position] ^= 1
    with pytest.raises(SecureMessagingError):
        session.unwrap(ResponseApdu(bytes(data), answer.status))


def test_an_answer_cannot_be_replayed(active: dict[str, Any]) -> None:
    session = _tdes_session(active)
    session.wrap(internal_authenticate(CHALLENGE, 256))
    session.unwrap(_answer(active))
    session.wrap(internal_authenticate(CHALLENGE, 256))
    with pytest.raises(SecureMessagingError):
        session.unwrap(_answer(active))


@pytest.mark.parametrize("status", [0x9000, 0x6700, 0x6988])
def test_a_naked_status_word_is_never_an_answer(active: dict[str, Any], status: int) -> None:
    session = _tdes_session(active)
    session.wrap(internal_authenticate(CHALLENGE, 256))
    with pytest.raises(UnprotectedResponseError) as error:
        session.unwrap(ResponseApdu(b"", StatusWord(status)))
    assert error.value.status == status


def test_plain_data_under_secure_messaging_is_never_data(active: dict[str, Any]) -> None:
    session = _tdes_session(active)
    session.wrap(internal_authenticate(CHALLENGE, 256))
    with pytest.raises(SecureMessagingError):
        session.unwrap(ResponseApdu(_bytes_after(active, 6), StatusWord(0x9000)))


def test_an_answer_without_protected_status_is_refused(active: dict[str, Any]) -> None:
    answer = _answer(active)
    without = answer.data[:-14] + answer.data[-10:]
    session = _tdes_session(active)
    session.wrap(internal_authenticate(CHALLENGE, 256))
    with pytest.raises(SecureMessagingError):
        session.unwrap(ResponseApdu(without, answer.status))


def test_aes_command_is_protected_as_in_the_transcript(transcripts: dict[str, Any]) -> None:
    chip = transcripts["TestChipAuthAT"]
    enc, mac, ssc = (bytes.fromhex(chip["hex_values_in_order"][i][1]) for i in (1, 2, 3))
    session = SecureMessaging(SessionCipher.AES_128, enc, mac, ssc)
    mse = bytes.fromhex("800A04007F00070202030202")
    wrapped = session.wrap(CommandApdu(0x00, 0x22, 0x41, 0xA4, mse))
    assert wrapped.to_bytes().hex().upper() == chip["apdus"][0][0]
    answer = session.unwrap(ResponseApdu.parse(bytes.fromhex(chip["apdus"][0][1])))
    assert (answer.data, answer.status) == (b"", 0x9000)


@pytest.mark.parametrize(
    ("cipher", "ssc_bytes", "short"),
    [
        (SessionCipher.AES_128, 16, 223),
        (SessionCipher.AES_192, 16, 223),
        (SessionCipher.AES_256, 16, 223),
        (SessionCipher.TDES, 8, 231),
    ],
)
def test_plain_bytes_in_a_short_answer(cipher: SessionCipher, ssc_bytes: int, short: int) -> None:
    key = bytes(range(cipher.key_bytes))
    session = SecureMessaging(cipher, key, key, bytes(ssc_bytes))
    assert session.max_response_data(256) == short
    assert 65_000 < session.max_response_data(65_536) < 65_536


@pytest.mark.parametrize("cipher", [SessionCipher.TDES, SessionCipher.AES_128])
def test_9_8_5_a_command_without_data_objects_gets_no_padding_after_its_header(
    cipher: SessionCipher,
) -> None:
    """The header is padded by itself; where no object follows, no block of padding does."""
    key, block = bytes(range(1, 1 + cipher.key_bytes)), cipher.block_bytes
    session = SecureMessaging(cipher, key, key, bytes(block))
    wrapped = session.wrap(CommandApdu(0x00, 0x44, 0x00, 0x00))
    covered = b"\x01".rjust(block, b"\x00") + b"\x0c\x44\x00\x00\x80".ljust(block, b"\x00")
    assert wrapped.data == b"\x8e\x08" + SessionKeys(cipher, key, key).mac(covered)
    assert wrapped.le == 256


@pytest.mark.parametrize("cipher", list(SessionCipher))
def test_session_keys_agree_with_the_plain_functions(cipher: SessionCipher) -> None:
    """Keys set up once give what the functions give that set them up each time."""
    ks_enc, ks_mac = bytes(range(cipher.key_bytes)), bytes(range(7, 7 + cipher.key_bytes))
    keys = SessionKeys(cipher, ks_enc, ks_mac)
    zero = bytes(cipher.block_bytes)
    for number in range(1, 5):
        counter, plain = number.to_bytes(cipher.block_bytes, "big"), bytes(range(48 * number))
        is_tdes = cipher is SessionCipher.TDES
        iv = zero if is_tdes else encrypt_cbc(cipher, ks_enc, zero, counter)
        sealed = encrypt_cbc(cipher, ks_enc, iv, plain)
        assert keys.encrypt(counter, plain) == sealed
        assert keys.decrypt(counter, sealed) == plain
        if not is_tdes:  # the plain function pads for 3DES itself
            assert keys.mac(plain) == compute_mac(cipher, ks_mac, plain)
        else:
            assert keys.mac(pad(plain, 8)) == compute_mac(cipher, ks_mac, plain)


def test_both_cryptograms_in_one_answer_are_refused() -> None:
    key = bytes(range(16))
    keys = SessionKeys(SessionCipher.AES_128, key, key)
    session = SecureMessaging(SessionCipher.AES_128, key, key, bytes(16))
    session.wrap(CommandApdu(0x00, 0xB0, 0x00, 0x00, le=16))
    counter = (2).to_bytes(16, "big")
    sealed = keys.encrypt(counter, pad(b"data", 16))
    objects = encode_tlv(0x87, b"\x01" + sealed) + encode_tlv(0x85, sealed) + b"\x99\x02\x90\x00"
    answer = objects + encode_tlv(0x8E, keys.mac(counter + pad(objects, 16)))
    with pytest.raises(SecureMessagingError):
        session.unwrap(ResponseApdu(answer, StatusWord(0x9000)))
