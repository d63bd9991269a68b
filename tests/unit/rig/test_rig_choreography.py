"""What a simulated person does, and when."""

import itertools
import random

import numpy as np
import pytest

from biometrics.challenge import Action, Extent, Pace, Side, choose_challenge
from biometrics.rig.choreography import Track, follow, frame_times, rest
from biometrics.rig.person import Person


def person(seed: int) -> Person:
    return Person.draw(np.random.default_rng(seed))


def course(track: Track, begin: float, end: float) -> list[tuple[float, float, float]]:
    poses = [track.at(float(t)) for t in np.arange(begin, end, 10)]
    return [(pose.yaw_deg, pose.distance_cm, pose.openness) for pose in poses]


@pytest.mark.parametrize("pace", list(Pace))
@pytest.mark.parametrize("seed", range(40))
def test_each_step_is_done_within_its_window(seed: int, pace: Pace) -> None:
    challenge = choose_challenge(random.Random(seed), pace=pace)
    who = person(seed)
    track = follow(challenge, who)
    for step in challenge.steps:
        before = track.at(step.at_ms)
        yaw, distance, openness = zip(*course(track, step.at_ms, step.until_ms), strict=True)
        after = track.at(step.until_ms)
        assert abs(after.yaw_deg - before.yaw_deg) < 8
        assert after.distance_cm == pytest.approx(before.distance_cm, rel=0.06)
        if step.action is Action.TURN:
            furthest = max(yaw) if step.side is Side.LEFT else -min(yaw)
            low, high = (40, 65) if step.extent is Extent.FULL else (12, 30)
            assert low < furthest < high
        elif step.action is Action.NEARER:
            assert before.distance_cm / min(distance) > 1.2
        elif step.action is Action.FARTHER:
            assert max(distance) / before.distance_cm > 1.2
        else:
            shut = np.array(openness) < 0.1
            assert np.count_nonzero(shut[1:] & ~shut[:-1]) == step.count


def test_nobody_reacts_before_the_prompt_or_within_a_quarter_of_a_second() -> None:
    for seed in range(60):
        challenge = choose_challenge(random.Random(seed))
        track = follow(challenge, person(seed))
        starts = sorted(m.begin_ms for m in (*track.turns, *track.approaches))
        steps = [s for s in challenge.steps if s.action is not Action.BLINK]
        assert len(starts) == len(steps)
        for begin, step in zip(starts, steps, strict=True):
            assert step.at_ms + 250 <= begin <= step.begin_by_ms


def test_whoever_follows_nothing_keeps_still_and_blinks_now_and_then() -> None:
    blinks = 0
    for seed in range(20):
        track = rest(person(seed), 8000)
        yaw, _, _ = zip(*course(track, 0, 8000), strict=True)
        assert max(yaw) - min(yaw) < 10
        blinks += len(track.blinks)
    assert 20 < blinks < 80


def test_a_mask_has_no_lids() -> None:
    challenge = choose_challenge(random.Random(1))
    assert all(o == 1 for *_, o in course(follow(challenge, person(1), blinks=False), 0, 8000))


@pytest.mark.parametrize("fps", [8.0, 12.0, 30.0])
def test_frames_come_in_order_from_zero_to_the_end(fps: float) -> None:
    times = frame_times(7800, fps, 0.08, np.random.default_rng(3))
    assert times[0] == 0
    assert times[-1] >= 7800
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert len(times) == pytest.approx(7.8 * fps + 1, abs=2)
