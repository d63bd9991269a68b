"""When a person does what: from a challenge to the pose at each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from biometrics.challenge import Action, Challenge, Extent, Side, Step
from biometrics.rig.person import Person

OUT_MS: Final = 480.0
HOLD_MS: Final = 220.0
BACK_MS: Final = 470.0
"""Of a movement of the head by somebody of tempo 1."""
QUICKEST_MS: Final = 450.0
"""Out and back again."""
SPARE_MS: Final = 60.0
"""People are back before their time is over."""
SHUT_MS: Final = (45.0, 115.0, 60.0)
"""Closing, closed and opening eyes."""
BETWEEN_BLINKS_MS: Final = 165.0
SWAY_DEG: Final = (0.7, 0.6, 0.5)
SWAY_CM: Final = (0.25, 0.2, 0.35)


@dataclass(frozen=True)
class Pose:
    """Head and face at one time."""

    yaw_deg: float
    """Positive to the subject's left."""
    pitch_deg: float
    roll_deg: float
    x_cm: float
    y_cm: float
    distance_cm: float
    openness: float
    """Of the eyes, 0 closed, 1 as in the picture."""
    expression: tuple[float, float, float, float]
    """Mouth's corners, jaw and brows, in standard deviations."""


@dataclass(frozen=True)
class Movement:
    """Out, hold and back."""

    begin_ms: float
    out_ms: float
    hold_ms: float
    back_ms: float
    amount: float

    def at(self, t_ms: float) -> float:
        """Return how far the movement is at a time."""
        t = t_ms - self.begin_ms
        out = _smooth(t / self.out_ms)
        back = _smooth((t - self.out_ms - self.hold_ms) / self.back_ms)
        return self.amount * (out - back)


@dataclass(frozen=True)
class Track:
    """All that one person does in one take."""

    person: Person
    turns: tuple[Movement, ...]
    approaches: tuple[Movement, ...]
    """Of the logarithm of the distance's inverse."""
    blinks: tuple[Movement, ...]

    def at(self, t_ms: float) -> Pose:
        """Return the pose at a time."""
        person = self.person
        sway = [s.at(t_ms) for s in person.sways]
        much = person.restlessness
        turned = sum(turn.at(t_ms) for turn in self.turns)
        yaw, pitch, roll = (
            rest + much * by * s
            for rest, by, s in zip(person.rest_deg, SWAY_DEG, sway[:3], strict=True)
        )
        x, y, z = (much * by * s for by, s in zip(SWAY_CM, sway[3:6], strict=True))
        nearness = np.exp(sum(move.at(t_ms) for move in self.approaches))
        shut = max((blink.at(t_ms) for blink in self.blinks), default=0.0)
        return Pose(
            yaw_deg=yaw + turned,
            pitch_deg=pitch + person.nod * abs(turned),
            roll_deg=roll + person.nod * turned,
            x_cm=person.place_cm[0] + x,
            y_cm=person.place_cm[1] + y,
            distance_cm=(person.distance_cm + z) / float(nearness),
            openness=1 - shut,
            expression=(sway[6], sway[7], sway[8], sway[9]),
        )


def rest(person: Person, duration_ms: float) -> Track:
    """Return what a person does who is asked for nothing: sway and blink."""
    rng = np.random.default_rng(person.seed)
    return Track(person, (), (), tuple(_idle_blinks(person, duration_ms, (), rng)))


def follow(challenge: Challenge, person: Person, *, blinks: bool = True) -> Track:
    """Return how a willing person does what the challenge asks for.

    Args:
        challenge: the steps and when they are asked for.
        person: who does them.
        blinks: False for what has no eyelids.
    """
    rng = np.random.default_rng(person.seed)
    turns: list[Movement] = []
    approaches: list[Movement] = []
    shut: list[Movement] = []
    for step in challenge.steps:
        begin = step.at_ms + rng.uniform(*person.reaction_ms)
        begin = min(begin, step.begin_by_ms - SPARE_MS)
        if step.action is Action.BLINK:
            shut.extend(_blinks(step, begin, rng))
        elif step.action is Action.TURN:
            turns.append(_movement(step, begin, _angle(step, person, rng), person, rng))
        else:
            closer = np.log(person.approach) * rng.uniform(0.92, 1.08)
            amount = closer if step.action is Action.NEARER else -closer
            approaches.append(_movement(step, begin, amount, person, rng))
    asked = [step for step in challenge.steps if step.action is Action.BLINK]
    shut.extend(_idle_blinks(person, challenge.duration_ms, asked, rng))
    return Track(person, tuple(turns), tuple(approaches), tuple(shut) if blinks else ())


def frame_times(
    duration_ms: float, fps: float, jitter: float, rng: np.random.Generator
) -> list[float]:
    """Return when a camera takes its frames, from 0 to the first at or after the duration.

    Args:
        duration_ms: of the capture.
        fps: frames a second.
        jitter: standard deviation of a frame's time, in parts of the interval.
        rng: draws it.
    """
    interval = 1000 / fps
    count = int(np.ceil(duration_ms / interval)) + 1
    late = np.clip(rng.normal(0, jitter, count), -0.4, 0.4)
    times = (np.arange(count) + late - late[0]) * interval
    times[-1] = max(times[-1], duration_ms)
    return [round(float(t), 1) for t in times]


def _angle(step: Step, person: Person, rng: np.random.Generator) -> float:
    angle = person.full_deg if step.extent is Extent.FULL else person.half_deg
    angle *= rng.uniform(0.95, 1.05)
    return angle if step.side is Side.LEFT else -angle


def _movement(
    step: Step, begin: float, amount: float, person: Person, rng: np.random.Generator
) -> Movement:
    """Return a movement at the person's own tempo, or quicker if the time is short."""
    parts = np.array([OUT_MS, HOLD_MS, BACK_MS]) * person.tempo * rng.uniform(0.88, 1.12, 3)
    out_ms, hold_ms, back_ms = map(float, parts)
    left_ms = max(step.until_ms - SPARE_MS - begin - hold_ms, QUICKEST_MS)
    hurry = min(1.0, left_ms / (out_ms + back_ms))
    out_ms, back_ms = out_ms * hurry, back_ms * hurry
    return Movement(begin, out_ms, hold_ms, back_ms, amount)


def _blinks(step: Step, begin: float, rng: np.random.Generator) -> list[Movement]:
    count = step.count or 1
    length = sum(SHUT_MS)
    between = BETWEEN_BLINKS_MS * rng.uniform(0.8, 1.3)
    needed = count * length + (count - 1) * between
    shrink = min(1.0, max(step.until_ms - SPARE_MS - begin, 300.0) / needed)
    starts = [begin + i * (length + between) * shrink for i in range(count)]
    return [_blink(start, shrink, 1.0) for start in starts]


def _blink(begin: float, tempo: float, depth: float) -> Movement:
    closing, closed, opening = (part * tempo for part in SHUT_MS)
    return Movement(begin, closing, closed, opening, depth)


def _idle_blinks(
    person: Person, duration_ms: float, asked: Sequence[Step], rng: np.random.Generator
) -> list[Movement]:
    """Return the blinks that nobody asked for: none where blinks are asked for."""
    blinks = []
    now = rng.uniform(0.2, 1.0) * person.blink_every_s * 1000
    while now < duration_ms:
        if all(now < step.at_ms - 500 or now > step.until_ms + 100 for step in asked):
            blinks.append(_blink(now, rng.uniform(0.8, 1.1), rng.uniform(0.9, 1.0)))
        now += rng.uniform(0.6, 1.4) * person.blink_every_s * 1000
    return blinks


def _smooth(part: float) -> float:
    """Return minimum jerk from 0 to 1. Source: Flash and Hogan 1985."""
    s = min(1.0, max(0.0, part))
    return s**3 * (10 - 15 * s + 6 * s**2)
