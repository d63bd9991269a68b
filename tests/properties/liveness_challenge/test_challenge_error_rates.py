"""Simulated error rates of the protocol: willing people pass, replays of other challenges do not.

The people are synthetic courses without pictures, so these are bounds on the state machine's own
errors, and say nothing about real people.
"""

import random
from itertools import count, islice

import numpy as np
import pytest

from biometrics.challenge import Pace, choose_challenge
from biometrics.liveness.protocol import judge_moments
from biometrics.types import CheckResult
from tests.fixtures.performer import Performer


def captures(first_seed, pace, fps=None):
    """Yield challenges with a willing person's performance of each."""
    for seed in count(first_seed):
        challenge = choose_challenge(random.Random(seed), light=False, pace=pace)
        yield challenge, Performer(np.random.default_rng(seed), fps).perform(challenge)


def passes(challenge, moments):
    return judge_moments(challenge, moments)[0].result is CheckResult.OK


@pytest.mark.parametrize(
    ("pace", "fps"), [(Pace.NORMAL, None), (Pace.SLOW, None), (Pace.NORMAL, 12)]
)
def test_97_in_100_willing_people_pass(pace, fps):
    shown = list(islice(captures(50_000, pace, fps), 500))
    assert sum(passes(*capture) for capture in shown) >= 0.97 * len(shown)


@pytest.mark.parametrize("pace", list(Pace))
def test_1_in_100_replays_of_another_challenge_passes_at_most(pace):
    """2,000 pairs; at most 4 may pass: were it one in 100, fewer than 5 had p < 0.0001."""
    shown = list(islice(captures(70_000, pace), 500))
    tried = random.Random(7)
    pairs = [tried.sample(range(len(shown)), 2) for _ in range(2_000)]
    assert sum(passes(shown[asked][0], shown[done][1]) for asked, done in pairs) <= 4
