"""Pose, lids, lips and place on a drawn mesh whose answer is known."""

import math

import numpy as np
import pytest

from biometrics.landmarks import Mesh
from biometrics.quality import geometry
from biometrics.types import Box, Face, FivePoints

POINTS = FivePoints((200, 200), (300, 200), (250, 260), (215, 310), (285, 310))
FACE = Face(Box(150, 120, 350, 380), POINTS, 0.93)


def drawn_mesh(yaw_deg=0.0, pitch_deg=0.0, lids=10.0, lips=0.0):
    """Return a mesh with what geometry looks at, turned about its middle."""
    p = np.zeros((468, 3))
    p[[33, 133, 362, 263]] = [(180, 200, 0), (220, 200, 0), (280, 200, 0), (320, 200, 0)]
    for upper, lower in (geometry.RIGHT_LIDS, geometry.LEFT_LIDS):
        x = 200 if upper == geometry.RIGHT_LIDS[0] else 300
        p[list(upper)], p[list(lower)] = (x, 200 - lids / 2, 0), (x, 200 + lids / 2, 0)
    p[list(geometry.INNER_LIPS[0])], p[list(geometry.INNER_LIPS[1])] = (
        (250, 310, 0),
        (250, 310 + lips, 0),
    )
    p[geometry.FOREHEAD_TOP], p[geometry.CHIN] = (250, 120, 0), (250, 350, 0)
    p[[61, 291]] = [(215, 310, 0), (285, 310, 0)]
    middle = np.array((250.0, 235.0, 0.0))
    a, b = math.radians(yaw_deg), math.radians(pitch_deg + geometry.PITCH_AT_REST_DEG)
    # Larger z is farther: a turn to the subject's left takes the left eye back.
    turn = np.array([(math.cos(a), 0, 0), (0, 1, 0), (math.sin(a), 0, 1)])
    bend = np.array([(1, 0, 0), (0, math.cos(b), 0), (0, math.sin(b), 1)])
    return Mesh(((p - middle) @ turn.T @ bend.T + middle).astype(np.float32), 1.0)


@pytest.mark.parametrize("angle", [-50, -20, 0, 10, 35])
def test_yaw_is_the_turn_to_the_subjects_left(angle):
    assert geometry.yaw_deg(drawn_mesh(yaw_deg=angle)) == pytest.approx(angle, abs=0.5)


@pytest.mark.parametrize("angle", [-30, 0, 25])
def test_pitch_is_the_bend_forward(angle):
    assert geometry.pitch_deg(drawn_mesh(pitch_deg=angle)) == pytest.approx(angle, abs=0.5)


def test_lids_and_lips_are_measured_by_the_way_from_eyes_to_chin():
    mesh = drawn_mesh(pitch_deg=-geometry.PITCH_AT_REST_DEG, lids=9.0, lips=30.0)
    assert geometry.eyes_to_chin_px(mesh) == pytest.approx(150)
    assert geometry.eyes_open(mesh) == pytest.approx(0.06, abs=1e-3)
    assert geometry.mouth_open(mesh) == pytest.approx(0.2, abs=1e-3)
    assert geometry.eye_aspects(mesh) == pytest.approx((9 / 40, 9 / 40), abs=1e-3)


def test_the_eyes_distance_is_corrected_for_the_turn():
    assert geometry.inter_eye_distance_px(FACE, drawn_mesh()) == pytest.approx(100)
    assert geometry.inter_eye_distance_px(FACE, drawn_mesh(yaw_deg=60)) == pytest.approx(
        200, rel=0.02
    )


def test_margins_are_counted_from_the_eyes():
    mesh = drawn_mesh(pitch_deg=-geometry.PITCH_AT_REST_DEG)
    left, right, above, below = geometry.margins(FACE, mesh, 640, 480)
    assert (left, right) == pytest.approx((2.0, 3.4))
    assert (above, below) == pytest.approx((200 / 150, 280 / 150))


def test_what_lies_outside_the_picture_is_counted():
    points = np.full((468, 3), 50.0, dtype=np.float32)
    points[:117, 0] = -1
    assert geometry.outside_fraction(Mesh(points, 1.0), 100, 100) == pytest.approx(0.25)
    assert geometry.outside_fraction(Mesh(points, 1.0), 50, 100) == 1


def test_points_and_mesh_that_agree_lie_together():
    eyes, mouth = geometry.disagreement(FACE, drawn_mesh(pitch_deg=-geometry.PITCH_AT_REST_DEG))
    assert (eyes, mouth) == pytest.approx((0, 0), abs=1e-3)
