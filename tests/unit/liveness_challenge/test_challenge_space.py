"""The space of challenges is counted by what its judge tells apart."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from biometrics.challenge import Action, Challenge, Extent, Side, choose_challenge, space
from biometrics.challenge.space import BUDGET_MS, MOVES, PAUSE_MS, REST_MS, TAIL_MS
from biometrics.liveness.protocol import judge_moments
from tests.fixtures.performer import Performer


def test_the_space_has_a_hundred_thousand_challenges_without_light():
    assert space.count_distinguishable() == 115_888


def test_the_count_is_that_of_all_challenges_written_out(monkeypatch):
    monkeypatch.setattr(space, "MAX_MOVES", 4)
    space._count.cache_clear()
    try:
        assert space.count_distinguishable() == sum(count_by_enumeration(n) for n in (3, 4))
    finally:
        space._count.cache_clear()


def count_by_enumeration(length):
    """Count without the recursion: every sequence, and ways to spend its spare pauses."""
    spare = space.DURATION_MS - REST_MS - TAIL_MS
    total = 0
    for moves in product(MOVES, repeat=length):
        actions = [move.action for move in moves]
        needed = (
            any(move.extent is Extent.FULL for move in moves)
            and {Action.NEARER, Action.FARTHER} & set(actions)
            and Action.BLINK in actions
        )
        repeats = any(a == b or a.action is b.action is Action.BLINK for a, b in pairwise(moves))
        pauses = (spare - sum(move.budget_ms for move in moves)) // PAUSE_MS
        if needed and not repeats and pauses >= 0:
            total += int(np.prod([pauses + i for i in range(1, length + 1)])) // int(
                np.prod(range(1, length + 1))
            )
    return total


def test_every_challenge_is_as_likely_as_any_other():
    draws = 12_000
    drawn = Counter(tuple(space.draw(random.Random(seed))) for seed in range(draws))
    repeated_pairs = sum(n * (n - 1) / 2 for n in drawn.values())
    if_even = draws * (draws - 1) / 2 / space.count_distinguishable()
    assert repeated_pairs == pytest.approx(if_even, rel=0.2)


def neighbours(challenge):
    """Yield the challenges that differ in as little as can be counted."""
    ends = [REST_MS, *(step.until_ms for step in challenge.steps)]
    pauses = [step.at_ms - end for step, end in zip(challenge.steps, ends, strict=False)]
    for i, step in enumerate(challenge.steps):
        for by in (-PAUSE_MS, PAUSE_MS):
            if pauses[i] + by >= 0:
                moved = [*pauses[:i], pauses[i] + by, *pauses[i + 1 :]]
                yield rebuilt(challenge, moved, challenge.steps)
                for j in range(i + 1, len(pauses)):
                    if pauses[j] - by >= 0:
                        back = [*moved[:j], pauses[j] - by, *moved[j + 1 :]]
                        yield rebuilt(challenge, back, challenge.steps)
        for other in alternatives(step):
            steps = [*challenge.steps[:i], other, *challenge.steps[i + 1 :]]
            yield rebuilt(challenge, pauses, steps)


def alternatives(step):
    if step.action is Action.TURN:
        other = Extent.HALF if step.extent is Extent.FULL else Extent.FULL
        yield replace(step, side=next(side for side in Side if side is not step.side))
        yield replace(step, extent=other)
    elif step.action is Action.BLINK:
        yield replace(step, count=4 - step.count)
    else:
        pair = (Action.NEARER, Action.FARTHER)
        yield replace(step, action=next(a for a in pair if a is not step.action))


def rebuilt(challenge, pauses, steps):
    now, made = REST_MS, []
    for pause, step in zip(pauses, steps, strict=True):
        at, now = now + pause, now + pause + BUDGET_MS[step.action, step.extent, step.count]
        made.append(replace(step, at_ms=at, begin_by_ms=at + 850, until_ms=now))
    return Challenge(challenge.id, tuple(made), now + TAIL_MS)


def accepted(challenge, performed):
    moments = Performer(np.random.default_rng(0), steady=True).perform(performed)
    return not judge_moments(challenge, moments)[0].findings


def test_the_judge_tells_each_challenge_from_its_nearest_neighbours():
    compared = 0
    for seed in range(25):
        challenge = choose_challenge(random.Random(seed), light=False)
        assert accepted(challenge, challenge)
        for other in neighbours(challenge):
            assert not accepted(challenge, other)
            assert not accepted(other, challenge)
            compared += 1
    assert compared > 400
