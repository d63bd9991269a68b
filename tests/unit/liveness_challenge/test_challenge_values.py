"""A challenge refuses what nobody could do, and nothing else can be made of its JSON."""

import itertools
import json
import math
import random

import pytest

from biometrics.challenge import (
    LIGHT_WARNING,
    NO_LIGHT,
    Action,
    Challenge,
    ChallengeInvalidError,
    Colour,
    Extent,
    LightPattern,
    Pace,
    Side,
    Step,
    choose_challenge,
    instruction,
)

ID = "0123456789abcdef" * 2
TURN = Step(Action.TURN, 300, 1150, 1900, Side.LEFT, Extent.FULL)
BLINK = Step(Action.BLINK, 2000, 2850, 2900, count=1)


def test_a_fitting_challenge_is_taken():
    Challenge(ID, (TURN, BLINK), 3000)
    Challenge(ID, (TURN,), 1900, LightPattern((Colour.RED, Colour.BLUE, Colour.RED, Colour.WHITE)))


@pytest.mark.parametrize(
    "arguments",
    [
        ("turn", 300, 1150, 1900, Side.LEFT, Extent.FULL),
        (Action.TURN, 300.0, 1150, 1900, Side.LEFT, Extent.FULL),
        (Action.TURN, True, 1150, 1900, Side.LEFT, Extent.FULL),
        (Action.TURN, math.nan, 1150, 1900, Side.LEFT, Extent.FULL),
        (Action.TURN, -1, 1150, 1900, Side.LEFT, Extent.FULL),
        (Action.TURN, 300, 1150, 10**30, Side.LEFT, Extent.FULL),
        (Action.TURN, 300, 200, 1900, Side.LEFT, Extent.FULL),
        (Action.TURN, 300, 350, 1900, Side.LEFT, Extent.FULL),
        (Action.TURN, 300, 1950, 1900, Side.LEFT, Extent.FULL),
        (Action.TURN, 300, 1150, 1900, None, Extent.FULL),
        (Action.TURN, 300, 1150, 1900, Side.LEFT, None),
        (Action.TURN, 300, 1150, 1900, "left", Extent.FULL),
        (Action.TURN, 300, 1150, 1900, Side.LEFT, Extent.FULL, 1),
        (Action.NEARER, 300, 1150, 1900, Side.LEFT),
        (Action.FARTHER, 300, 1150, 1900, None, Extent.HALF),
        (Action.NEARER, 300, 1150, 1900, None, None, 1),
        (Action.BLINK, 300, 1150, 1900),
        (Action.BLINK, 300, 1150, 1900, None, None, 0),
        (Action.BLINK, 300, 1150, 1900, None, None, 4),
        (Action.BLINK, 300, 1150, 1900, None, None, True),
        (Action.BLINK, 300, 1150, 1900, None, None, 1.0),
        (Action.BLINK, 300, 1150, 1900, Side.LEFT, None, 1),
    ],
)
def test_a_step_that_does_not_fit_is_refused(arguments):
    with pytest.raises(ChallengeInvalidError):
        Step(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("0123", (TURN,), 3000),
        (ID.upper(), (TURN,), 3000),
        (ID + "\n", (TURN,), 3000),
        (None, (TURN,), 3000),
        (ID, (), 3000),
        (ID, [TURN], 3000),
        (ID, (TURN, "blink"), 3000),
        (ID, (TURN,) * 9, 3000),
        (ID, (BLINK, TURN), 3000),
        (ID, (TURN, TURN), 3000),
        (ID, (TURN,), 1899),
        (ID, (TURN,), 1900.0),
        (ID, (TURN,), True),
        (ID, (TURN,), 10**9),
        (ID, (Step(Action.BLINK, 299, 900, 1000, count=1),), 3000),
        (ID, (TURN,), 1900, LightPattern((Colour.RED, Colour.BLUE, Colour.RED))),
        (ID, (TURN,), 1900, "red"),
    ],
)
def test_a_challenge_that_does_not_fit_is_refused(arguments):
    with pytest.raises(ChallengeInvalidError):
        Challenge(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ((),),
        ([Colour.RED],),
        ("red",),
        (("red",),),
        ((Colour.RED, Colour.RED),),
        ((Colour.RED, Colour.BLUE) * 65,),
        ((Colour.RED,), 499),
        ((Colour.RED,), 500.0),
        ((Colour.RED,), True),
        ((Colour.RED,), 10**6),
    ],
)
def test_light_that_flashes_or_does_not_fit_is_refused(arguments):
    with pytest.raises(ChallengeInvalidError):
        LightPattern(*arguments)


def changed(change):
    data = json.loads(json.dumps(choose_challenge(random.Random(3)).to_dict()))
    change(data)
    return data


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("light"),
        lambda d: d.pop("id"),
        lambda d: d.update(extra=1),
        lambda d: d.update(version=1),
        lambda d: d.update(version=2.0),
        lambda d: d.update(version=True),
        lambda d: d.update(steps={}),
        lambda d: d.update(steps=d["steps"] * 3),
        lambda d: d.update(steps=[[]]),
        lambda d: d.update(light=[]),
        lambda d: d.update(light=False),
        lambda d: d["light"].update(extra=1),
        lambda d: d["light"].update(colours=[["red"]]),
        lambda d: d["light"].update(colours={"red": 1}),
        lambda d: d["light"].pop("slot_ms"),
        lambda d: d["steps"][0].update(extra=1),
        lambda d: d["steps"][0].update(side=None),
        lambda d: d["steps"][0].update(action=["turn"]),
        lambda d: d["steps"][0].update(action="nod"),
        lambda d: d["steps"][0].pop("until_ms"),
        lambda d: d["steps"][0].update(at_ms="300"),
        lambda d: d["steps"].reverse(),
    ],
)
def test_changed_json_is_refused(change):
    with pytest.raises(ChallengeInvalidError):
        Challenge.from_dict(changed(change))


def test_colours_end_in_white():
    pattern = LightPattern((Colour.RED, Colour.BLUE))
    seen = [pattern.colour_at(t) for t in (0, 499.9, 500, 999, 1000, 1e9)]
    assert seen == [Colour.RED] * 2 + [Colour.BLUE] * 2 + [Colour.WHITE] * 2


STEPS = [
    *(Step(Action.TURN, 300, 1150, 1900, side, extent) for side in Side for extent in Extent),
    *(Step(action, 300, 1150, 1900) for action in (Action.NEARER, Action.FARTHER)),
    *(Step(Action.BLINK, 300, 1150, 1900, count=count) for count in (1, 2, 3)),
]


def test_each_step_has_its_own_words_in_both_languages():
    words = [instruction(step) for step in STEPS]
    assert len({w.vi for w in words}) == len({w.en for w in words}) == len(STEPS)
    for said in (*words, LIGHT_WARNING, NO_LIGHT):
        assert said.vi
        assert said.en
        assert "!" not in said.vi + said.en


def test_the_words_name_the_persons_own_side():
    for step in STEPS[:4]:
        said = instruction(step)
        assert ("trái" in said.vi) == ("left" in said.en) == (step.side is Side.LEFT)
        assert ("phải" in said.vi) == ("right" in said.en) == (step.side is Side.RIGHT)
        assert ("hơi" in said.vi) == ("a little" in said.en) == (step.extent is Extent.HALF)


@pytest.mark.parametrize("pace", list(Pace))
def test_whatever_is_chosen_can_be_done_and_shows_what_must_be_seen(pace):
    factor = 2 if pace is Pace.SLOW else 1
    for seed in range(300):
        challenge = choose_challenge(random.Random(seed), pace=pace)
        assert challenge.duration_ms <= 8000 * factor
        assert any(step.extent is Extent.FULL for step in challenge.steps)
        assert any(s.action in (Action.NEARER, Action.FARTHER) for s in challenge.steps)
        assert any(step.action is Action.BLINK for step in challenge.steps)
        assert all(s.begin_by_ms - s.at_ms == 850 * factor for s in challenge.steps)
        told = [instruction(step) for step in challenge.steps]
        assert all(a != b for a, b in itertools.pairwise(told))
        assert challenge.light.duration_ms >= challenge.duration_ms
        assert challenge.light.slot_ms >= 500
        assert Challenge.from_dict(json.loads(json.dumps(challenge.to_dict()))) == challenge


def test_without_light_there_is_none_and_nonces_differ():
    first, second = choose_challenge(light=False), choose_challenge(light=False)
    assert first.light is second.light is None
    assert first.id != second.id
