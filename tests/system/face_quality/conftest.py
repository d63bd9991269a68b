"""The real models on the sample pictures, fetched once by digest."""

import cv2
import pytest

from biometrics.image import decode_image
from biometrics.quality import load_requirements
from biometrics.quality_evaluation.evaluation import Examiner
from biometrics.weights.errors import SampleMissingError
from biometrics.weights.fetch import sample


@pytest.fixture(scope="session")
def examiner(manifest):
    return Examiner.open(manifest, load_requirements())


LONGEST_PX = 640
"""As a webcam's pictures: what is asked of them does not need a photographer's two megapixels."""


def fit(image):
    scale = min(1.0, LONGEST_PX / max(image.shape[:2]))
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="session")
def people(manifest):
    """Return one colour picture a person, by name."""
    pictures = {}
    try:
        for name, entry in manifest.samples.items():
            picture = decode_image(sample(manifest, name).read_bytes())
            pictures.setdefault(entry.person, fit(picture))
    except SampleMissingError as error:
        pytest.skip(str(error))
    return pictures
