"""The card's behaviour: access conditions, quirks, limits, faults, what breaks a session."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.apdu import CommandApdu
from devices.emrtd.errors import PasswordWrongError
from devices.emrtd.lds.mrz import Can, MrzKey
from devices.emrtd.terminal.access import ChipAccess
from devices.emrtd.terminal.reader import read_chip
from devices.errors import CardRemovedError, DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.transport import PlainChannel

AID = "00A4040C07A0000002471001"
SELECT_COM = CommandApdu(0x00, 0xA4, 0x02, 0x0C, bytes.fromhex("011E"))


def send(card, command):
    return card.transmit(bytes.fromhex(command)).hex().upper()


def behaving(image, **changes):
    return replace(image, behaviour=replace(image.behaviour, **changes))


@pytest.mark.parametrize(
    ("commands", "answers"),
    [
        (["00A4020C02011C"], ["9000"]),
        (["00A4000C023F00"], ["6D00"]),
        (["00A4000C"], ["6D00"]),
        (["00A4020C02011E"], ["6A82"]),
        ([AID, "00A4020C02011C"], ["9000", "6982"]),
        ([AID, "00A4020C02011E"], ["9000", "6982"]),
        ([AID, "00A4020C02010B"], ["9000", "6982"]),
        ([AID, "00B09E0000"], ["9000", "6982"]),
        ([AID, "0088000008000000000000000000"], ["9000", "6982"]),
        ([AID, "002241A40C800A04007F00070202030202"], ["9000", "6982"]),
        (["00A4040C06A00000024710"], ["6A82"]),
        (["00B0000000"], ["6986"]),
        (["00B0FC0000"], ["6A86"]),
        (["0086000002 7C00 00"], ["6985"]),
        (["0082000028" + "00" * 40 + "28"], ["6985"]),
        (["0084000008"], ["6985"]),
        (["00C0000000"], ["6985"]),
        (["00FF0000"], ["6D00"]),
        (["80A4020C02011C"], ["6E00"]),
        (["10A4020C02011C"], ["9000"]),
        (["0CA4020C02011C"], ["6988"]),
        (["00"], ["6700"]),
        (["00A4020C05011C"], ["6700"]),
        (["0022C1A40F800A04007F00070202040202830103"], ["6A88"]),
        (["0022C1A412800A04007F0007020204020283010184010C"], ["6A88"]),
        (["0022C1A40F800A04007F00070202040204830101"], ["6A80"]),
        (["0022C1A40780"], ["6700"]),
        (["0022C1A4"], ["6A80"]),
        (["0022C1A4028001"], ["6A80"]),
        (["0022FFA400"], ["6A86"]),
    ],
)
def test_without_a_session(image, commands, answers):
    card = SimulatedCard(image)
    assert [send(card, command) for command in commands] == answers


def test_card_access_is_free_by_sfi_and_by_odd_instruction(image):
    card, content = SimulatedCard(image), image.files["EF.CardAccess"]
    assert card.transmit(bytes.fromhex("00B09C0000")) == content + b"\x90\x00"
    assert card.transmit(bytes.fromhex("00B0000404")) == content[4:8] + b"\x90\x00"
    odd = card.transmit(bytes.fromhex("00B1001C035401020A"))
    assert odd == bytes.fromhex("5308") + content[2:10] + b"\x90\x00"
    assert card.transmit(bytes.fromhex("00B1000003540100" + "0000"[:2])).startswith(
        bytes([0x53, len(content)]) + content
    )


def test_reads_at_the_end_of_a_file(image):
    card, size = SimulatedCard(image), len(image.files["EF.CardAccess"])
    send(card, "00A4020C02011C")
    assert send(card, f"00B000{size:02X}01") == "6B00"
    assert send(card, f"00B000{size - 1:02X}05")[-4:] == "6282"
    assert send(card, f"00B000{size - 1:02X}00")[-4:] == "9000"


def test_without_the_quirks(image):
    card = SimulatedCard(behaving(image, quirks=()))
    assert send(card, AID) == "9000"
    assert send(card, "00A4000C023F00") == "9000"
    assert send(card, "00A4020C02011C") == "9000"


def test_every_file_is_read_as_it_was_made(image):
    evidence = read_chip(SimulatedCard(image), Can("123456"), challenge=bytes(8))
    assert set(evidence.files) == set(image.files) - {"EF.COM", "EF.DG3"}
    assert all(image.files[name] == content for name, content in evidence.files.items())


@pytest.mark.parametrize("access", [("pace",), ("bac",), ("pace", "bac")])
def test_the_mrz_opens_the_chip_too(image, access):
    files = {k: v for k, v in image.files.items() if "pace" in access or k != "EF.CardAccess"}
    card = SimulatedCard(replace(behaving(image, access=access), files=files))
    evidence = read_chip(card, MrzKey("190123456", "900520", "300520"), data_groups=(1,))
    assert evidence.files["EF.DG1"] == image.files["EF.DG1"]
    assert evidence.access == ("PACE-MRZ" if "pace" in access else "BAC")


def test_a_wrong_password_is_answered_6300(image):
    with pytest.raises(PasswordWrongError):
        read_chip(SimulatedCard(image), Can("654321"))


def test_a_chip_that_speaks_only_pace_refuses_bac(image):
    card = SimulatedCard(behaving(image, access=("pace",)))
    send(card, AID)
    assert send(card, "0084000008")[-4:] == "9000"
    assert send(card, "0082000028" + "00" * 40 + "28") == "6A88"


@pytest.mark.parametrize(
    ("fid", "status"), [("0103", 0x6982), ("010B", 0x6A82), ("011C", 0x6982), ("011E", 0x9000)]
)
def test_files_in_a_session(image, open_card, fid, status):
    _, channel = open_card(image)
    assert channel.send(replace(SELECT_COM, data=bytes.fromhex(fid))).status == status


@pytest.mark.parametrize(("extended", "limit"), [(False, 256), (True, 65536), (True, 192)])
def test_limits_of_the_chip(image, extended, limit):
    card = SimulatedCard(behaving(image, extended_length=extended, max_read_bytes=limit))
    evidence = read_chip(card, Can("123456"), challenge=bytes(8))
    assert evidence.files["EF.DG2"] == image.files["EF.DG2"]
    assert evidence.aa_response is not None
    assert len(evidence.aa_response) == 256


def test_a_plain_command_ends_the_session(image, open_card):
    card, channel = open_card(image)
    assert channel.send(SELECT_COM).status == 0x9000
    assert send(card, "00A4020C02011E") == "6982"
    with pytest.raises(DeviceError):
        channel.send(SELECT_COM)


def test_a_wrong_mac_is_answered_6988_and_ends_the_session(image):
    card = SimulatedCard(image)
    recorder = Recorder(card)
    channel = ChipAccess(PlainChannel(recorder), Can("123456")).open()
    channel.send(SELECT_COM)
    altered = bytearray(recorder.last)
    altered[-2] ^= 1
    assert card.transmit(bytes(altered)) == bytes.fromhex("6988")
    with pytest.raises(DeviceError):
        channel.send(SELECT_COM)


def test_a_replayed_command_is_refused(image):
    card = SimulatedCard(image)
    recorder = Recorder(card)
    ChipAccess(PlainChannel(recorder), Can("123456")).open().send(SELECT_COM)
    assert card.transmit(recorder.last) == bytes.fromhex("6988")


def test_a_protected_command_without_mac_is_answered_6987(image, open_card):
    card, _ = open_card(image)
    assert send(card, "0CB000000397010400") == "6987"


def test_a_tear_lasts_until_the_card_is_reset(image, open_card):
    card = SimulatedCard(image, [Fault("tear", at_apdu=2)])
    assert send(card, AID) == "9000"
    for _ in range(2):
        with pytest.raises(CardRemovedError):
            send(card, AID)
    card.reset()
    assert send(card, AID) == "9000"


@pytest.mark.parametrize("at_apdu", [3, 8, 10, 12])
def test_a_card_torn_out_while_it_is_read(image, at_apdu):
    card = SimulatedCard(image, [Fault("tear", at_apdu=at_apdu)])
    with pytest.raises(CardRemovedError) as caught:
        read_chip(card, Can("123456"))
    assert caught.value.retryable


def test_a_wrong_mac_is_noticed_by_a_reader(image):
    with pytest.raises(DeviceError):
        read_chip(SimulatedCard(image, [Fault("wrong-mac", at_apdu=9)]), Can("123456"))


def test_a_naked_6700_leaves_the_session_alone(image, open_card):
    # nothing before it has an INS of C0
    card, channel = open_card(image, [Fault("naked-6700", at_apdu=1, ins=0xC0)])
    assert card.transmit(b"\x0c\xc0\x00\x00\x00\x00\x00") == bytes.fromhex("6700")
    assert channel.send(SELECT_COM).status == 0x9000


def test_a_truncated_file_is_cut_in_half(image):
    card = SimulatedCard(image, [Fault("truncated-file", file="EF.CardAccess")])
    content = card.transmit(bytes.fromhex("00B09C0000"))[:-2]
    assert content == image.files["EF.CardAccess"][:27]


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "tear"}, {"kind": "wrong-mac", "at_apdu": 0}, {"kind": "truncated-file"}],
)
def test_a_fault_needs_its_place(wrong):
    with pytest.raises(ValueError, match=r"needs|greater than"):
        Fault(**wrong)


@settings(max_examples=300, deadline=None)
@given(commands=st.lists(st.binary(max_size=80), max_size=5))
def test_any_bytes_get_a_status_word(image, commands):
    card = SimulatedCard(image)
    for command in commands:
        assert len(card.transmit(command)) >= 2


class Recorder:
    """A transport that keeps the last command."""

    def __init__(self, card):
        self.name, self.atr = card.name, card.atr
        self._card = card

    def transmit(self, command):
        self.last = command
        return self._card.transmit(command)

    def close(self):
        self._card.close()
