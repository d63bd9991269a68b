"""The detectors as installed, and the sample pictures."""

import pytest

from biometrics.detection import FaceDetector
from biometrics.image import decode_image
from biometrics.manifest import load_manifest
from biometrics.weights.errors import SampleMissingError
from biometrics.weights.fetch import fetch, sample


@pytest.fixture(scope="session")
def detector():
    manifest = load_manifest()
    fetch(manifest, ["yunet"])
    return FaceDetector.open(manifest)


@pytest.fixture(scope="session")
def sample_path():
    manifest = load_manifest()

    def find(name):
        try:
            return sample(manifest, name)
        except SampleMissingError as error:
            pytest.skip(str(error))

    return find


@pytest.fixture(scope="session")
def portrait(sample_path):
    return decode_image(sample_path("obama").read_bytes())
