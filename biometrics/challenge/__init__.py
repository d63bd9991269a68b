"""The challenge: what the person is asked to do, chosen by the server, and when.

Time runs from the first frame of the capture. A step's prompt is shown at `at_ms`; before that the
person rests, looking ahead. The movement must begin between `at_ms` and `begin_by_ms`, reach its
extent, and be back at rest by `until_ms`. *Left* and *right* are the subject's own.
"""

from biometrics.challenge.challenge import Challenge, ChallengeInvalidError
from biometrics.challenge.choice import Pace, choose_challenge
from biometrics.challenge.light import Colour, LightPattern
from biometrics.challenge.steps import Action, Extent, Side, Step

__all__ = [
    "Action",
    "Challenge",
    "ChallengeInvalidError",
    "Colour",
    "Extent",
    "LightPattern",
    "Pace",
    "Side",
    "Step",
    "choose_challenge",
]
