"""The colours of face and background in pictures whose colours are known."""

from timeit import repeat

import numpy as np
import pytest

from biometrics.landmarks import LEFT_OUTER_EYE_CORNER, POINTS, RIGHT_OUTER_EYE_CORNER, Mesh
from biometrics.liveness.colours import SKIN, measure_colours
from biometrics.types import Box, Face, FivePoints, Image

SKIN_BGR, WALL_BGR, SHIRT_BGR = (90, 120, 180), (200, 190, 170), (20, 20, 250)


def _mesh(left: float, top: float, side: float) -> Mesh:
    """Return a mesh whose points fill a square."""
    rng = np.random.default_rng(0)
    points = np.zeros((POINTS, 3), np.float32)
    corner = np.array((left, top))
    points[:, :2] = corner + rng.uniform(0, side, (POINTS, 2))
    points[0, :2], points[1, :2] = (left, top), (left + side, top + side)
    points[list(SKIN), :2] = corner + rng.uniform(side / 4, side * 3 / 4, (len(SKIN), 2))
    points[RIGHT_OUTER_EYE_CORNER, :2] = left + side / 4, top + side / 3
    points[LEFT_OUTER_EYE_CORNER, :2] = left + side * 3 / 4, top + side / 3
    return Mesh(points, 1.0)


def _face(left: float, top: float, side: float) -> Face:
    point = (left, top)
    return Face(
        Box(left, top, left + side, top + side), FivePoints(point, point, point, point, point), 0.9
    )


def _scene(left: int, top: int, side: int, size: tuple[int, int] = (480, 640)) -> Image:
    image = np.full((*size, 3), WALL_BGR, np.uint8)
    image[min(top + side, size[0]) :] = SHIRT_BGR
    image[max(top, 0) : top + side, max(left, 0) : left + side] = SKIN_BGR
    return image


def test_skin_and_wall_are_told_apart():
    colours = measure_colours(_scene(230, 120, 170), _face(230, 120, 170), _mesh(230, 120, 170))
    assert colours.face_bgr == pytest.approx(SKIN_BGR)
    assert colours.background_bgr == pytest.approx(WALL_BGR)
    assert (colours.clipped, colours.dark) == (0.0, 0.0)
    assert "90" not in repr(colours)


def test_a_face_at_the_side_leaves_the_other_sides_wall():
    colours = measure_colours(_scene(10, 120, 170), _face(10, 120, 170), _mesh(10, 120, 170))
    assert colours.background_bgr == pytest.approx(WALL_BGR)


def test_a_face_that_fills_the_frame_has_no_background():
    colours = measure_colours(_scene(60, -20, 500), _face(60, -20, 500), _mesh(60, -20, 500))
    assert colours.face_bgr == pytest.approx(SKIN_BGR)
    assert np.isnan(colours.background_bgr).all()


@pytest.mark.parametrize("place", [-5000.0, 5000.0, float("nan")])
def test_a_face_outside_of_the_frame_has_no_colour(place):
    mesh = Mesh(np.full((POINTS, 3), place, np.float32), 1.0)
    colours = measure_colours(_scene(230, 120, 170), _face(230, 120, 170), mesh)
    assert np.isnan(colours.face_bgr).all()
    assert (colours.clipped, colours.dark) == (1.0, 1.0)


@pytest.mark.parametrize(("level", "clipped", "dark"), [(255, 1.0, 0.0), (5, 0.0, 1.0)])
def test_exposure_is_told(level, clipped, dark):
    image = np.full((480, 640, 3), level, np.uint8)
    colours = measure_colours(image, _face(230, 120, 170), _mesh(230, 120, 170))
    assert (colours.clipped, colours.dark) == (clipped, dark)


@pytest.mark.parametrize("size", [(1, 1), (1, 640), (480, 1)])
def test_small_pictures_are_measured_as_far_as_they_reach(size):
    measure_colours(np.zeros((*size, 3), np.uint8), _face(0, 0, 1), _mesh(0, 0, 1))


def test_a_frame_takes_less_than_half_a_millisecond():
    image, face, mesh = _scene(230, 120, 170), _face(230, 120, 170), _mesh(230, 120, 170)
    best = min(repeat(lambda: measure_colours(image, face, mesh), number=20, repeat=25)) / 20
    assert best < 0.5e-3
