"""Alignment, geometry, thresholds and rules that need no model."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from biometrics.alignment import TEMPLATE, estimate_similarity
from biometrics.liveness.capture import Observation
from biometrics.challenge import ORDERS, Challenge, ChallengeInvalidError, Turn
from biometrics.liveness.continuity import check_continuity
from biometrics.liveness.findings import decide_outcome
from biometrics.detection import (
    FaceMissingError,
    FaceTiltedError,
    FaceTooSmallError,
    SeveralFacesError,
    check_pose,
    select_one,
)
from biometrics.landmarks import LEFT_OUTER_EYE_CORNER, RIGHT_OUTER_EYE_CORNER, Mesh
from biometrics.liveness.geometry import foreshortening, homography_residual
from biometrics.types import Box, Face, FivePoints, Outcome

PASSED, INDETERMINATE, FAILED = Outcome.PASSED, Outcome.INDETERMINATE, Outcome.FAILED


def make_face(side=100.0, roll_deg=0.0, x=0.0):
    points = TEMPLATE * side / 112
    roll = math.radians(roll_deg)
    turned = points @ np.array(
        [[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]]
    )
    five = FivePoints(*((float(px + x), float(py)) for px, py in turned))
    return Face(Box(x, 0, x + side, side), five, 0.9)


def test_similarity_is_recovered():
    angle, scale, shift = 0.3, 1.7, np.array([5.0, -9.0])
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    target = (scale * TEMPLATE @ rotation.T + shift).astype(np.float32)
    matrix = estimate_similarity(TEMPLATE, target)
    assert np.allclose(matrix[:, :2], scale * rotation, atol=1e-4)
    assert np.allclose(matrix[:, 2], shift, atol=1e-2)


def test_similarity_never_mirrors():
    mirrored = TEMPLATE * np.array([-1, 1], dtype=np.float32)
    assert np.linalg.det(estimate_similarity(mirrored, TEMPLATE)[:, :2]) > 0


def test_one_face_is_taken_and_small_bystanders_are_ignored():
    first = make_face()
    assert select_one([first, make_face(side=39, x=300)]) is first


@pytest.mark.parametrize(
    ("faces", "error"),
    [
        ([], FaceMissingError),
        ([make_face(), make_face(side=41, x=300)], SeveralFacesError),
    ],
)
def test_other_pictures_are_refused(faces, error):
    with pytest.raises(error):
        select_one(faces)


@pytest.mark.parametrize(
    ("face", "error"),
    [
        (make_face(side=70), FaceTooSmallError),
        (make_face(roll_deg=26), FaceTiltedError),
        (make_face(roll_deg=-90), FaceTiltedError),
        (make_face(roll_deg=180), FaceTiltedError),
        (make_face(roll_deg=math.nan), FaceTooSmallError),
        (make_face(side=math.nan), FaceTooSmallError),
    ],
)
def test_small_and_tilted_faces_are_refused(face, error):
    with pytest.raises(error):
        check_pose(face)


def test_nose_offset_is_positive_to_the_subjects_left():
    points = make_face().points
    left = replace(points, nose=(points.nose[0] + 10, points.nose[1]))
    assert left.nose_offset > points.nose_offset


def test_nothing_is_no_pass_and_the_worst_outcome_wins():
    assert decide_outcome([]) is INDETERMINATE
    assert decide_outcome([PASSED, PASSED]) is PASSED
    assert decide_outcome([PASSED, INDETERMINATE]) is INDETERMINATE
    assert decide_outcome([INDETERMINATE, FAILED, PASSED]) is FAILED


def bowl():
    """A curved surface with eye corners one unit apart."""
    rng = np.random.default_rng(1)
    xy = rng.uniform(-1, 1, (468, 2)) * 100
    xy[RIGHT_OUTER_EYE_CORNER], xy[LEFT_OUTER_EYE_CORNER] = (-50, -30), (50, -30)
    return np.column_stack([xy, (xy**2).sum(axis=1) / 200]).astype(np.float32)


def turn(points, angle_deg):
    """Project points turned about the vertical axis, from a distance of 800."""
    a = math.radians(angle_deg)
    x = points[:, 0] * math.cos(a) - points[:, 2] * math.sin(a)
    z = points[:, 0] * math.sin(a) + points[:, 2] * math.cos(a)
    near = 800 / (800 + z)
    return Mesh(np.column_stack([x * near, points[:, 1] * near, z]).astype(np.float32), 1.0)


@pytest.mark.parametrize("angle_deg", [-40, -25, 25, 40])
def test_a_plane_leaves_no_residual_and_a_curved_surface_does(angle_deg):
    curved = bowl()
    flat = curved * np.array([1, 1, 0], dtype=np.float32)
    assert homography_residual(turn(flat, 0), turn(flat, angle_deg)) < 1e-3
    assert homography_residual(turn(curved, 0), turn(curved, angle_deg)) > 0.05
    shown = foreshortening(turn(flat, 0), turn(flat, angle_deg))
    assert shown == pytest.approx(math.cos(math.radians(angle_deg)), abs=0.02)


def test_coming_nearer_and_rolling_is_no_foreshortening():
    points = bowl()
    rest = turn(points, 0)
    rolled = rest.points.copy()
    rolled[:, :2] = 1.3 * rolled[:, 1::-1] * np.array([-1, 1]) + 40
    assert foreshortening(rest, Mesh(rolled, 1.0)) == pytest.approx(1, abs=1e-3)


def test_random_challenges_use_both_sides_and_every_order():
    rng = random.Random(0)
    challenges = [Challenge.random(rng) for _ in range(400)]
    assert {c.turns for c in challenges} == set(ORDERS)
    assert all(set(c.turns) == set(Turn) for c in challenges)
    assert len({Challenge.random().id for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"version": 1, "id": "0" * 32},
        {"version": 2, "id": "0" * 32, "turns": ["left"]},
        {"version": 1, "id": "0" * 31, "turns": ["left"]},
        {"version": 1, "id": 7, "turns": ["left"]},
        {"version": 1, "id": "0" * 32, "turns": []},
        {"version": 1, "id": "0" * 32, "turns": "left"},
        {"version": 1, "id": "0" * 32, "turns": ["up"]},
        {"version": 1, "id": "0" * 32, "turns": [["left"]]},
        {"version": 1, "id": "0" * 32, "turns": ["left"] * 9},
        {"version": 1, "id": "0" * 32, "turns": ["left"], "more": 1},
    ],
)
def test_malformed_challenge_is_refused(data):
    with pytest.raises(ChallengeInvalidError):
        Challenge.from_dict(data)


def observe(times, digests=None, faults=None):
    """Observations without a face, so that only the frames themselves are judged."""
    digests = digests or [str(i).encode() for i in range(len(times))]
    return [
        Observation(i, t, (640, 480), digests[i], None, (faults or {}).get(i, "face-missing"))
        for i, t in enumerate(times)
    ]


def reasons_of(observations):
    return {finding.reason: finding.outcome for finding in check_continuity(observations, 2)}


REGULAR = [100.0 * i for i in range(30)]
LOOP = [b"%d" % (i % 20) for i in range(30)]


@pytest.mark.parametrize(
    ("observations", "reason", "outcome"),
    [
        ([], "challenge-too-few-frames", INDETERMINATE),
        (observe(REGULAR), "challenge-face-lost", INDETERMINATE),
        (observe(REGULAR[::-1]), "challenge-time-not-monotonic", FAILED),
        (observe([*REGULAR, REGULAR[-1]]), "challenge-time-not-monotonic", FAILED),
        (observe([*REGULAR, float("nan")]), "challenge-time-not-monotonic", FAILED),
        (observe([t / 10 for t in REGULAR]), "challenge-too-short", INDETERMINATE),
        (observe([t * 11 for t in REGULAR]), "challenge-too-long", INDETERMINATE),
        (observe([t * 11 for t in REGULAR]), "challenge-frames-missing", INDETERMINATE),
        (observe(REGULAR, [b"x"] * 30), "challenge-frames-identical", FAILED),
        (observe(REGULAR, LOOP), "challenge-frames-repeated", FAILED),
        (observe(REGULAR, [b"", *LOOP[1:]]), "challenge-frame-unreadable", INDETERMINATE),
        (observe(REGULAR, faults={3: "several-faces"}), "challenge-several-faces", FAILED),
        (observe([10.0 * i for i in range(301)]), "challenge-too-many-frames", INDETERMINATE),
    ],
)  # fmt: skip
def test_frames_that_are_no_capture(observations, reason, outcome):
    assert reasons_of(observations)[reason] is outcome


def test_a_frame_handed_over_twice_is_no_replay():
    doubled = [b"%d" % (i // 2) for i in range(30)]
    found = reasons_of(observe(REGULAR, doubled))
    assert not found.keys() & {"challenge-frames-identical", "challenge-frames-repeated"}
