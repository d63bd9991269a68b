"""What watches a capture: a face that comes late, and whose picture is compared."""

import cv2
import numpy as np
import pytest

from biometrics.detection import SeveralFacesError
from biometrics.pipeline import FacePipeline
from biometrics.types import FrameSample, Outcome
from biometrics.weights import sample


@pytest.fixture(scope="module")
def pipeline(manifest):
    return FacePipeline(manifest)


@pytest.fixture(scope="module")
def portrait_bytes(manifest):
    return sample(manifest, "obama3").read_bytes()


def test_a_face_that_comes_late_is_a_reason(pipeline, portrait_bytes, film, challenge):
    empty = np.full_like(film[0].picture, 90)
    late = [FrameSample(empty if i < 15 else f.picture, f.t_ms) for i, f in enumerate(film[:25])]
    verdict = pipeline.verify_capture(portrait_bytes, late, challenge)
    assert verdict.outcome is not Outcome.PASSED
    assert "challenge-face-lost" in verdict.reasons


@pytest.mark.parametrize("t_ms", [float("nan"), float("inf")])
def test_times_that_are_no_numbers_are_a_reason(pipeline, portrait_bytes, film, challenge, t_ms):
    frames = [FrameSample(f.picture, t_ms) for f in film[:3]]
    verdict = pipeline.verify_capture(portrait_bytes, frames, challenge)
    assert "challenge-time-not-monotonic" in verdict.reasons


def test_a_larger_face_beside_the_followed_one_is_not_compared(
    pipeline, observations, film, portrait
):
    """Between two looks of the detector only the mesh is followed, and sees nothing beside it."""
    followed = observations[0].sighting.face.box
    height, width = film[0].picture.shape[:2]
    large = np.full((3 * height, 5 * width, 3), 90, np.uint8)
    large[:height, :width] = film[0].picture
    side = min(portrait.shape[:2])
    large[:, -3 * height :] = cv2.resize(portrait[:side, :side], (3 * height, 3 * height))
    pipeline.encode_probe(large)
    with pytest.raises(SeveralFacesError) as caught:
        pipeline.encode_probe(large, followed)
    assert caught.value.code == "several-faces"
    pipeline.encode_probe(film[0].picture, followed)
