"""Crops, points and meshes that no face would give: an answer, and never a pass."""

import numpy as np
import pytest

from biometrics.landmarks import Mesh
from biometrics.quality import assess_quality, load_requirements, measure_face_quality
from biometrics.types import Box, Face, FivePoints, Outcome

REQUIREMENTS = load_requirements()
POINTS = FivePoints((100, 100), (150, 100), (125, 130), (105, 150), (145, 150))
FACE = Face(Box(80, 60, 170, 180), POINTS, 0.9)


def mesh_of(points, presence=1.0):
    return Mesh(np.asarray(points, dtype=np.float32), presence)


def spread(seed=0, scale=60):
    rng = np.random.default_rng(seed)
    return rng.normal((125, 120, 0), scale, (468, 3))


CROPS = {
    "black": np.zeros((112, 112, 3), np.uint8),
    "white": np.full((112, 112, 3), 255, np.uint8),
    "one colour": np.full((112, 112, 3), (200, 30, 30), np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8),
}


@pytest.mark.parametrize("crop", CROPS.values(), ids=CROPS)
def test_a_crop_without_a_face_does_not_pass(crop):
    quality = measure_face_quality(crop, (640, 480), FACE, mesh_of(spread()), REQUIREMENTS)
    assert assess_quality(quality, REQUIREMENTS).outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((468, 3)),
        np.full((468, 3), 125.0),
        spread(scale=1e-9),
        spread(scale=1e12),
        np.full((468, 3), np.nan),
        np.full((468, 3), np.inf),
        np.where(np.arange(468)[:, None] % 2, np.nan, spread()),
    ],
    ids=["origin", "one point", "tiny", "huge", "nan", "inf", "half nan"],
)
def test_a_mesh_that_is_none_does_not_pass(points):
    crop = CROPS["noise"]
    quality = measure_face_quality(crop, (640, 480), FACE, mesh_of(points), REQUIREMENTS)
    assert assess_quality(quality, REQUIREMENTS).outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize(
    "face",
    [
        Face(Box(0, 0, 0, 0), FivePoints(*[(0, 0)] * 5), 0.0),
        Face(Box(10, 10, 5, 5), FivePoints(*[(1e9, -1e9)] * 5), 1.0),
        Face(Box(0, 0, 10, 10), FivePoints((1, 1), (1, 1), (2, 2), (3, 3), (4, 4)), 2.0),
    ],
    ids=["nothing", "far away", "eyes in one place"],
)
def test_points_that_are_no_face_do_not_pass(face):
    quality = measure_face_quality(CROPS["noise"], (1, 1), face, mesh_of(spread()), REQUIREMENTS)
    assert assess_quality(quality, REQUIREMENTS).outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize("presence", [0.0, 1.0, -3.0, 7.0, float("nan")])
def test_a_presence_out_of_range_is_no_fault(presence):
    quality = measure_face_quality(
        CROPS["noise"], (640, 480), FACE, mesh_of(spread(), presence), REQUIREMENTS
    )
    assert assess_quality(quality, REQUIREMENTS).outcome is Outcome.INDETERMINATE
