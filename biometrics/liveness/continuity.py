"""Check that frames can be one uninterrupted capture by one camera.

The outcome is yes, no or unknown, so the signal has no score.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import Final

import numpy as np

from biometrics.challenge import Challenge
from biometrics.liveness.capture import MAX_FRAMES, Observation
from biometrics.liveness.cuts import measure_changes
from biometrics.liveness.findings import Finding, adverse, unclear
from biometrics.liveness.repetition import (
    HANG_MS,
    LOOP_LIKE,
    STILL,
    closest_return,
    differences,
    disorder,
    least_change,
)
from biometrics.liveness.signal import Signal
from biometrics.types import Method

METHOD: Final = Method("capture-continuity", "3")

MIN_FRAMES: Final = 10
MAX_LOST_FRACTION: Final = 0.2
MIN_DISTINCT_FRACTION: Final = 0.5
"""A page may hand over a camera's frame twice; more than that is no camera."""

MAX_INTERVAL_MS: Final = 130.0
"""Median from frame to frame: 8 a second, and what a timer's rounding adds."""
MAX_GAP_MS: Final = 500.0
MAX_SHORT_MS: Final = 500.0
MAX_LONG_MS: Final = 3_000.0
"""How much shorter or longer than the challenge a capture may be."""
LATE: Final = 1.7
"""A frame that comes after this many times the usual interval follows on one that was lost."""

BLACK: Final = 8.0
WHITE: Final = 247.0
"""Mean gray level of a frame that shows nothing."""
MAX_SEVERAL_FACES: Final = 2
"""Frames: the detector may see a face in a pattern once; a person stays longer."""
MAX_BLANK_FRAMES: Final = 1
NOISE: Final = 0.8
"""Median change of the scene from frame to frame. Rendered people: 0.003 to 0.007; noise: 1."""
DISORDER: Final = 0.7
"""Neighbours that differ nearly as much as any two frames do not follow on one another."""
BRIGHTER: Final = math.log(1.5)
"""Change of a whole frame's brightness within one frame, where no light was asked for..."""
BRIGHTER_BY_LIGHT: Final = math.log(2.5)
"""...and where the screen changes its colour: no screen by day doubles a room's light."""

CUT_SCENE: Final = (0.05, 8.0)
CUT_FACE: Final = (0.07, 6.0)
"""Size and suddenness from which a change of the scene and of the face together is a cut. In 48
rendered people at 8 to 25 frames a second no step reached both: the scene alone changes 30 times as
much as just before where a person against a plain wall starts to move, and a mesh may slip; in 100
more, two reached both where they were 0.03 and 0.05. In 12 rendered captures cut together from
several, the least suddenness was 14 and 14."""
UNRELATED: Final = (0.7, 6.0)
"""...or of the scene alone, if two frames in a row have next to nothing in common."""
SURE_SCENE: Final = 0.25
SURE_FACE: Final = 0.15
"""A cut for sure: nothing in a room moves so much within one frame and rests before and after it. A
camera that is knocked moves less."""


def judge_continuity(observations: Sequence[Observation], challenge: Challenge) -> Signal:
    """Judge whether the frames are one capture of the challenge's length."""
    seen = observations[:MAX_FRAMES]
    findings: list[Finding] = []
    measured: dict[str, float] = {"frames": float(len(seen))}
    if len(observations) > MAX_FRAMES:
        findings.append(unclear("challenge-too-many-frames"))
    findings += _check_faces(seen)
    if len({o.size for o in seen if o.size}) > 1:
        findings.append(unclear("challenge-frame-size-changed"))
    in_order = _are_in_order(seen)
    if not in_order:
        findings.append(adverse("challenge-time-not-monotonic"))
    elif len(seen) > 1:
        findings += _check_times([o.t_ms for o in seen], challenge.duration_ms, measured)
    readable = [o for o in seen if o.thumbnail is not None]
    shown = [o for o in readable if not _is_blank(o)]
    if len(readable) - len(shown) > MAX_BLANK_FRAMES:
        findings.append(unclear("capture-blank"))
    findings += _check_copies(shown)
    distinct = _without_copies(shown)
    if len(distinct) < MIN_FRAMES:
        findings.append(unclear("challenge-too-few-frames"))
    elif in_order:
        findings += _check_stillness(distinct, measured)
        findings += _check_changes(distinct, measured, lit=challenge.light is not None)
    return Signal(METHOD, tuple(findings), len(seen) >= MIN_FRAMES, None, measured)


def _check_faces(observations: Sequence[Observation]) -> Iterator[Finding]:
    lost = sum(o.sighting is None for o in observations)
    if any(not o.pixel_sha256 for o in observations):
        yield unclear("challenge-frame-unreadable")
    if sum(o.fault == "several-faces" for o in observations) > MAX_SEVERAL_FACES:
        yield adverse("challenge-several-faces")
    if lost > MAX_LOST_FRACTION * len(observations):
        yield unclear("challenge-face-lost")
    if len(observations) - lost < MIN_FRAMES:
        yield unclear("challenge-too-few-frames")


def _are_in_order(observations: Sequence[Observation]) -> bool:
    times = [o.t_ms for o in observations]
    return all(map(math.isfinite, times)) and all(a < b for a, b in pairwise(times))


def _check_times(
    times: Sequence[float], duration_ms: float, measured: dict[str, float]
) -> Iterator[Finding]:
    intervals = [later - earlier for earlier, later in pairwise(times)]
    usual, longest, whole = median(intervals), max(intervals), times[-1] - times[0]
    measured |= {"interval_ms": usual, "longest_gap_ms": longest, "duration_ms": whole}
    if whole < duration_ms - MAX_SHORT_MS:
        yield unclear("challenge-too-short")
    if whole > duration_ms + MAX_LONG_MS:
        yield unclear("challenge-too-long")
    if usual > MAX_INTERVAL_MS:
        yield unclear("challenge-frame-rate-low")
    if longest > MAX_GAP_MS:
        yield unclear("challenge-frames-missing")


def _is_blank(observation: Observation) -> bool:
    assert observation.thumbnail is not None
    return not BLACK < float(observation.thumbnail.mean()) < WHITE


def _check_copies(shown: Sequence[Observation]) -> Iterator[Finding]:
    """Find frames that equal others in every pixel: a camera's noise never does it twice."""
    digests = [o.pixel_sha256 for o in shown]
    if len(digests) >= 2 and len(set(digests)) < MIN_DISTINCT_FRACTION * len(digests):
        yield adverse("challenge-frames-identical")
    runs = [list(run) for _, run in groupby(shown, key=lambda o: o.pixel_sha256)]
    if len(set(digests)) < len(runs):
        yield adverse("challenge-frames-repeated")
    if any(run[-1].t_ms - run[0].t_ms >= HANG_MS for run in runs):
        yield unclear("capture-frozen")


def _without_copies(shown: Sequence[Observation]) -> list[Observation]:
    return [next(run) for _, run in groupby(shown, key=lambda o: o.pixel_sha256)]


def _check_stillness(
    distinct: Sequence[Observation], measured: dict[str, float]
) -> Iterator[Finding]:
    apart = differences([o.thumbnail for o in distinct if o.thumbnail is not None])
    interval_ms = median(b.t_ms - a.t_ms for a, b in pairwise(distinct))
    change, back = least_change(apart, interval_ms), closest_return(apart, interval_ms)
    measured["disorder"] = disorder(apart)
    for name, value in (("least_change", change), ("closest_return", back)):
        if math.isfinite(value):
            measured[name] = value
    if change <= STILL:
        yield unclear("capture-frozen")
    if measured["disorder"] >= DISORDER:
        yield unclear("capture-out-of-order")
    if back <= LOOP_LIKE:
        yield unclear("capture-looped")


def _check_changes(
    distinct: Sequence[Observation], measured: dict[str, float], *, lit: bool
) -> Iterator[Finding]:
    changes = measure_changes(distinct)
    scene, face = changes.scene, np.nan_to_num(changes.face, nan=0.0)
    sudden_scene, sudden_face = changes.sudden_scene, changes.sudden_face
    intervals = np.diff([o.t_ms for o in distinct])
    is_late = intervals > LATE * np.median(intervals)
    together = (scene >= CUT_SCENE[0]) & (sudden_scene >= CUT_SCENE[1])
    together &= (face >= CUT_FACE[0]) & (sudden_face >= CUT_FACE[1])
    cut = together | ((scene >= UNRELATED[0]) & (sudden_scene >= UNRELATED[1]))
    sure = together & (scene >= SURE_SCENE) & (face >= SURE_FACE) & ~is_late
    measured |= {
        "sharpest_scene_change": float(sudden_scene.max()),
        "sharpest_face_movement": float(sudden_face.max()),
    }
    if sure.any():
        yield adverse("capture-cut")
    elif cut.any():
        yield unclear("capture-cut")
    if float(np.median(scene)) >= NOISE:
        yield unclear("capture-noise")
    limit = BRIGHTER_BY_LIGHT if lit else BRIGHTER
    if (np.abs(changes.brightness) >= limit).any():
        yield unclear("capture-exposure-jump")
