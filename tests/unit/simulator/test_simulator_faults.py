"""Each fault: what the card answers, when, and how it is written down."""

import contextlib
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.apdu import CommandApdu, ResponseApdu
from devices.emrtd.errors import SecureMessagingError
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.access import ChipAccess
from devices.errors import CardRemovedError, DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.errors import ProfileInvalidError, SimulatorError
from devices.simulator.faults import Fault, FaultSchedule, parse_fault
from devices.simulator.image import CardImage
from devices.simulator.link import parse_link
from devices.simulator.profile import parse_profile
from devices.transport import PlainChannel

READ_CARD_ACCESS = bytes.fromhex("00B09C0000")
SELECT_COM = CommandApdu(0x00, 0xA4, 0x02, 0x0C, bytes.fromhex("011E"))
READ_SOD = CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=64)
OK = bytes.fromhex("9000")


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


def opened(image, *faults):
    """Return a tap on a card, and the secure channel over it."""
    tap = Tap(SimulatedCard(image, faults))
    return tap, ChipAccess(PlainChannel(tap), Can("123456")).open()


def send(channel, command):
    """Send under secure messaging; what the reader makes of a bad answer is not the point."""
    try:
        return channel.send(command)
    except DeviceError:
        return None


def test_a_tear_on_a_read_of_a_file(image):
    tap, channel = opened(image, Fault("tear", at_apdu=2, file="EF.SOD"))
    assert channel.send(READ_SOD).status == 0x9000
    assert channel.send(SELECT_COM).status == 0x9000
    with pytest.raises(CardRemovedError):
        channel.send(READ_SOD)
    with pytest.raises(CardRemovedError):
        tap.transmit(READ_CARD_ACCESS)


def test_a_file_is_known_by_sfi_by_selection_and_by_odd_instruction(image):
    card = SimulatedCard(
        image, [Fault("naked-status", every=1, file="EF.CardAccess", status=0x6F01)]
    )
    reads = ["00B09C0000", "00B1001C0354010000", "00A4020C02011C", "00B0000000", "00B1000003540100"]
    answers = [card.transmit(bytes.fromhex(read + "00" * (read[2:4] == "B1"))) for read in reads]
    assert [answer[-2:].hex() for answer in answers] == ["6f01", "6f01", "9000", "6f01", "6f01"]


def test_a_torn_card_comes_back_without_its_session(image):
    tap, channel = opened(image, Fault("tear", at_apdu=1, file="EF.SOD", back_after_s=600))
    for _ in range(2):
        with pytest.raises(CardRemovedError):
            channel.send(READ_SOD)
    assert 0 < tap.card.back_at_s - time.monotonic() <= 600
    tap.card.back_at_s = time.monotonic()
    assert tap.transmit(READ_CARD_ACCESS)[-2:] == OK
    assert tap.transmit(bytes.fromhex("0CB09D000D97010A8E08" + "00" * 8 + "00")) == b"\x69\x88"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault("naked-6700", at_apdu=1, ins=0xB0, file="EF.SOD"), "6700"),
        (Fault("naked-status", at_apdu=1, file="EF.SOD", status=0x6F00), "6f00"),
    ],
)
def test_a_naked_status_is_not_protected_and_not_performed(image, fault, status):
    tap, channel = opened(image, fault)
    send(channel, READ_SOD)
    assert tap.responses[-1].hex() == status


@pytest.mark.parametrize(
    ("quirks", "survivor"),
    [
        ((), "not counted"),
        (("bare-status-advances-ssc",), "counted"),
        (("bare-status-ends-session",), None),
    ],
)
def test_what_a_naked_status_does_to_the_session(image, quirks, survivor):
    """A reader that counted the pair fits one variant, one that rolled back the other."""
    behaviour = replace(image.behaviour, quirks=(*image.behaviour.quirks, *quirks))
    fault = Fault("naked-6700", at_apdu=1, file="EF.SOD")
    for name, steps in (("not counted", 0), ("counted", 2)):
        _, channel = opened(replace(image, behaviour=behaviour), fault)
        before = channel.messaging._ssc
        send(channel, READ_SOD)
        channel.messaging._ssc = before + steps
        answer = send(channel, SELECT_COM)
        assert (answer is not None and answer.status == 0x9000) is (survivor == name)


def test_a_slow_answer(image):
    card = SimulatedCard(image, [Fault("slow-answer", at_apdu=1, seconds=0.2)])
    started_s = time.perf_counter()
    assert card.transmit(READ_CARD_ACCESS)[-2:] == OK
    assert time.perf_counter() - started_s >= 0.2


def test_a_wrong_mac_is_wrong_in_one_bit(image):
    tap, channel = opened(image, Fault("wrong-mac", at_apdu=1, file="EF.SOD"))
    before = channel.messaging._ssc
    with pytest.raises(SecureMessagingError, match="MAC"):
        channel.send(READ_SOD)
    wrong = tap.responses[-1]
    assert wrong[-12:-10].hex() == "8e08"
    channel.messaging._ssc = before + 1
    right = wrong[:-3] + bytes([wrong[-3] ^ 1]) + wrong[-2:]
    assert channel.messaging.unwrap(ResponseApdu.parse(right)).data == image.files["EF.SOD"][:64]


def test_a_wrong_mac_leaves_an_unprotected_answer_alone(image):
    card = SimulatedCard(image, [Fault("wrong-mac", at_apdu=1)])
    assert card.transmit(READ_CARD_ACCESS) == image.files["EF.CardAccess"] + OK


def test_a_replayed_answer_is_the_one_before(image):
    tap, channel = opened(image, Fault("replayed-answer", at_apdu=2, file="EF.SOD"))
    channel.send(READ_SOD)
    with pytest.raises(SecureMessagingError, match="MAC"):
        channel.send(READ_SOD)
    assert tap.responses[-1] == tap.responses[-2]


def test_unprotected_data_lies_open(image):
    tap, channel = opened(image, Fault("unprotected-data", at_apdu=1, file="EF.SOD"))
    send(channel, READ_SOD)
    assert tap.responses[-1] == image.files["EF.SOD"][:64] + OK


def test_an_oversized_answer_is_rightly_protected(image):
    tap, channel = opened(image, Fault("oversized-answer", at_apdu=1, file="EF.SOD"))
    send(channel, READ_SOD)
    assert 60_000 < len(tap.responses[-1]) < 65_536
    card = SimulatedCard(image, [Fault("oversized-answer", at_apdu=1)])
    assert card.transmit(READ_CARD_ACCESS) == image.files["EF.CardAccess"] + bytes(60_000) + OK


def test_endless_61xx_ends_with_another_command(image):
    card = SimulatedCard(image, [Fault("endless-61xx", at_apdu=1)])
    for command in ("00B09C0000", "00C00000FF", "00C00000FF", "0CC00000FF"):
        assert card.transmit(bytes.fromhex(command))[-2:].hex() == "61ff"
    assert card.transmit(READ_CARD_ACCESS)[-2:] == OK


def test_garbage_and_a_stub(image):
    card = SimulatedCard(image, [Fault("garbage", at_apdu=1), Fault("stub-answer", at_apdu=2)])
    garbage = card.transmit(READ_CARD_ACCESS)
    assert len(garbage) == len(image.files["EF.CardAccess"]) + 2
    assert garbage[:-2] != image.files["EF.CardAccess"]
    assert len(card.transmit(READ_CARD_ACCESS)) == 1


@pytest.mark.parametrize(
    ("content", "spoilt"),
    [
        ("3103020101", "3184ffffffff020101"),
        ("758203e87f61", "7584ffffffff7f61"),
        ("7f6103020101", "7f6184ffffffff020101"),
        ("", "84ffffffff"),
    ],
)
def test_a_length_of_4_gib(content, spoilt):
    schedule = FaultSchedule([Fault("length-4-gib", file="EF.DG2")])
    assert schedule.spoil("EF.DG2", bytes.fromhex(content)).hex() == spoilt
    assert schedule.spoil("EF.DG1", bytes.fromhex(content)).hex() == content


def test_every_nth_command(image):
    card = SimulatedCard(image, [Fault("naked-status", every=3, status=0x6F00)])
    statuses = [card.transmit(READ_CARD_ACCESS)[-2:].hex() for _ in range(6)]
    assert statuses == ["9000", "9000", "6f00"] * 2


def test_faults_and_link_of_a_profile_are_kept(table, image, tmp_path):
    table["link"] = {"bit_rate_kbit_s": 424, "command_ms": 10}
    table["faults"] = [
        {"kind": "tear", "at_apdu": 9, "back_after_s": 2.0},
        {"kind": "naked-status", "every": 4, "status": 0x6A80},
        {"kind": "truncated-file", "file": "EF.SOD"},
    ]
    profile = parse_profile(table)
    behaviour = replace(image.behaviour, link=profile.link, faults=profile.faults)
    replace(image, behaviour=behaviour).save(tmp_path / "card")
    assert CardImage.load(tmp_path / "card").behaviour == behaviour
    assert SimulatedCard(CardImage.load(tmp_path / "card")).image.behaviour.faults == profile.faults


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "fire", "at_apdu": 1},
        {"kind": "tear"},
        {"kind": "tear", "at_apdu": 1, "every": 1},
        {"kind": "tear", "at_apdu": "1"},
        {"kind": "tear", "at_apdu": 1, "file": "EF.DG99"},
        {"kind": "tear", "at_apdu": 1, "status": 0x6A80},
        {"kind": "wrong-mac", "at_apdu": 1, "back_after_s": 1.0},
        {"kind": "naked-status", "at_apdu": 1},
        {"kind": "naked-status", "at_apdu": 1, "status": 0x1234},
        {"kind": "slow-answer", "at_apdu": 1},
        {"kind": "slow-answer", "at_apdu": 1, "seconds": float("inf")},
        {"kind": "length-4-gib"},
    ],
)
def test_a_profile_with_an_impossible_fault_is_refused(table, wrong):
    table["faults"] = [wrong]
    with pytest.raises(ProfileInvalidError, match=r"faults\.0"):
        parse_profile(table)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tear@9", Fault("tear", at_apdu=9)),
        ("tear=1.5@3,EF.DG2", Fault("tear", at_apdu=3, file="EF.DG2", back_after_s=1.5)),
        ("naked-status=6A80@every=4", Fault("naked-status", every=4, status=0x6A80)),
        ("wrong-mac@1,ins=B0", Fault("wrong-mac", at_apdu=1, ins=0xB0)),
        ("slow-answer=5@4", Fault("slow-answer", at_apdu=4, seconds=5)),
        ("truncated-file@EF.SOD", Fault("truncated-file", file="EF.SOD")),
    ],
)
def test_faults_of_the_command_line(text, fault):
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tear",
        "tear@",
        "tear@x",
        "fire@1",
        "tear@0",
        "wrong-mac=1@2",
        "naked-status=zz@1",
        "tear@EF.X",
    ],
)
def test_no_faults_of_the_command_line(text):
    with pytest.raises(ProfileInvalidError):
        parse_fault(text)


def test_links_of_the_command_line():
    link = parse_link("424,command_ms=10,frame_bytes=64")
    assert (link.bit_rate_kbit_s, link.command_ms, link.frame_bytes) == (424, 10.0, 64)


@pytest.mark.parametrize(
    "text", ["", "900", "848,x=1", "848,command_ms", "848,command_ms=-1", "1e400"]
)
def test_no_links_of_the_command_line(text):
    with pytest.raises(ProfileInvalidError, match="Link"):
        parse_link(text)


@settings(deadline=None)
@given(text=st.text(max_size=40) | st.from_regex(r"[a-z-]{3,8}(=.{0,4})?@.{0,9}", fullmatch=True))
def test_any_text_is_a_fault_a_link_or_our_error(text):
    for parse in (parse_fault, parse_link):
        with contextlib.suppress(SimulatorError):
            parse(text)
