"""Choose a challenge that nobody can foresee."""

import random
import secrets
from enum import StrEnum
from typing import Final

from biometrics.challenge.challenge import Challenge
from biometrics.challenge.light import MIN_SLOT_MS, Colour, LightPattern
from biometrics.challenge.space import REST_MS, TAIL_MS, draw
from biometrics.challenge.steps import Step

BEGIN_MS: Final = 850
"""From the prompt to the latest beginning at normal pace: reading it and reacting take most people
250 to 700 ms."""


class Pace(StrEnum):
    """How much time each step has."""

    NORMAL = "normal"
    SLOW = "slow"
    """Twice the time, for whoever asks for it."""


def choose_challenge(
    rng: random.Random | None = None, *, light: bool = True, pace: Pace = Pace.NORMAL
) -> Challenge:
    """Choose steps, their times, the light and a nonce; all steps and times are equally likely.

    Args:
        rng: a seeded generator for tests only; by default the system's cryptographic one.
        light: False for whoever goes without coloured light.
        pace: how much time each step has.
    """
    rng = rng or secrets.SystemRandom()
    factor = 2 if pace is Pace.SLOW else 1
    now, steps = REST_MS * factor, []
    for pause_ms, move in draw(rng):
        at_ms = now + pause_ms * factor
        now = at_ms + move.budget_ms * factor
        begin_by_ms = at_ms + BEGIN_MS * factor
        steps.append(
            Step(move.action, at_ms, begin_by_ms, now, move.side, move.extent, move.blinks)
        )
    duration_ms = now + TAIL_MS * factor
    pattern = _choose_light(rng, duration_ms) if light else None
    return Challenge(f"{rng.getrandbits(128):032x}", tuple(steps), duration_ms, pattern)


def _choose_light(rng: random.Random, duration_ms: int) -> LightPattern:
    """Return colours that last as long as the challenge."""
    colours = [rng.choice(list(Colour))]
    while len(colours) * MIN_SLOT_MS < duration_ms:
        colours.append(rng.choice([colour for colour in Colour if colour is not colours[-1]]))
    return LightPattern(tuple(colours))
