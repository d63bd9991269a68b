"""No path to a passed protocol without every step, at its time, to its side, as far as asked."""

import random
from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from biometrics.challenge import Action, choose_challenge
from biometrics.liveness.motion import Moment, Pose
from biometrics.liveness.performance import StepResult
from biometrics.liveness.protocol import judge_moments
from biometrics.types import CheckResult
from tests.fixtures.performer import Performer

challenges = st.integers(0, 10**9).map(lambda n: choose_challenge(random.Random(n), light=False))
seeds = st.integers(0, 10**6)
rates = st.sampled_from([8, 10, 12, 15, 24, 30])


def performer_of(challenge, seed, fps, *, steady):
    performer = Performer(np.random.default_rng(seed), fps=fps, steady=steady)
    performer.perform(challenge)
    return performer


def groups(performer, challenge):
    """Return each step's acts."""
    acts = iter(performer.acts)
    return [[next(acts) for _ in range(step.count or 1)] for step in challenge.steps]


def judge(challenge, moments):
    """Judge, and check what holds of every verdict."""
    signal, performance = judge_moments(challenge, moments)
    results = [step.result for step in performance.steps]
    assert len(results) == len(challenge.steps)
    if signal.result is CheckResult.OK:
        assert results == [StepResult.OK] * len(results)
        assert performance.rest
        check_evidence(challenge, moments, performance)
    else:
        assert signal.findings
    return signal


def check_evidence(challenge, moments, performance):
    """Check a passed performance against the frames, without the judge's own courses."""
    before = [m for m in moments if m.t_ms <= challenge.steps[0].at_ms + 250 and m.pose]
    rest = np.median([m.pose.nose_offset for m in before])
    size = np.median([m.pose.size_px for m in before])
    for done in performance.steps:
        step = done.step
        poses = [moments[i].pose for i in done.furthest]
        times = [moments[i].t_ms for i in done.furthest]
        assert step.at_ms < done.begun_ms <= step.begin_by_ms
        assert all(step.at_ms < t for t in times)
        if step.action is Action.TURN:
            sign = 1 if step.side == "left" else -1
            reached = sign * (poses[0].nose_offset - rest)
            assert reached >= (0.19 if step.extent == "full" else 0.04)
        elif step.action is Action.BLINK:
            assert step.count <= len(poses) <= step.count + 1
        else:
            factor = poses[0].size_px / size
            assert factor >= 1.13 if step.action is Action.NEARER else factor <= 1 / 1.13


@given(challenges, seeds, rates)
def test_who_does_it_all_steadily_passes(challenge, seed, fps):
    assume(fps >= 10)
    performer = performer_of(challenge, seed, fps, steady=True)
    assert judge(challenge, performer.record(challenge.duration_ms)).result is CheckResult.OK


@given(challenges, seeds, rates, st.booleans(), st.data())
def test_a_dropped_movement_never_passes(challenge, seed, fps, steady, data):
    performer = performer_of(challenge, seed, fps, steady=steady)
    moving = [i for i, s in enumerate(challenge.steps) if s.action is not Action.BLINK]
    dropped = data.draw(st.sampled_from(moving))
    acts = groups(performer, challenge)
    performer.acts = [a for i, group in enumerate(acts) if i != dropped for a in group]
    assert judge(challenge, performer.record(challenge.duration_ms)).result is not CheckResult.OK


@given(challenges, seeds, rates, st.data())
def test_a_dropped_blink_never_passes(challenge, seed, fps, data):
    performer = performer_of(challenge, seed, fps, steady=True)
    blinking = [i for i, s in enumerate(challenge.steps) if s.action is Action.BLINK]
    step = data.draw(st.sampled_from(blinking))
    acts = groups(performer, challenge)
    acts[step] = acts[step][:-1] if data.draw(st.booleans()) else []
    performer.acts = [a for group in acts for a in group]
    assert judge(challenge, performer.record(challenge.duration_ms)).result is not CheckResult.OK


@given(challenges, seeds, rates, st.booleans(), st.data())
def test_a_mirrored_movement_never_passes(challenge, seed, fps, steady, data):
    performer = performer_of(challenge, seed, fps, steady=steady)
    moving = [a for a in performer.acts if a.action is not Action.BLINK]
    act = data.draw(st.sampled_from(moving))
    act.sign = -act.sign
    assert judge(challenge, performer.record(challenge.duration_ms)).result is not CheckResult.OK


@given(challenges, seeds, rates, st.booleans(), st.data())
def test_two_swapped_steps_never_pass(challenge, seed, fps, steady, data):
    performer = performer_of(challenge, seed, fps, steady=steady)
    pairs = st.tuples(*[st.integers(0, len(challenge.steps) - 1)] * 2)
    i, j = data.draw(pairs)
    one, two = challenge.steps[i], challenge.steps[j]
    assume((one.action, one.side, one.extent) != (two.action, two.side, two.extent))
    acts = groups(performer, challenge)
    shift = two.at_ms - one.at_ms
    for group, by in ((acts[i], shift), (acts[j], -shift)):
        for act in group:
            act.begun_ms += by
    assert judge(challenge, performer.record(challenge.duration_ms)).result is not CheckResult.OK


@given(challenges, seeds, rates, st.booleans(), st.integers(750, 3000), st.data())
def test_a_delayed_step_never_passes(challenge, seed, fps, steady, delay_ms, data):
    performer = performer_of(challenge, seed, fps, steady=steady)
    moving = [a for a in performer.acts if a.action is not Action.BLINK]
    act = data.draw(st.sampled_from(moving))
    act.begun_ms += delay_ms
    assert judge(challenge, performer.record(challenge.duration_ms)).result is not CheckResult.OK


@given(challenges, seeds, rates, st.booleans(), st.data())
def test_a_step_before_its_prompt_never_passes(challenge, seed, fps, steady, data):
    performer = performer_of(challenge, seed, fps, steady=steady)
    moving = [a for a in performer.acts if a.action is not Action.BLINK]
    act = data.draw(st.sampled_from(moving))
    act.begun_ms -= data.draw(st.integers(750, 3000))
    assert judge(challenge, performer.record(challenge.duration_ms)).result is not CheckResult.OK


@given(challenges, seeds, rates, st.booleans(), st.floats(0, 0.93))
def test_a_truncated_capture_never_passes(challenge, seed, fps, steady, part):
    moments = performer_of(challenge, seed, fps, steady=steady).record(challenge.duration_ms)
    end = part * (challenge.steps[-1].until_ms - 100)
    shown = [m for m in moments if m.t_ms <= end]
    assert judge(challenge, shown).result is not CheckResult.OK


poses = st.builds(
    Pose,
    st.floats(-1, 1),
    st.floats(20, 400),
    st.tuples(st.floats(0, 0.6), st.floats(0, 0.6)),
)


@settings(max_examples=300)
@given(challenges, st.lists(st.none() | poses, max_size=40), st.sampled_from([30, 80, 200, 500]))
def test_random_frames_never_pass(challenge, shown, interval_ms):
    moments = [Moment(i, i * float(interval_ms), pose) for i, pose in enumerate(shown)]
    assert judge(challenge, moments).result is not CheckResult.OK


@given(challenges, seeds, st.data())
def test_random_walks_never_pass(challenge, seed, data):
    """Slow drifts and wild movements: everything but what was asked."""
    rng = np.random.default_rng(seed)
    count = challenge.duration_ms // 66
    step = data.draw(st.sampled_from([0.01, 0.05, 0.15]))
    offset, size = (np.clip(np.cumsum(rng.normal(0, step, count)), -0.5, 0.5) for _ in range(2))
    eyes = rng.choice([0.1, 0.25], (count, 2), p=[0.2, 0.8])
    moments = [
        Moment(i, i * 66.0, Pose(float(offset[i]), 170 * float(np.exp(size[i])), tuple(eyes[i])))
        for i in range(count)
    ]
    assert judge(challenge, moments).result is not CheckResult.OK


@given(challenges, seeds, st.data())
def test_lost_frames_and_faces_never_make_an_attack_pass(challenge, seed, data):
    performer = performer_of(challenge, seed, 15, steady=True)
    moving = [i for i, s in enumerate(challenge.steps) if s.action is not Action.BLINK]
    dropped = data.draw(st.sampled_from(moving))
    acts = groups(performer, challenge)
    performer.acts = [a for i, group in enumerate(acts) if i != dropped for a in group]
    moments = performer.record(challenge.duration_ms)
    rng = np.random.default_rng(seed)
    part = data.draw(st.floats(0, 1))
    kept = [m if rng.random() > part else replace(m, pose=None) for m in moments]
    kept = [m for m in kept if rng.random() > part / 2]
    assert judge(challenge, kept).result is not CheckResult.OK
