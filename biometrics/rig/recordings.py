"""Captures that are not what happens: swapped, mirrored, frozen, cut together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import cv2
import numpy as np

from biometrics.challenge import Challenge, Step
from biometrics.rig.camera import Camera
from biometrics.rig.choreography import Movement
from biometrics.rig.take import Act
from biometrics.types import Image

FREEZE_MS: Final = (700.0, 1500.0)
CREEP: Final = 0.1
"""How fast a recording runs on, where it waits for its next cut."""
CUT_FROM: Final = 0.15
CUT_TO: Final = 0.95
"""What is missing of the way out, in parts of its time."""


@dataclass(frozen=True)
class Replay:
    """A recording that is not shown in the order of its time."""

    act: Act
    source_ms: Callable[[float], float]
    mirrored: bool = False

    def shoot(self, t_ms: float) -> Image:
        """Return the frame that is shown at a time."""
        frame = self.act.shoot(self.source_ms(t_ms))
        return np.asarray(cv2.flip(frame, 1), np.uint8) if self.mirrored else frame


class Freeze:
    """A capture that stands still now and then: the last frame again, or with new noise."""

    def __init__(
        self, act: Act, stretches: Sequence[tuple[float, float]], renoise: Camera | None
    ) -> None:
        self._act = act
        self._stretches = stretches
        self._renoise = renoise
        self._held: Image | None = None

    def shoot(self, t_ms: float) -> Image:
        """Return the frame that is shown at a time; times must rise."""
        if not any(begin <= t_ms < end for begin, end in self._stretches):
            self._held = None
            return self._act.shoot(t_ms)
        if self._held is None:
            self._held = self._act.shoot(t_ms)
        return self._renoise.add_noise(self._held) if self._renoise else self._held


@dataclass(frozen=True)
class Splice:
    """Acts cut together."""

    acts: tuple[Act, ...]
    cuts_ms: tuple[float, ...]
    """Where each act but the first begins."""

    def shoot(self, t_ms: float) -> Image:
        """Return the frame of the act whose turn it is."""
        return self.acts[sum(t_ms >= cut for cut in self.cuts_ms)].shoot(t_ms)


def swapped(challenge: Challenge, rng: np.random.Generator) -> Callable[[float], float] | None:
    """Return the times of a recording in which two different steps have changed places.

    None where no two steps differ.
    """
    steps = challenge.steps
    pairs = [(i, k) for i, k in combinations(range(len(steps)), 2) if _differ(steps[i], steps[k])]
    if not pairs:
        return None
    i, k = pairs[rng.integers(len(pairs))]
    cuts = step_cuts(challenge)
    spans = list(pairwise((0.0, *cuts, float(challenge.duration_ms))))
    # The first span is the rest before the first step.
    order = list(range(len(spans)))
    order[i + 1], order[k + 1] = order[k + 1], order[i + 1]
    pieces, now = [], 0.0
    for index in order:
        begin, end = spans[index]
        pieces.append((now, begin))
        now += end - begin

    def source_ms(t_ms: float) -> float:
        shown, begin = max(piece for piece in pieces if piece[0] <= max(t_ms, 0.0))
        return begin + t_ms - shown

    return source_ms


def jumping(movements: Sequence[Movement]) -> Callable[[float], float]:
    """Return the times of a recording that lacks the way out of each movement."""

    def source_ms(t_ms: float) -> float:
        for movement in movements:
            begin = movement.begin_ms + CUT_FROM * movement.out_ms
            if begin <= t_ms < movement.begin_ms + CUT_TO * movement.out_ms:
                return begin + CREEP * (t_ms - begin)
        return t_ms

    return source_ms


def stretches(challenge: Challenge, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return one or two stretches in which a capture stands still."""
    lengths = rng.uniform(*FREEZE_MS, int(rng.integers(1, 3)))
    begins = [rng.uniform(0, challenge.duration_ms - length) for length in lengths]
    return [(b, b + length) for b, length in zip(begins, lengths.tolist(), strict=True)]


def step_cuts(challenge: Challenge) -> tuple[float, ...]:
    """Return where a recording is cut so that each piece holds one step, the first one none."""
    return tuple(float(step.at_ms) for step in challenge.steps)


def _differ(a: Step, b: Step) -> bool:
    return (a.action, a.side, a.extent, a.count) != (b.action, b.side, b.extent, b.count)
