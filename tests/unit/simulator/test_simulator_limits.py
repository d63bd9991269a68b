"""What a chip cannot do: lengths, chaining, tries, and the ATR that says so."""

import contextlib
import time
from dataclasses import replace

import pytest

from devices.apdu import CommandApdu, ResponseApdu
from devices.emrtd.errors import PasswordWrongError
from devices.emrtd.lds.mrz import Can, MrzKey
from devices.emrtd.terminal.access import ChipAccess
from devices.errors import DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.errors import ProfileInvalidError
from devices.simulator.profile import parse_profile
from devices.transport import PlainChannel

LONG = bytes(range(256)) * 40
MRZ = MrzKey("190123456", "900520", "300520")


def limited(image, *, quirks=(), files=None, **limits):
    behaviour = replace(image.behaviour, quirks=quirks, **limits)
    return replace(image, behaviour=behaviour, files=dict(image.files) | (files or {}))


def ask(image, command):
    return SimulatedCard(image).transmit(bytes.fromhex(command))


@pytest.mark.parametrize(
    ("asked_too_much", "answer"),
    [
        ("6700", b"\x67\x00"),
        ("6Cxx", b"\x6c\x64"),
        ("less", LONG[:100] + b"\x90\x00"),
        ("6282", LONG[:100] + b"\x62\x82"),
    ],
)
def test_asked_for_more_than_the_chip_gives(image, asked_too_much, answer):
    limits = {"asked_too_much": asked_too_much, "files": {"EF.CardAccess": LONG}}
    card = limited(image, max_read_bytes=100, **limits)
    assert ask(card, "00B09C0065") == answer
    assert ask(card, "00B09C0000") == answer
    assert ask(card, "00B09C0064") == LONG[:100] + b"\x90\x00"
    assert ask(card, "00A4020C02011C") == b"\x90\x00"


@pytest.mark.parametrize(
    ("asked_too_much", "sizes"), [("6700", 0), ("6Cxx", 0), ("less", 998), ("6282", 998)]
)
def test_an_extended_response_is_limited(image, asked_too_much, sizes):
    limits = {"asked_too_much": asked_too_much, "files": {"EF.CardAccess": LONG}}
    card = limited(image, max_response_bytes=1000, **limits)
    assert len(ask(card, "00B09C00000000")) - 2 == sizes
    assert ask(card, "00B09C000003E6") == LONG[:998] + b"\x90\x00"


def test_a_protected_response_is_limited_as_a_whole(image):
    card = SimulatedCard(limited(image, max_response_bytes=1000))
    messaging = ChipAccess(PlainChannel(card), Can("123456")).open().messaging
    # 61 blocks less a byte of padding, DO'87' 5, DO'99' 4, DO'8E' 10, SW 2
    for asked, (status, size) in {975: (0x9000, 975), 976: (0x6700, 0)}.items():
        wrapped = messaging.wrap(CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=asked))
        answer = messaging.unwrap(ResponseApdu.parse(card.transmit(wrapped.to_bytes())))
        assert (answer.status, len(answer.data)) == (status, size)


def test_a_command_longer_than_the_chip_takes(image):
    card = limited(image, max_command_bytes=300)
    assert ask(card, "0088000000 0200".replace(" ", "") + "00" * 512).hex() == "6700"
    assert ask(card, "0088000000 0008".replace(" ", "") + "00" * 8 + "0000").hex() == "6982"


def test_a_chip_without_extended_length(image):
    assert ask(limited(image, extended_length=False), "00B09C00000000").hex() == "6700"


def pieces(command, size):
    """Cut a command into a chain."""
    raw = command.data
    parts = [raw[start : start + size] for start in range(0, len(raw), size)]
    for part in parts[:-1]:
        yield replace(command, cla=command.cla | 0x10, data=part, le=None).to_bytes()
    yield replace(command, data=parts[-1]).to_bytes()


def test_a_chained_command_is_put_together(image):
    """The pieces of a protected command, and of a step of PACE that is cut within an object."""
    card = SimulatedCard(limited(image))
    channel = ChipAccess(PlainChannel(card), Can("123456")).open()
    wrapped = channel.messaging.wrap(CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=16))
    *first, last = pieces(wrapped, 5)
    assert [card.transmit(piece) for piece in first] == [b"\x90\x00"] * len(first)
    assert len(card.transmit(last)) > 16
    card.reset()
    mse = CommandApdu(0x00, 0x22, 0xC1, 0xA4, bytes.fromhex("800A04007F00070202040202830102"))
    assert [card.transmit(piece) for piece in pieces(mse, 4)] == [b"\x90\x00"] * 4
    assert len(card.transmit(bytes.fromhex("10860000027C0000"))) == 22
    assert card.transmit(bytes.fromhex("10860000047C438141")).hex() == "9000"
    assert card.transmit(bytes.fromhex("108600000104")).hex() == "9000"
    assert card.transmit(bytes.fromhex("1086000040" + "00" * 64)).hex() == "6a80"


def test_a_chain_that_is_broken(image):
    card = SimulatedCard(limited(image))
    assert card.transmit(bytes.fromhex("1022C1A402800A")).hex() == "9000"
    assert card.transmit(bytes.fromhex("00A4020C02011C")).hex() == "6883"
    assert card.transmit(bytes.fromhex("00A4020C02011C")).hex() == "9000"


def test_a_chain_without_end_is_cut(image):
    card, piece = SimulatedCard(limited(image)), bytes.fromhex("1022C1A4FF") + bytes(255)
    answers = {card.transmit(piece).hex() for _ in range(300)}
    assert answers == {"9000", "6700"}


def test_a_chip_without_command_chaining(image):
    card = SimulatedCard(limited(image, command_chaining=False))
    assert card.transmit(bytes.fromhex("10A4020C02011C")).hex() == "6884"
    ChipAccess(PlainChannel(card), Can("123456")).open()


@pytest.mark.parametrize("password", [Can("654321"), MrzKey("190123456", "900521", "300520")])
def test_a_password_is_blocked_after_its_tries(image, password):
    card = SimulatedCard(limited(image, password_tries=2))
    right = Can("123456") if isinstance(password, Can) else MRZ
    for _ in range(2):
        card.reset()
        with pytest.raises(PasswordWrongError):
            ChipAccess(PlainChannel(card), password).open()
    card.reset()
    with pytest.raises(DeviceError):
        ChipAccess(PlainChannel(card), right).open()
    card.reset()
    other = MRZ if isinstance(password, Can) else Can("123456")
    ChipAccess(PlainChannel(card), other).open()


def test_bac_counts_tries_too(image):
    card = SimulatedCard(limited(image, access=("bac",), password_tries=2))
    wrong = bytes.fromhex("0082000028" + "00" * 40 + "28")
    answers = []
    for _ in range(3):
        card.transmit(bytes.fromhex("00A4040C07A0000002471001"))
        card.transmit(bytes.fromhex("0084000008"))
        answers.append(card.transmit(wrong).hex())
    assert answers == ["63c1", "63c0", "6983"]


def test_the_right_password_gives_all_tries_back(image):
    card = SimulatedCard(limited(image, password_tries=2))
    for _ in range(3):
        card.reset()
        with pytest.raises(PasswordWrongError):
            ChipAccess(PlainChannel(card), Can("654321")).open()
        card.reset()
        ChipAccess(PlainChannel(card), Can("123456")).open()


def test_wrong_passwords_slow_the_chip_down(image, monkeypatch):
    card = SimulatedCard(limited(image, retry_delay_ms=300))

    def slept_s(password):
        slept = []
        card.reset()
        with monkeypatch.context() as patch, contextlib.suppress(PasswordWrongError):
            patch.setattr(time, "sleep", slept.append)
            ChipAccess(PlainChannel(card), password).open()
        return sum(slept)

    assert [slept_s(Can("654321")) for _ in range(2)] == [0, pytest.approx(0.3)]
    assert [slept_s(Can("123456")) for _ in range(2)] == [pytest.approx(0.6), 0]


@pytest.mark.parametrize(
    ("limits", "atr"),
    [
        ({}, "3B8580018073 9401C0 A2"),
        ({"command_chaining": False}, "3B8580018073 940140 22"),
        ({"extended_length": False, "quirks": ("sfi-6a82",)}, "3B8580018073 900180 E6"),
        ({"historical_bytes": ""}, "3B80800101"),
        ({"historical_bytes": "00112233"}, "3B84800100112233 05"),
    ],
)
def test_the_atr_of_a_contactless_card(image, limits, atr):
    assert SimulatedCard(limited(image, **limits)).atr == bytes.fromhex(atr)


def test_limits_of_a_profile(table):
    table["chip"] |= {
        "max_command_bytes": 1000,
        "max_response_bytes": 2000,
        "asked_too_much": "6Cxx",
        "command_chaining": False,
        "historical_bytes": "4A50",
        "password_tries": 3,
        "retry_delay_ms": 10,
    }
    chip = parse_profile(table).chip
    assert (chip.max_command_bytes, chip.asked_too_much, chip.password_tries) == (1000, "6Cxx", 3)


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("max_command_bytes", 1),
        ("max_response_bytes", 70000),
        ("asked_too_much", "more"),
        ("historical_bytes", "0"),
        ("historical_bytes", "00" * 16),
        ("password_tries", 16),
        ("retry_delay_ms", -1),
    ],
)
def test_an_impossible_limit_is_refused(table, limit, value):
    table["chip"][limit] = value
    with pytest.raises(ProfileInvalidError, match=f"chip.{limit}"):
        parse_profile(table)
