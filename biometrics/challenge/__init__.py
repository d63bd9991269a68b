"""The challenge: what the person is asked to do, chosen by the server, and when.

Time runs from the first frame of the capture. A step's prompt is shown at `at_ms`; before that the
person rests, looking ahead. The movement must begin between `at_ms` and `begin_by_ms`, reach its
extent, and be back at rest by `until_ms`. *Left* and *right* are the subject's own.
"""

from biometrics.challenge.challenge import Challenge
from biometrics.challenge.choice import Pace, choose_challenge
from biometrics.challenge.errors import ChallengeInvalidError
from biometrics.challenge.light import Colour, LightPattern
from biometrics.challenge.space import count_distinguishable
from biometrics.challenge.steps import Action, Extent, Side, Step
from biometrics.challenge.words import LIGHT_WARNING, NO_LIGHT, REST, Words, instruction

__all__ = [
    "LIGHT_WARNING",
    "NO_LIGHT",
    "REST",
    "Action",
    "Challenge",
    "ChallengeInvalidError",
    "Colour",
    "Extent",
    "LightPattern",
    "Pace",
    "Side",
    "Step",
    "Words",
    "choose_challenge",
    "count_distinguishable",
    "instruction",
]
