"""Choose a challenge that nobody can foresee."""

import random
import secrets
from enum import StrEnum
from typing import Final

from biometrics.challenge.challenge import Challenge
from biometrics.challenge.light import Colour, LightPattern
from biometrics.challenge.steps import Action, Extent, Side, Step

REST_MS: Final = 800
BUDGET_MS: Final = {
    (Action.TURN, Extent.FULL): 1900,
    (Action.TURN, Extent.HALF): 1500,
    (Action.NEARER, None): 1800,
    (Action.FARTHER, None): 1800,
    (Action.BLINK, None): 1100,
}


class Pace(StrEnum):
    """How much time each step has."""

    NORMAL = "normal"
    SLOW = "slow"
    """Twice the time, for whoever asks for it."""


def choose_challenge(
    rng: random.Random | None = None, *, light: bool = True, pace: Pace = Pace.NORMAL
) -> Challenge:
    """Choose steps, their times, the light and a nonce.

    Args:
        rng: a seeded generator for tests only; by default the system's cryptographic one.
        light: False for whoever goes without coloured light.
        pace: how much time each step has.
    """
    rng = rng or secrets.SystemRandom()
    factor = 2 if pace is Pace.SLOW else 1
    kinds = [
        (Action.TURN, Extent.FULL),
        (Action.TURN, rng.choice(list(Extent))),
        (rng.choice([Action.NEARER, Action.FARTHER]), None),
        (Action.BLINK, None),
    ]
    rng.shuffle(kinds)
    now, steps = REST_MS, []
    for action, extent in kinds:
        now += rng.choice((0, 100, 200, 300))
        budget = BUDGET_MS[action, extent] * factor
        steps.append(
            Step(
                action,
                now,
                now + 900 * factor,
                now + budget,
                rng.choice(list(Side)) if action is Action.TURN else None,
                extent,
                rng.choice((1, 2)) if action is Action.BLINK else None,
            )
        )
        now += budget
    pattern = None
    if light:
        colours: list[Colour] = []
        for _ in range(now // 500):
            colours.append(rng.choice([c for c in Colour if not colours or c is not colours[-1]]))
        pattern = LightPattern(tuple(colours))
    return Challenge(f"{rng.getrandbits(128):032x}", tuple(steps), now, pattern)
