"""Recordings that do not show what happens."""

import random

import numpy as np
import pytest

from biometrics.challenge import Action, Challenge, Extent, Side, Step, choose_challenge
from biometrics.rig.choreography import Movement
from biometrics.rig.recordings import Freeze, Replay, Splice, jumping, stretches, swapped
from biometrics.types import Image


class Clock:
    """Shows the time at which a frame was taken, in milliseconds by 40."""

    def shoot(self, t_ms: float) -> Image:
        frame = np.zeros((480, 640, 3), np.uint8)
        frame[:, :320] = int(t_ms // 40)
        return frame


def shown(frame: Image) -> int:
    return int(frame[0, 0, 0]) * 40


@pytest.mark.parametrize("seed", range(30))
def test_swapped_steps_show_all_of_the_recording_once(seed: int) -> None:
    challenge = choose_challenge(random.Random(seed))
    source_ms = swapped(challenge, np.random.default_rng(seed))
    assert source_ms is not None
    times = np.arange(0, challenge.duration_ms, 10.0)
    sources = np.array([source_ms(float(t)) for t in times])
    assert sorted(sources.round().tolist()) == times.tolist()
    first = challenge.steps[0].at_ms
    assert (sources[times < first] == times[times < first]).all()
    assert (sources != times).any()


def test_steps_that_are_all_alike_cannot_be_swapped() -> None:
    def step(at: int) -> Step:
        return Step(Action.TURN, at, at + 900, at + 1600, Side.LEFT, Extent.FULL)

    drawn = choose_challenge(random.Random(0))
    challenge = Challenge(drawn.id, (step(500), step(2500)), 4500)
    assert swapped(challenge, np.random.default_rng(0)) is None


def test_a_frozen_capture_repeats_its_pixels_and_goes_on() -> None:
    act = Freeze(Clock(), [(400, 1200)], None)
    frames = [act.shoot(t) for t in (0, 400, 800, 1160, 1200)]
    assert [shown(frame) for frame in frames] == [0, 400, 400, 400, 1200]


def test_a_mirrored_recording_is_mirrored() -> None:
    frame = Replay(Clock(), float, mirrored=True).shoot(4000.0)
    assert frame[0, 0, 0] == 0
    assert frame[0, -1, 0] == 100


def test_a_splice_shows_each_act_in_its_turn() -> None:
    other = Replay(Clock(), lambda _: 8000.0)
    act = Splice((Clock(), other, Clock()), (1000.0, 2000.0))
    assert [shown(act.shoot(t)) for t in (960, 1000, 1960, 2000)] == [960, 8000, 8000, 2000]


def test_a_jump_cut_lacks_the_way_out() -> None:
    source_ms = jumping([Movement(1000, 400, 200, 400, 40.0)])
    times = np.arange(0, 3000, 5.0)
    sources = np.array([source_ms(float(t)) for t in times])
    assert np.diff(sources).max() > 250
    assert (sources[times >= 1400] == times[times >= 1400]).all()


def test_stretches_lie_within_the_capture() -> None:
    challenge = choose_challenge(random.Random(5))
    for seed in range(50):
        for begin, end in stretches(challenge, np.random.default_rng(seed)):
            assert 0 <= begin < end <= challenge.duration_ms
            assert 700 <= end - begin <= 1500
