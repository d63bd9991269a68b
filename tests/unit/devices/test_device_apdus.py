"""Encoding of APDUs, and what rides on the exchange: chaining, 61xx, 6Cxx."""

import pytest

from devices.apdu import CommandApdu, ResponseApdu, StatusWord
from devices.errors import (
    ApduMalformedError,
    CardRemovedError,
    CardTooSlowError,
    ReplayMismatchError,
)
from devices.replay import ReplayTransport
from devices.transport import PlainChannel


@pytest.mark.parametrize(
    ("command", "encoded"),
    [
        (CommandApdu(0x00, 0xA4, 0x00, 0x0C), "00A4000C"),
        (CommandApdu(0x00, 0xB0, 0x9C, 0x00, le=256), "00B09C0000"),
        (CommandApdu(0x00, 0xB0, 0x9C, 0x00, le=1), "00B09C0001"),
        (CommandApdu(0x00, 0xB0, 0x9C, 0x00, le=257), "00B09C00000101"),
        (CommandApdu(0x00, 0xB0, 0x9C, 0x00, le=65536), "00B09C00000000"),
        (CommandApdu(0x00, 0xA4, 0x02, 0x0C, b"\x01\x1d"), "00A4020C02011D"),
        (CommandApdu(0x00, 0x88, 0x00, 0x00, b"\x01", 256), "00880000010100"),
        (CommandApdu(0x00, 0x88, 0x00, 0x00, b"\x01", 300), "0088000000000101012C"),
    ],
)
def test_encoding(command: CommandApdu, encoded: str) -> None:
    assert command.to_bytes().hex().upper() == encoded


@pytest.mark.parametrize(
    "command",
    [
        CommandApdu(0, 0, 0, 0, le=0),
        CommandApdu(0, 0, 0, 0, le=65537),
        CommandApdu(0, 0, 0, 0, bytes(65536)),
    ],
)
def test_impossible_commands(command: CommandApdu) -> None:
    with pytest.raises(ApduMalformedError):
        command.to_bytes()


@pytest.mark.parametrize("raw", [b"", b"\x90", bytes(65539)])
def test_impossible_responses(raw: bytes) -> None:
    with pytest.raises(ApduMalformedError):
        ResponseApdu.parse(raw)


def test_tries_left() -> None:
    assert StatusWord(0x63C2).tries_left == 2
    assert StatusWord(0x6300).tries_left is None
    assert str(StatusWord(0x6A82)) == "6A82"


def _channel(*exchanges: tuple[str, str]) -> tuple[PlainChannel, ReplayTransport]:
    transport = ReplayTransport((bytes.fromhex(c), bytes.fromhex(r)) for c, r in exchanges)
    return PlainChannel(transport), transport


def test_get_response_collects_what_is_waiting() -> None:
    channel, transport = _channel(
        ("00B0000000", "AAAA6102"), ("00C0000002", "BBBB6100"), ("00C0000000", "CC9000")
    )
    response = channel.send(CommandApdu(0x00, 0xB0, 0x00, 0x00, le=256))
    assert (response.data.hex(), response.status) == ("aaaabbbbcc", 0x9000)
    assert (transport.remaining, channel.apdu_count) == (0, 3)


def test_exact_length_is_asked_for_once() -> None:
    channel, _ = _channel(("00B0000000", "6C02"), ("00B0000002", "AABB9000"))
    assert channel.send(CommandApdu(0x00, 0xB0, 0x00, 0x00, le=256)).data.hex() == "aabb"


def test_a_protected_command_is_never_sent_twice() -> None:
    channel, transport = _channel(("0CB0000000", "6C02"))
    assert channel.send(CommandApdu(0x0C, 0xB0, 0x00, 0x00, le=256)).status == 0x6C02
    assert transport.remaining == 0


def test_command_chaining_where_extended_length_is_missing() -> None:
    data = bytes(range(256)) + b"\x01\x02"
    channel, transport = _channel(
        ("10860000FF" + data[:255].hex(), "9000"),
        ("0086000003" + data[255:].hex() + "00", "AA9000"),
    )
    channel.extended_length = False
    assert channel.send(CommandApdu(0x00, 0x86, 0x00, 0x00, data, 256)).data == b"\xaa"
    assert transport.remaining == 0


def test_chaining_stops_where_the_card_refuses() -> None:
    channel, transport = _channel(("10860000FF" + "00" * 255, "6883"))
    channel.extended_length = False
    assert channel.send(CommandApdu(0x00, 0x86, 0x00, 0x00, bytes(600), 256)).status == 0x6883
    assert transport.remaining == 0


def test_replay_knows_its_transcript_only() -> None:
    _, transport = _channel(("00B0000000", "9000"))
    with pytest.raises(ReplayMismatchError):
        transport.transmit(b"\x00\xb0\x00\x00\x01")
    assert transport.transmit(bytes.fromhex("00B0000000")) == b"\x90\x00"
    with pytest.raises(CardRemovedError):
        transport.transmit(bytes.fromhex("00B0000000"))


def test_a_step_of_pace_that_is_too_long_is_chained_within_its_chain() -> None:
    """9303-11, 4.4.4: all steps but the last bear the chaining bit, whole or in pieces."""
    data = bytes(300)
    channel, transport = _channel(
        ("10860000FF" + data[:255].hex(), "9000"),
        ("108600002D" + data[255:].hex() + "00", "AA9000"),
    )
    channel.extended_length = False
    assert channel.send(CommandApdu(0x10, 0x86, 0x00, 0x00, data, 256)).data == b"\xaa"
    assert transport.remaining == 0


def test_commands_beyond_the_cards_own_limit_are_chained() -> None:
    data = bytes(600)
    channel, transport = _channel(
        ("10860000FF" + "00" * 255, "9000"),
        ("10860000FF" + "00" * 255, "9000"),
        ("008600005A" + "00" * 90 + "00", "9000"),
    )
    channel.max_command_bytes = 500
    assert channel.send(CommandApdu(0x00, 0x86, 0x00, 0x00, data, 256)).status == 0x9000
    assert transport.remaining == 0


def test_exact_length_asked_of_an_extended_command_means_short_ones() -> None:
    channel, _ = _channel(("00B09C00000000", "6C04"), ("00B09C0004", "AABBCCDD9000"))
    response = channel.send(CommandApdu(0x00, 0xB0, 0x9C, 0x00, le=65536))
    assert response.data.hex() == "aabbccdd"
    assert not channel.extended_length


def test_the_time_for_everything_is_over() -> None:
    transport = ReplayTransport([(bytes.fromhex("00B0000000"), b"\x90\x00")])
    channel = PlainChannel(transport, timeout_s=-1)
    with pytest.raises(CardTooSlowError):
        channel.send(CommandApdu(0x00, 0xB0, 0x00, 0x00, le=256))
    assert transport.remaining == 1


def test_parts_that_are_protected_one_by_one_are_left_to_secure_messaging() -> None:
    whole = "9902611A8E08" + "00" * 8
    channel, transport = _channel(("0CB0000000", whole + "611A"))
    assert channel.send(CommandApdu(0x0C, 0xB0, 0x00, 0x00, le=256)).status == 0x611A
    assert transport.remaining == 0
