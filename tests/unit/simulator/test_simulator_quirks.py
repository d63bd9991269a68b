"""Each quirk of behaviour: what the card does with it and without it."""

import contextlib
from dataclasses import replace
from typing import get_args

import pytest

from devices.apdu import CommandApdu, ResponseApdu
from devices.emrtd.errors import (
    PasswordWrongError,
    SecureMessagingError,
    UnprotectedResponseError,
)
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.access import ChipAccess
from devices.simulator import commands as card_commands
from devices.simulator.card import SimulatedCard
from devices.simulator.quirks import QUIRKS, Quirk
from devices.transport import PlainChannel

AID = "00A4040C07A0000002471001"
READ_SOD = CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=64)
INTERNAL_AUTHENTICATE = CommandApdu(0x00, 0x88, 0x00, 0x00, bytes(8), le=256)
LONG = bytes(range(256)) * 160  # longer than the even instruction reaches


def odd(image, *quirks, files=None, **limits):
    """Return the card with these quirks alone, perhaps with other files and limits."""
    behaviour = replace(image.behaviour, quirks=quirks, **limits)
    return replace(image, behaviour=behaviour, files=dict(image.files) | (files or {}))


def ask(image, *commands):
    """Return the card's answers to plain commands."""
    card = SimulatedCard(image)
    return [card.transmit(bytes.fromhex(command)) for command in commands]


def status(image, *commands):
    return ask(image, *commands)[-1][-2:].hex().upper()


def open_session(image):
    card = SimulatedCard(image)
    return card, ChipAccess(PlainChannel(card), Can("123456")).open()


def test_every_quirk_has_its_sentence():
    assert list(QUIRKS) == list(get_args(Quirk))
    assert all(sentence.endswith(".") for sentence in QUIRKS.values())


@pytest.mark.parametrize(
    ("quirk", "commands", "with_it", "without"),
    [
        ("select-mf-6d00", ["00A4000C023F00"], "6D00", "9000"),
        ("card-access-6982-after-aid", [AID, "00A4020C02011C"], "6982", "6982"),
        ("card-access-6283-on-select", ["00A4020C02011C"], "6283", "9000"),
        ("card-access-6283-on-select", ["00A4020C02011C", "00B0000008"], "9000", "9000"),
        ("le-on-select-refused", ["00A4020C02011C00"], "6700", "9000"),
        ("le-on-select-refused", ["00A4020C02011C"], "9000", "9000"),
        ("sfi-6a82", ["00B09C0000"], "6A82", "9000"),
        ("sfi-6a86", ["00B09C0000"], "6A86", "9000"),
        ("sfi-6b00", ["00B09C0000"], "6B00", "9000"),
        ("sfi-6b00", ["00B1001C0354010000"], "6B00", "9000"),
        ("sfi-6b00", ["00A4020C02011C", "00B0000000"], "9000", "9000"),
        ("odd-read-6d00", ["00B1001C0354010000"], "6D00", "9000"),
        ("pace-needs-do84", ["0022C1A40F800A04007F00070202040202830102"], "6A80", "9000"),
        ("pace-needs-do84", ["0022C1A412800A04007F0007020204020283010284010D"], "9000", "9000"),
        ("pace-refuses-do84", ["0022C1A412800A04007F0007020204020283010284010D"], "6A80", "9000"),
        ("pace-refuses-do84", ["0022C1A40F800A04007F00070202040202830102"], "9000", "9000"),
        ("le-on-mse-refused", ["0022C1A40F800A04007F0007020204020283010200"], "6700", "9000"),
        ("le-on-mse-refused", ["0022C1A40F800A04007F00070202040202830102"], "9000", "9000"),
        ("read-beyond-end-6cxx", ["00B09C00FF"], None, "6282"),
    ],
)
def test_plain_commands(image, quirk, commands, with_it, without):
    if with_it is None:
        with_it = f"6C{len(image.files['EF.CardAccess']):02X}"
    assert status(odd(image, quirk), *commands) == with_it
    assert status(odd(image), *commands) == without


def test_ef_dir_before_access(image):
    files = {"EF.DIR": bytes.fromhex("61094F07A0000002471001")}
    locked = odd(image, "ef-dir-6982-before-access", files=files)
    assert status(locked, "00A4020C022F00") == "6982"
    assert status(locked, "00B09E0000") == "6982"
    assert status(odd(image, files=files), "00B09E0000") == "9000"


def test_card_access_after_the_application_is_refused_in_a_session(image):
    select = CommandApdu(0x00, 0xA4, 0x02, 0x0C, bytes.fromhex("011C"))
    for quirks, expected in ((("card-access-6982-after-aid",), 0x6982), ((), 0x6A82)):
        assert open_session(odd(image, *quirks))[1].send(select).status == expected


def test_a_read_beyond_the_end_is_right_with_the_exact_le(image):
    content = image.files["EF.CardAccess"]
    exact = ask(odd(image, "read-beyond-end-6cxx"), f"00B09C00{len(content):02X}")[0]
    assert exact == content + b"\x90\x00"


def test_even_reads_stop_at_7fff(image):
    files = {"EF.CardAccess": LONG}
    select, crossing, reaching = "00A4020C02011C", "00B07FF020", "00B07FF010"
    strict = odd(image, "even-read-crossing-7fff-6b00", files=files)
    assert ask(strict, select, crossing)[1].hex() == "6b00"
    assert ask(strict, select, reaching)[1] == LONG[0x7FF0:0x8000] + b"\x90\x00"
    assert ask(odd(image, files=files), select, crossing)[1] == LONG[0x7FF0:0x8010] + b"\x90\x00"
    beyond = ask(strict, select, "00B10000045402800000")[1]
    assert beyond[3:-2] == LONG[0x8000 : 0x8000 + len(beyond) - 5]


def test_a_full_read_with_a_warning(image):
    files = {"EF.CardAccess": LONG}
    warned = ask(odd(image, "full-read-6282", files=files), "00B09C0000", "00B09C00FF")
    assert warned == [LONG[:256] + b"\x62\x82", LONG[:255] + b"\x90\x00"]


@pytest.mark.parametrize("asked", [256, 300])
def test_a_long_response_in_parts(image, asked):
    """256 bytes of plaintext do not fit a protected response of 256 bytes: 61xx, then the rest."""
    card, channel = open_session(odd(image, "response-in-parts-61xx"))
    for read_whole in (False, True):
        tap = Tap(card)
        channel._below = PlainChannel(tap)
        response = channel.send(CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=asked))
        assert response.data == image.files["EF.SOD"][:asked]
        parts = [answer[-2:-1].hex() for answer in tap.responses]
        assert parts == (["61", "90"] if asked == 256 else ["90"]), read_whole
    plain = open_session(odd(image))[1]
    assert len(plain.send(CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=256)).data) < 256


def test_a_long_response_in_protected_parts(image):
    quirky = odd(image, "response-in-protected-parts-61xx")
    _, channel = open_session(quirky)
    channel.send(CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=64))
    first = channel.messaging
    tap = Tap(channel._below._transport)

    def exchange(command):
        response = tap.transmit(first.wrap(command).to_bytes())
        return first.unwrap(ResponseApdu.parse(response))

    part = exchange(CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=256))
    assert part.status.sw1 == 0x61
    rest = exchange(CommandApdu(0x00, 0xC0, 0x00, 0x00, le=part.status.sw2 or 256))
    assert rest.status == 0x9000
    assert part.data + rest.data == image.files["EF.SOD"][:256]
    assert exchange(CommandApdu(0x00, 0xC0, 0x00, 0x00, le=256)).status == 0x6D00


def test_mse_tells_how_many_tries_are_left(image):
    mse = "0022C1A40F800A04007F00070202040202830102"
    card = SimulatedCard(odd(image, "mse-tells-tries", password_tries=3))
    assert card.transmit(bytes.fromhex(mse)).hex() == "9000"
    with pytest.raises(PasswordWrongError):
        ChipAccess(PlainChannel(card), Can("654321")).open()
    card.reset()
    assert card.transmit(bytes.fromhex(mse)).hex() == "63c2"


def test_aa_that_needs_an_extended_le(image):
    _, channel = open_session(odd(image, "aa-needs-extended-le"))
    assert channel.send(INTERNAL_AUTHENTICATE).status == 0x6700
    long = channel.send(replace(INTERNAL_AUTHENTICATE, le=65536))
    assert (long.status, len(long.data)) == (0x9000, 256)
    _, channel = open_session(odd(image))
    assert channel.send(INTERNAL_AUTHENTICATE).status == 0x9000


def test_a_signature_that_lost_its_leading_zeros(image, monkeypatch):
    monkeypatch.setattr(card_commands, "sign_challenge", lambda *a, **k: b"\0\0" + b"\1" * 254)
    for quirks, size in ((("aa-signature-without-leading-zeros",), 254), ((), 256)):
        _, channel = open_session(odd(image, *quirks))
        assert len(channel.send(INTERNAL_AUTHENTICATE).data) == size


@pytest.mark.parametrize(("quirks", "counted"), [((), 0), (("bare-status-advances-ssc",), 2)])
def test_too_much_is_answered_bare(image, quirks, counted):
    asked = replace(READ_SOD, le=128)
    _, channel = open_session(odd(image, "too-much-answered-bare", *quirks, max_read_bytes=100))
    before = channel.messaging._ssc
    with pytest.raises(UnprotectedResponseError) as caught:
        channel.send(asked)
    assert caught.value.status == 0x6700
    channel.messaging._ssc = before + counted
    assert channel.send(READ_SOD).status == 0x9000
    _, channel = open_session(odd(image, max_read_bytes=100))
    assert channel.send(asked).status == 0x6700
    assert channel.send(READ_SOD).status == 0x9000


def test_do99_missing(image):
    tap = Tap(SimulatedCard(odd(image, "do99-missing")))
    channel = ChipAccess(PlainChannel(tap), Can("123456")).open()
    assert "990290008e08" in tap.responses[-1].hex(), "without data there is nothing else"
    with contextlib.suppress(SecureMessagingError):
        channel.send(READ_SOD)
    assert b"\x99\x02\x90\x00" not in tap.responses[-1]
    assert tap.responses[-1][:2].hex() == "8751"


class Tap:
    """A transport that keeps what it brought."""

    def __init__(self, card):
        self.name, self.atr, self.card = card.name, card.atr, card
        self.responses = []

    def transmit(self, command):
        self.responses.append(self.card.transmit(command))
        return self.responses[-1]

    def close(self):
        self.card.close()
