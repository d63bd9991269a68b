"""The real models on the sample pictures, fetched once by digest."""

import pytest

from biometrics.image import decode_image
from biometrics.quality import load_requirements
from biometrics.quality_evaluation.evaluation import Examiner
from biometrics.weights.errors import SampleMissingError
from biometrics.weights.fetch import sample


@pytest.fixture(scope="session")
def examiner(manifest):
    return Examiner.open(manifest, load_requirements())


@pytest.fixture(scope="session")
def people(manifest):
    """Return one colour picture a person, by name."""
    pictures = {}
    try:
        for name, entry in manifest.samples.items():
            pictures.setdefault(entry.person, decode_image(sample(manifest, name).read_bytes()))
    except SampleMissingError as error:
        pytest.skip(str(error))
    return pictures
