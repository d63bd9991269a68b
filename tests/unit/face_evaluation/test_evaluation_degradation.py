"""Degradations: what they promise, always the same, on any picture."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from api.cli.evaluation_run import DEGRADATION_NAMES
from biometrics.evaluation.degradation import DEGRADATIONS, encode_jp2, encode_jpeg


def picture(height=250, width=200, seed=1):
    """Return smooth shapes with some grain, in colour."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + random.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)


def test_the_command_offers_all_of_them():
    assert set(DEGRADATION_NAMES) == set(DEGRADATIONS)
    assert all(name == degradation.name for name, degradation in DEGRADATIONS.items())


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("size", [(250, 250), (1, 1), (30, 2000), (2000, 30), (3, 2)])
def test_each_takes_any_picture_and_gives_the_same_each_time(name, size):
    image = picture(*size)
    kept = image.copy()
    once, twice = DEGRADATIONS[name].apply(image), DEGRADATIONS[name].apply(image)
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(image, kept)
    assert once.dtype == np.uint8
    assert once.ndim == 3
    assert once.shape[2] == 3


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_each_changes_the_picture(name):
    image = picture()
    spoiled = DEGRADATIONS[name].apply(image)
    assert spoiled.shape != image.shape or not np.array_equal(spoiled, image)


@pytest.mark.parametrize(
    ("name", "size"), [("chip-jp2-12k", (640, 480)), ("chip-jpeg-2.5k", (160, 120))]
)
def test_chip_portraits_are_gray_and_of_their_size(name, size):
    spoiled = DEGRADATIONS[name].apply(picture())
    assert spoiled.shape[:2] == size
    assert (spoiled == spoiled[:, :, :1]).all()
    assert DEGRADATIONS[name].side == "reference"


@pytest.mark.parametrize("noise", [0, 20, 120])
@pytest.mark.parametrize(
    ("encode", "size", "budget", "kind"),
    [(encode_jp2, (640, 480), 12_000, "JPEG2000"), (encode_jpeg, (160, 120), 2_500, "JPEG")],
)
def test_the_budget_is_met_and_used(encode, size, budget, kind, noise):
    gray = cv2.cvtColor(picture(*size), cv2.COLOR_BGR2GRAY)
    grain = np.random.default_rng(2).normal(0, noise, gray.shape)
    data = encode(np.clip(gray + grain, 0, 255).astype(np.uint8), budget)
    assert 0.75 * budget < len(data) <= budget
    with PillowImage.open(io.BytesIO(data)) as back:
        assert (back.format, back.mode, back.size) == (kind, "L", size[::-1])


def test_a_budget_that_nothing_meets_is_an_error():
    with pytest.raises(ValueError, match="no setting"):
        encode_jpeg(picture()[:, :, 0], 100)
