"""No path to a followed challenge without every turn, in its order, from the front."""

from hypothesis import given
from hypothesis import strategies as st

from biometrics.challenge import ORDERS, Challenge, Turn
from biometrics.liveness.motion import Zone, check_motion, check_order, trace

TURN_OFFSET = 0.25

orders = st.sampled_from(ORDERS)
sequences = st.lists(st.sampled_from(list(Turn)), min_size=0, max_size=5)
offsets = st.lists(st.floats(-1, 1), max_size=60)


def course(turns, rest=0.0, held=3, peak=0.4):
    """Nose offsets of someone who makes these turns, looking ahead before, between and after."""
    track = [rest] * 4
    for turn in turns:
        side = 1 if turn is Turn.LEFT else -1
        track += [rest + side * peak / 2, *[rest + side * peak] * held, rest + side * peak / 2]
        track += [rest] * 3
    return track


def reasons(turns, track):
    return {finding.reason for finding in check_order(turns, trace(track, TURN_OFFSET))}


@given(orders, st.floats(-0.19, 0.19), st.integers(2, 6), st.floats(0.27, 0.9))
def test_who_follows_is_followed(turns, rest, held, peak):
    assert reasons(turns, course(turns, rest, held, peak)) == set()


@given(orders, sequences)
def test_any_other_sequence_fails(turns, made):
    found = reasons(turns, course(made))
    if tuple(made) == turns:
        assert found == set()
    elif tuple(made) == turns[: len(made)]:
        assert found == {"challenge-step-missing"}
    else:
        assert found == {"challenge-wrong-order"}


@given(orders, offsets)
def test_whatever_is_accepted_shows_every_turn_from_the_front(turns, track):
    traced = trace(track, TURN_OFFSET)
    if check_order(turns, traced):
        return
    assert traced.rest is not None
    zones = [event.zone for event in traced.events]
    sides = [zone for zone in zones if zone is not Zone.FRONT]
    assert [zone.value for zone in sides] == [turn.value for turn in turns]
    for event in traced.turns:
        assert len(event.frames) >= 2
        for i in event.frames:
            change = track[i] - traced.rest
            assert change > TURN_OFFSET if event.zone is Zone.LEFT else change < -TURN_OFFSET
    assert all(zones[i - 1] is Zone.FRONT for i, zone in enumerate(zones) if zone in sides)


@given(orders, sequences, st.data())
def test_dropping_frames_makes_no_missing_turn(turns, made, data):
    track = course(made)
    kept = data.draw(st.lists(st.integers(0, len(track) - 1), unique=True).map(sorted))
    if len(made) < len(turns):
        assert reasons(turns, [track[i] for i in kept]) != set()


@given(offsets)
def test_a_single_frame_beyond_is_no_turn(track):
    calm = [offset * 0.1 for offset in track]
    for i in range(5, len(calm), 5):
        calm[i] = 0.9
    assert trace(calm, TURN_OFFSET).turns == ()


@given(orders)
def test_swinging_through_without_looking_ahead_fails(turns):
    track = [0.0] * 4
    for turn in turns:
        track += [0.5 if turn is Turn.LEFT else -0.5] * 3
    assert reasons(turns, track) & {
        "challenge-not-frontal","challenge-return-missing", "challenge-wrong-order",
                                    "challenge-step-missing"}  # fmt: skip


@given(st.builds(Challenge.random, st.randoms(use_true_random=False)))
def test_challenge_survives_serialisation(challenge):
    assert Challenge.from_dict(challenge.to_dict()) == challenge


@given(orders, st.integers(2, 6), st.floats(0.27, 0.9))
def test_turns_that_nobody_saw_happen_are_unclear(turns, held, peak):
    moving = trace(course(turns, held=held, peak=peak), TURN_OFFSET)
    assert list(check_motion(moving)) == []
    jumping = [offset for offset in course(turns, held=held, peak=peak) if abs(offset) != peak / 2]
    found = list(check_motion(trace(jumping, TURN_OFFSET)))
    assert {finding.reason for finding in found} == {"challenge-motion-unseen"}
    assert len(found) == len(turns)
