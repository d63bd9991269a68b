"""The courses of a capture relative to the person's rest, and all movements in them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.challenge import Challenge
from biometrics.liveness.motion import (
    Blink,
    Course,
    Moment,
    Movement,
    Pose,
    find_blinks,
    find_movements,
    without_spikes,
)
from biometrics.manifest import Manifest, load_manifest

MAX_REST_OFFSET: Final = 0.25
"""A person whose resting face lies further off does not look at the camera."""
MIN_REST_FRAMES: Final = 3
SETTLED_MS: Final = 250
"""So long after a prompt few move yet..."""
SETTLING_MS: Final = 100
"""...and so long after it all have come back from the step before: the rest shows between."""
MAX_DRIFT: Final = 0.05
"""The rest moves no further from the first, in both courses: people do not come back to the very
place. Well below the smallest movement that counts."""
MAX_SWAY: Final = math.log(1.12)
"""A face that changes its size by less sways, or the mesh does while it turns."""
NEAR_REST: Final = 0.08
"""Frames within this of the rest, in both courses, show it."""
OPEN_EYES: Final = 0.8


class NotFrontalError(Exception):
    """The capture shows no rest against which anything could be measured."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """How far is far enough."""

    turn: float
    """Least change of the nose offset in a FULL turn."""
    half_turn: float
    """Least change in a HALF turn; less is sway."""
    approach: float
    """Least factor of the face's size, or its inverse."""
    blink: float
    """Openness below which an eye is closed, as a part of the person's own."""
    sway: float = MAX_SWAY
    """Natural logarithm of the factor of the size that nobody has to ask for."""

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> "Limits":
        """Read the operating points.

        Raises:
            ManifestInvalidError: one is missing.
        """
        mesh = manifest.model("facemesh")
        names = ("turn", "half-turn", "approach", "blink")
        return cls(*(mesh.threshold(name) for name in names))


@cache
def shipped_limits() -> Limits:
    """Return the limits of the manifest that comes with the project."""
    return Limits.from_manifest(load_manifest())


@dataclass(frozen=True)
class Courses:
    """What changes through a capture, in the frames that show a face."""

    positions: tuple[int, ...]
    """Of these frames in the observations."""
    t_ms: Course = field(repr=False)
    turn: Course = field(repr=False)
    """Change of the nose offset; positive to the subject's left."""
    size: Course = field(repr=False)
    """Natural logarithm of the face's size by that at rest."""
    eyes: NDArray[np.float64] = field(repr=False)
    """N x 2: openness of the right and the left as a part of the person's own."""
    limits: Limits

    @cached_property
    def turns(self) -> list[Movement]:
        """Return the turns, small ones too; people who come nearer or go away sway besides."""
        moved = abs(self.size) >= math.log(self.limits.approach)
        return [
            turn
            for turn in find_movements(self.t_ms, self.turn, self.limits.half_turn)
            if turn.extent >= self.limits.turn or not moved[list(turn.frames)].any()
        ]

    @cached_property
    def approaches(self) -> list[Movement]:
        """Return the changes of distance, small ones too; none is looked for during a turn."""
        size = self.size.copy()
        for turn in self.turns:
            if turn.extent >= self.limits.half_turn:
                size[min(turn.frames) : max(turn.frames) + 1] = 0.0
        return find_movements(self.t_ms, size, self.limits.sway)

    @cached_property
    def blinks(self) -> list[Blink]:
        """Return the blinks of eyes that look ahead."""
        return find_blinks(
            self.t_ms, self.eyes, abs(self.turn) < self.limits.half_turn, self.limits.blink
        )

    def resting(self) -> list[int]:
        """Return the frames that show the face at rest, best first."""
        away = np.maximum(abs(self.turn), abs(self.size))
        shown = (away <= NEAR_REST) & (self.eyes.min(axis=1) >= OPEN_EYES)
        return sorted(np.flatnonzero(shown).tolist(), key=lambda i: float(away[i]))


def trace(challenge: Challenge, moments: Sequence[Moment], limits: Limits) -> Courses:
    """Return the courses of a capture relative to the rest before each step.

    Raises:
        NotFrontalError: the person was not seen at rest, looking ahead, before the first step.
    """
    seen: list[tuple[Moment, Pose]] = [(m, m.pose) for m in moments if m.pose]
    opening = challenge.steps[0].at_ms + SETTLED_MS
    before = [m for m in moments if m.t_ms <= opening]
    t_ms = np.array([m.t_ms for m, _ in seen])
    if np.count_nonzero(t_ms <= opening) < MIN_REST_FRAMES:
        lost = len(before) >= MIN_REST_FRAMES
        raise NotFrontalError("challenge-face-lost" if lost else "challenge-too-few-frames")
    offsets = without_spikes(np.array([pose.nose_offset for _, pose in seen]))
    if not abs(median(offsets[t_ms <= opening].tolist())) <= MAX_REST_OFFSET:
        raise NotFrontalError("challenge-not-frontal")
    turn = _relative(challenge, t_ms, offsets)
    sizes = np.log([pose.size_px for _, pose in seen])
    size = _relative(challenge, t_ms, without_spikes(sizes))
    eyes = np.array([pose.eyes for _, pose in seen])
    ahead = np.maximum(abs(turn), abs(size)) <= NEAR_REST
    own = np.median(eyes[ahead] if ahead.any() else eyes, axis=0)
    return Courses(
        positions=tuple(m.position for m, _ in seen),
        t_ms=t_ms,
        turn=turn,
        size=size,
        eyes=eyes / np.maximum(own, 1e-6),
        limits=limits,
    )


def _relative(challenge: Challenge, t_ms: Course, course: Course) -> Course:
    """Return the course less the rest before each step."""
    starts = [step.at_ms for step in challenge.steps]
    first = median(course[t_ms <= starts[0] + SETTLED_MS].tolist())
    rest = np.full(len(course), first)
    for start in starts[1:]:
        settled = (t_ms >= start + SETTLING_MS) & (t_ms <= start + SETTLED_MS)
        if settled.any():
            drift = np.median(course[settled]) - first
            rest[t_ms >= start] = first + np.clip(drift, -MAX_DRIFT, MAX_DRIFT)
    return np.asarray(course - rest, dtype=np.float64)
