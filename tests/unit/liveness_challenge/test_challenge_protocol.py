"""Each way of doing a step otherwise is seen, and named by its own reason."""

import math
from dataclasses import replace

import numpy as np
import pytest

from biometrics.challenge import Action, Challenge, Extent, Side, Step
from biometrics.liveness.motion import Moment
from biometrics.liveness.performance import StepResult
from biometrics.liveness.protocol import judge_moments
from biometrics.types import CheckResult, Outcome
from tests.fixtures.performer import Act, Performer

CHALLENGE = Challenge(
    "0" * 32,
    (
        Step(Action.TURN, 300, 1150, 1900, Side.LEFT, Extent.FULL),
        Step(Action.BLINK, 1900, 2750, 2800, count=1),
        Step(Action.NEARER, 3200, 4050, 4800),
        Step(Action.TURN, 4800, 5650, 6100, Side.RIGHT, Extent.HALF),
    ),
    6300,
)
TURN, BLINK, NEARER, HALF = range(4)


def perform(change=lambda acts: acts, fps=15):
    """Return the steps' results, the findings' reasons, and the signal of a changed performance."""
    performer = Performer(np.random.default_rng(1), fps=fps, steady=True)
    acts = [act for step in CHALLENGE.steps for act in performer.act_on(step)]
    performer.acts = list(change(acts))
    return judge(performer.record(CHALLENGE.duration_ms))


def judge(moments):
    signal, performance = judge_moments(CHALLENGE, moments)
    assert len(performance.steps) == len(CHALLENGE.steps)
    return [s.result for s in performance.steps], [f.reason for f in signal.findings], signal


def moments(fps=15):
    performer = Performer(np.random.default_rng(1), fps=fps, steady=True)
    return performer.perform(CHALLENGE)


def with_act(index, **changes):
    return lambda acts: [*acts[:index], replace(acts[index], **changes), *acts[index + 1 :]]


@pytest.mark.parametrize("fps", [10, 12, 15, 24, 30])
def test_what_was_asked_is_done_at_every_frame_rate(fps):
    results, reasons, signal = perform(fps=fps)
    assert results == [StepResult.OK] * 4
    assert reasons == []
    assert signal.result is CheckResult.OK
    assert signal.score > 0.8
    assert 440 < signal.measurements["reaction_ms"] < 600
    assert signal.measurements["frame_interval_ms"] == pytest.approx(1000 / fps)


def test_the_performance_tells_where_to_look():
    frames = moments()
    signal, performance = judge_moments(CHALLENGE, frames)
    assert signal.findings == ()
    sizes = {i: frames[i].pose.size_px for i in range(len(frames))}
    offsets = {i: frames[i].pose.nose_offset for i in range(len(frames))}
    assert offsets[performance.steps[TURN].furthest[0]] == max(offsets.values())
    assert offsets[performance.steps[HALF].furthest[0]] == min(offsets.values())
    assert sizes[performance.steps[NEARER].furthest[0]] == max(sizes.values())
    assert performance.steps[BLINK].furthest[0] == min(
        sizes, key=lambda i: sum(frames[i].pose.eyes)
    )
    assert all(abs(offsets[i]) < 0.05 and sizes[i] < 175 for i in performance.rest)
    assert len(performance.rest) >= 5
    turn = performance.steps[TURN]
    assert turn.step.at_ms < turn.begun_ms < turn.reached_ms < turn.returned_ms


@pytest.mark.parametrize(
    ("index", "changes", "result"),
    [
        (TURN, {"begun_ms": 310}, StepResult.EARLY),
        (TURN, {"begun_ms": 1200}, StepResult.LATE),
        (TURN, {"sign": -1}, StepResult.WRONG),
        (TURN, {"extent": 0.2}, StepResult.TOO_SMALL),
        (TURN, {"extent": 0.02}, StepResult.MISSING),
        (TURN, {"hold_ms": 900}, StepResult.NOT_RETURNED),
        (NEARER, {"sign": -1}, StepResult.WRONG),
        (NEARER, {"extent": math.log(1.15)}, StepResult.TOO_SMALL),
        (NEARER, {"begun_ms": 3210}, StepResult.EARLY),
        (NEARER, {"begun_ms": 4150}, StepResult.LATE),
        (HALF, {"extent": 0.32}, StepResult.TOO_LARGE),
        (HALF, {"extent": 0.072}, StepResult.TOO_SMALL),
        (HALF, {"sign": 1}, StepResult.WRONG),
        (HALF, {"hold_ms": 900}, StepResult.NOT_RETURNED),
        (BLINK, {"begun_ms": 1100}, StepResult.MISSING),
        (BLINK, {"begun_ms": 2780}, StepResult.LATE),
    ],
)
def test_a_step_done_otherwise_fails_by_its_name(index, changes, result):
    results, reasons, signal = perform(with_act(index, **changes))
    assert results[index] is result
    assert f"challenge-step-{result}" in reasons
    assert signal.result is CheckResult.FAILED
    others = [i for i in range(4) if i != index]
    assert [results[i] for i in others] == [StepResult.OK] * 3


@pytest.mark.parametrize(
    ("index", "extent"), [(TURN, 0.22), (TURN, 0.5), (HALF, 0.08), (HALF, 0.28)]
)
def test_nobody_sees_how_far_they_turn(index, extent):
    results, reasons, _ = perform(with_act(index, extent=extent))
    assert results == [StepResult.OK] * 4
    assert reasons == []


def test_a_small_turn_of_a_face_that_comes_nearer_is_sway():
    swaying = Act(Action.TURN, 3750, 1, 0.14, 200, 100, 200)
    assert perform(lambda acts: [*acts, swaying])[1] == []
    assert perform(lambda acts: [*acts, replace(swaying, extent=0.3)])[1] != []


@pytest.mark.parametrize("index", range(4))
def test_a_step_left_out_is_missing(index):
    results, reasons, signal = perform(lambda acts: acts[:index] + acts[index + 1 :])
    assert results[index] is StepResult.MISSING
    assert reasons == ["challenge-step-missing"]
    assert signal.result is CheckResult.FAILED


@pytest.mark.parametrize(
    "extra",
    [
        Act(Action.TURN, 2850, -1, 0.3, 150, 50, 150),
        Act(Action.TURN, 2000, 1, 0.3),
        Act(Action.FARTHER, 1950, -1, 0.3),
    ],
)
def test_what_nobody_asked_for_is_extra(extra):
    _, reasons, signal = perform(lambda acts: [*acts, extra])
    assert "challenge-step-extra" in reasons or "challenge-step-early" in reasons
    assert signal.result is CheckResult.FAILED


def test_a_movement_after_the_last_step_is_extra():
    longer = replace(CHALLENGE, duration_ms=9000)
    performer = Performer(np.random.default_rng(1), fps=15, steady=True)
    performer.acts = [act for step in longer.steps for act in performer.act_on(step)]
    assert judge_moments(longer, performer.record(9000))[0].findings == ()
    performer.acts.append(Act(Action.TURN, 7000, 1, 0.3))
    (finding,) = judge_moments(longer, performer.record(9000))[0].findings
    assert finding.reason == "challenge-step-extra"


def blinks_at(*times):
    def change(acts):
        kept = [act for act in acts if act.action is not Action.BLINK]
        return [*kept, *(Act(Action.BLINK, t, closed_ms=120) for t in times)]

    return change


@pytest.mark.parametrize("times", [(2300,), (2300, 2680), (100, 2300), (2300, 4200), (2300, 3050)])
def test_a_spontaneous_blink_anywhere_is_natural(times):
    assert perform(blinks_at(*times))[1] == []


def test_three_blinks_are_not_one():
    results, _, signal = perform(blinks_at(2150, 2500, 2850))
    assert results[BLINK] is StepResult.TOO_LARGE
    assert signal.result is CheckResult.FAILED


def shut_from(frames, begin, end, factor=(0.5, 0.5)):
    def shut(m):
        eyes = tuple(eye * f for eye, f in zip(m.pose.eyes, factor, strict=True))
        return replace(m, pose=replace(m.pose, eyes=eyes)) if begin <= m.t_ms <= end else m

    return [shut(m) for m in frames]


def test_winking_shutting_the_eyes_and_a_flicker_are_no_blinks():
    def unblinking(fps):
        performer = Performer(np.random.default_rng(1), fps=fps, steady=True)
        acts = [a for step in CHALLENGE.steps for a in performer.act_on(step)]
        performer.acts = [act for act in acts if act.action is not Action.BLINK]
        return performer.record(CHALLENGE.duration_ms)

    assert judge(shut_from(unblinking(15), 2300, 2450))[1] == []
    wink = judge(shut_from(unblinking(15), 2300, 2450, (0.3, 1.0)))
    shut = judge(shut_from(unblinking(15), 2150, 3100))
    flicker = judge(shut_from(unblinking(30), 2300, 2330))
    for results, reasons, _ in (wink, shut, flicker):
        assert results[BLINK] is StepResult.MISSING
        assert reasons == ["challenge-step-missing"]


def without_face(frames, begin, end):
    return [replace(m, pose=None) if begin <= m.t_ms <= end else m for m in frames]


def without_frames(frames, begin, end):
    return [m for m in frames if not begin <= m.t_ms <= end]


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize(
    ("hide", "reason"),
    [(without_face, "challenge-face-lost"), (without_frames, "challenge-too-few-frames")],
)
def test_what_could_not_be_seen_is_unclear(step, hide, reason):
    window = CHALLENGE.steps[step]
    hidden = hide(moments(), window.at_ms + 200, window.until_ms - 50)
    results, reasons, signal = judge(hidden)
    assert results[step] is StepResult.NOT_JUDGED
    assert reason in reasons
    assert signal.result is not CheckResult.OK


def test_a_capture_cut_short_is_unclear_about_the_rest():
    results, reasons, signal = judge([m for m in moments() if m.t_ms < 4000])
    assert results[HALF] is StepResult.NOT_JUDGED
    assert "challenge-too-few-frames" in reasons
    assert signal.result is not CheckResult.OK


def test_blinks_that_slow_frames_could_miss_are_unclear():
    _, reasons, signal = perform(lambda acts: [a for a in acts if a.action is not Action.BLINK], 8)
    assert reasons == ["challenge-too-few-frames"]
    assert signal.result is CheckResult.NOT_PERFORMED


def test_a_jump_to_the_side_was_not_seen_to_happen():
    def jump(m):
        turned = 700 <= m.t_ms <= 1300
        return replace(m, pose=replace(m.pose, nose_offset=0.35 if turned else 0.0))

    frames = [jump(m) if m.t_ms < 1900 else m for m in moments()]
    results, reasons, signal = judge(frames)
    assert reasons == ["challenge-motion-unseen"]
    assert results[TURN] is StepResult.NOT_JUDGED
    assert signal.result is CheckResult.NOT_PERFORMED


def test_a_single_frame_aside_changes_nothing():
    def glitch(m):
        bad = replace(m.pose, nose_offset=m.pose.nose_offset + 0.5, size_px=m.pose.size_px * 1.4)
        return replace(m, pose=bad) if m.position in (3, 31, 44, 60) else m

    assert judge([glitch(m) for m in moments()])[1] == []


def turned_away(m: Moment) -> Moment:
    return replace(m, pose=replace(m.pose, nose_offset=m.pose.nose_offset + 0.4))


def nan(m: Moment) -> Moment:
    return replace(m, t_ms=math.nan)


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([], "challenge-too-few-frames"),
        (moments()[:1], "challenge-too-few-frames"),
        (moments()[::-1], "challenge-time-not-monotonic"),
        ([moments()[0]] * 20, "challenge-time-not-monotonic"),
        ([nan(m) for m in moments()], "challenge-time-not-monotonic"),
        ([turned_away(m) for m in moments()], "challenge-not-frontal"),
        ([replace(m, pose=None) for m in moments()], "challenge-face-lost"),
    ],
)
def test_what_cannot_be_judged_at_all_is_unclear(frames, reason):
    results, reasons, signal = judge(frames)
    assert reasons == [reason]
    assert results == [StepResult.NOT_JUDGED] * 4
    assert not signal.performed
    assert signal.score is None
    assert [f.outcome for f in signal.findings] == [Outcome.INDETERMINATE]
    assert signal.result is CheckResult.NOT_PERFORMED
