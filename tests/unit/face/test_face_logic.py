"""Alignment, geometry, thresholds and rules that need no model."""

import math
from dataclasses import replace

import numpy as np
import pytest

from biometrics.alignment import TEMPLATE, estimate_similarity
from biometrics.detection import (
    FaceMissingError,
    FaceTiltedError,
    FaceTooSmallError,
    SeveralFacesError,
    check_pose,
    select_one,
)
from biometrics.liveness.findings import decide_outcome
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
