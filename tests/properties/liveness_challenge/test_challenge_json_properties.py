"""A challenge survives its JSON; nothing else becomes a challenge, and nothing crashes."""

import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from biometrics.challenge import Challenge, ChallengeInvalidError, Pace, choose_challenge

challenges = st.builds(
    choose_challenge,
    st.randoms(use_true_random=False),
    light=st.booleans(),
    pace=st.sampled_from(Pace),
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=8), v, max_size=4)
)


@given(challenges)
def test_a_challenge_survives_its_json(challenge):
    assert Challenge.from_dict(json.loads(json.dumps(challenge.to_dict()))) == challenge


@given(values)
def test_arbitrary_json_is_refused(value):
    try:
        Challenge.from_dict(value)
    except ChallengeInvalidError:
        return
    raise AssertionError


def places(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from places(inner, (*path, i))
    if path:
        yield path


@given(challenges, values, st.data())
def test_a_challenge_with_anything_put_into_it_is_refused_or_still_one(challenge, value, data):
    changed = copy.deepcopy(challenge.to_dict())
    *way, last = data.draw(st.sampled_from(list(places(changed))))
    place = changed
    for key in way:
        place = place[key]
    place[last] = value
    try:
        read = Challenge.from_dict(changed)
    except ChallengeInvalidError:
        return
    assert Challenge.from_dict(json.loads(json.dumps(read.to_dict()))) == read
