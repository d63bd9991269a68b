"""The link model: the published times, the formula by hand, and waiting for just as long."""

import time
from dataclasses import replace

import pytest

from devices.apdu import CommandApdu
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.access import ChipAccess
from devices.simulator.card import SimulatedCard
from devices.simulator.link import (
    Exchange,
    LinkClock,
    LinkModel,
    pace_exchanges,
    protected_read,
    read_exchanges,
    sleep_until,
)
from devices.transport import PlainChannel

BARE = {"command_ms": 0.0}


@pytest.mark.parametrize(
    ("chunk_bytes", "bit_rate_kbit_s", "seconds"),
    [
        (223, 106, 2.07),
        (223, 212, 1.04),
        (223, 424, 0.53),
        (223, 848, 0.27),
        (20000, 106, 1.76),
        (20000, 212, 0.89),
        (20000, 424, 0.45),
        (20000, 848, 0.23),
    ],
)
def test_wire_time_of_20_kb(chunk_bytes, bit_rate_kbit_s, seconds):
    """Published wire times of a protected file, by bit rate and bytes a command."""
    model = LinkModel(bit_rate_kbit_s=bit_rate_kbit_s, **BARE)
    assert round(model.bound_s(read_exchanges([20000], chunk_bytes)), 2) == seconds


def test_the_formula_by_hand():
    model = LinkModel(
        bit_rate_kbit_s=106,
        frame_bytes=64,
        command_ms=10,
        frame_delay_us=100,
        ec_multiplication_ms=50,
        secure_messaging_bytes_s=10_000,
        activation_ms=30,
    )
    # 61 bytes a block: 1 block of command, 4 of response, 4 times acknowledged or answered
    assert model.frames(20, 200) == 8
    assert model.exchange_s(20, 200, 2, 180) == pytest.approx(
        0.010 + 9 * (20 + 200 + 3 * 8) / 106_000 + 8 * 0.0001 + 2 * 0.050 + 180 / 10_000
    )
    one = Exchange(20, 200, 2, 180)
    assert model.bound_s([one, one]) == pytest.approx(0.030 + 2 * model.exchange_s(20, 200, 2, 180))


@pytest.mark.parametrize(
    ("command", "response", "frames"), [(5, 2, 2), (253, 253, 2), (254, 253, 4), (253, 254, 4)]
)
def test_a_frame_carries_253_bytes(command, response, frames):
    assert LinkModel().frames(command, response) == frames


@pytest.mark.parametrize(
    "wrong",
    [
        {"bit_rate_kbit_s": 100},
        {"frame_bytes": 3},
        {"command_ms": -1},
        {"command_ms": float("nan")},
        {"secure_messaging_bytes_s": 0},
        {"unknown": 1},
    ],
)
def test_an_impossible_link_is_refused(wrong):
    with pytest.raises((ValueError, TypeError)):
        LinkModel(**wrong)


class Recorder:
    """Notes what a reader exchanges."""

    def __init__(self, card):
        self.card, self.lengths = card, []
        self.name, self.atr = card.name, card.atr

    def transmit(self, command):
        response = self.card.transmit(command)
        self.lengths.append((len(command), len(response)))
        return response

    def close(self):
        self.card.close()


def test_the_bounds_exchanges_are_those_of_a_reading(image):
    recorder = Recorder(SimulatedCard(image))
    channel = ChipAccess(PlainChannel(recorder), Can("123456")).open()
    pace = [(one.command_bytes, one.response_bytes) for one in pace_exchanges()]
    start = next(n for n, (c, _) in enumerate(recorder.lengths) if c in (20, 23))
    read = recorder.lengths[start : start + 5]
    # MSE:Set AT may carry DO'84'
    assert [(20 if c == 23 else c, r) for c, r in read] == pace

    recorder.lengths.clear()
    content = channel.send(CommandApdu(0x00, 0xB0, 0x9D, 0x00, le=223)).data
    assert len(content) == 223
    channel.send(CommandApdu(0x00, 0xB0, 0x00, 0x00, le=1000))
    bounds = [protected_read(223), protected_read(1000)]
    assert recorder.lengths == [(one.command_bytes, one.response_bytes) for one in bounds]


def test_a_card_takes_as_long_as_the_model_says(image):
    model = LinkModel(bit_rate_kbit_s=106, command_ms=20, activation_ms=30)
    card = SimulatedCard(image, link=model)
    started_s, due_s = time.perf_counter(), 0.030
    for _ in range(3):
        response = card.transmit(bytes.fromhex("00B09C0000"))
        due_s += model.exchange_s(5, len(response))
        assert time.perf_counter() - started_s >= due_s
    card.reset()
    card.transmit(bytes.fromhex("00B09C0000"))
    due_s += 0.030 + model.exchange_s(5, len(response))
    assert time.perf_counter() - started_s >= due_s


def test_own_computing_does_not_count():
    """What the card computes longer than the model allows is made up for afterwards."""
    clock = LinkClock(LinkModel(command_ms=10, frame_delay_us=0))
    started_s = time.perf_counter()
    command_started_s = started_s
    for computing_s in (0.025, 0.0, 0.0, 0.0):
        sleep_until(time.perf_counter() + computing_s)
        clock.keep(Exchange(0, 0), command_started_s)
        command_started_s = time.perf_counter()
    assert time.perf_counter() - started_s >= 0.040


def test_a_link_of_the_profile_is_the_cards(image):
    slow = replace(image.behaviour, link=LinkModel(command_ms=50))
    card = SimulatedCard(replace(image, behaviour=slow))
    started_s = time.perf_counter()
    card.transmit(bytes.fromhex("00A4020C02011C"))
    assert time.perf_counter() - started_s >= 0.050


def test_scalar_multiplications_are_counted(image, monkeypatch):
    """PACE-GM: three for the mapping, two for the agreement; Chip Authentication: one more."""
    exchanges = []
    card = SimulatedCard(image, link=LinkModel())
    monkeypatch.setattr(LinkClock, "keep", lambda self, one, started_s: exchanges.append(one))
    ChipAccess(PlainChannel(card), Can("123456")).open()
    counted = [one.ec_multiplications for one in exchanges if one.ec_multiplications]
    assert counted == [3, 2]
