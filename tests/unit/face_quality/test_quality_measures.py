"""Measures on drawn crops whose answer is known."""

import cv2
import numpy as np
import pytest

from biometrics.quality import focus, light
from biometrics.quality.view import LEFT_SIDE, RIGHT_SIDE, FaceView, distribution, percentiles

SIDE = 112


def view_of(gray, points=None):
    crop = np.asarray(gray, dtype=np.uint8)
    crop = crop if crop.ndim == 3 else np.repeat(crop[:, :, None], 3, axis=2)
    return FaceView(crop, ring() if points is None else points)


def ring():
    """Return 468 points on a circle, the sides' own points on their sides."""
    angle = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    points = np.stack([56 + 40 * np.cos(angle), 60 + 45 * np.sin(angle)], axis=1)
    points[list(RIGHT_SIDE)] = (40, 70)
    points[list(LEFT_SIDE)] = (72, 70)
    return points.astype(np.float32)


def texture(seed=0):
    rng = np.random.default_rng(seed)
    return cv2.normalize(rng.normal(size=(SIDE, SIDE)), None, 40, 210, cv2.NORM_MINMAX)


def test_a_flat_face_has_its_level_no_variance_and_no_range():
    view = view_of(np.full((SIDE, SIDE), 51))
    assert light.luminance_mean(view) == pytest.approx(0.2, abs=1e-6)
    assert light.luminance_variance(view) == pytest.approx(0, abs=1e-6)
    assert light.dynamic_range(view) == pytest.approx(0, abs=1e-6)
    assert light.highlights(view) == pytest.approx(0.2, abs=1e-6)
    assert light.illumination_uniformity(view) == 1
    assert light.side_light(view) == 0


def test_two_levels_of_equal_share_are_one_bit():
    gray = np.full((SIDE, SIDE), 100)
    gray[::2] = 200
    assert light.dynamic_range(view_of(gray)) == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize(
    ("level", "under", "over"), [(25, 1, 0), (26, 0, 0), (246, 0, 0), (247, 0, 1)]
)
def test_exposure_counts_from_the_standards_levels(level, under, over):
    view = view_of(np.full((SIDE, SIDE), level))
    assert light.under_exposure(view) == pytest.approx(under)
    assert light.over_exposure(view) == pytest.approx(over)


def test_exposure_looks_at_the_face_alone():
    gray = np.full((SIDE, SIDE), 255, dtype=np.uint8)
    cv2.ellipse(gray, (56, 60), (44, 49), 0, 0, 360, 128, -1)
    assert light.over_exposure(view_of(gray)) == 0


def test_light_from_one_side_is_counted_in_halvings_and_alike_from_both():
    gray = np.full((SIDE, SIDE), 196)
    gray[:, :56] = 46  # (196 + 4) / (46 + 4) = 4
    assert light.side_light(view_of(gray)) == pytest.approx(2, abs=0.02)
    assert light.side_light(view_of(gray[:, ::-1])) == pytest.approx(2, abs=0.02)
    assert light.illumination_uniformity(view_of(gray)) == 0


def test_half_the_light_leaves_evenness_as_it_was():
    gray = np.full((SIDE, SIDE), 200)
    gray[:, :56] = 100
    dimmer = light.side_light(view_of(gray // 2))
    assert dimmer == pytest.approx(light.side_light(view_of(gray)), abs=0.06)


@pytest.mark.parametrize("bgr", [(95, 130, 190), (60, 85, 130), (30, 45, 75), (150, 185, 225)])
def test_skin_from_dark_to_light_has_a_natural_colour(bgr):
    assert light.natural_colour(view_of(np.full((SIDE, SIDE, 3), bgr))) == 0


@pytest.mark.parametrize("bgr", [(220, 60, 60), (60, 220, 60), (200, 40, 200)])
def test_coloured_lamps_do_not(bgr):
    assert light.natural_colour(view_of(np.full((SIDE, SIDE, 3), bgr))) > 12


def test_a_gray_picture_has_no_colour_to_be_wrong():
    assert light.natural_colour(view_of(texture())) == 0


@pytest.mark.parametrize("kernel", [(9, 9), (13, 1), (1, 13)])
def test_blur_of_any_direction_lowers_sharpness(kernel):
    sharp = texture()
    assert focus.sharpness(view_of(cv2.blur(sharp, kernel))) < focus.sharpness(view_of(sharp)) - 0.1


def test_sharpness_does_not_depend_on_contrast_or_level():
    gray = cv2.GaussianBlur(texture(), (0, 0), 1.2)
    low = 30 + (gray - gray.min()) * 0.5
    assert focus.sharpness(view_of(low)) == pytest.approx(focus.sharpness(view_of(gray)), abs=0.03)


def test_nothing_to_see_is_not_sharp():
    assert focus.sharpness(view_of(np.zeros((SIDE, SIDE)))) == 0


def test_percentiles_are_levels_that_so_many_do_not_exceed():
    gray = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert percentiles(distribution(gray), 1, 50, 100) == [0, 49, 99]


def test_a_zone_outside_the_crop_falls_back_to_the_whole_crop():
    view = view_of(texture(), np.full((468, 2), 900, dtype=np.float32))
    assert view.face_mask.all()
