"""The real models and the sample pictures, fetched once by digest."""

import pytest

from biometrics.manifest import load_manifest
from biometrics.pipeline import FacePipeline
from biometrics.weights.errors import SampleMissingError
from biometrics.weights.fetch import fetch, sample
from tests.fixtures.faces import RememberingRig, open_remembering_pipeline


@pytest.fixture(scope="session")
def installed():
    manifest = load_manifest()
    fetch(manifest, ["yunet", "sface", "facemesh"])
    return manifest


@pytest.fixture(scope="session")
def pipeline(installed):
    """Most tests change a few frames of the same captures."""
    return open_remembering_pipeline(installed)


@pytest.fixture
def forgetful(installed):
    """A pipeline that has seen nothing yet, and remembers nothing."""
    return FacePipeline(installed)


@pytest.fixture(scope="session")
def rig(pipeline):
    return RememberingRig(pipeline)


@pytest.fixture(scope="session")
def picture():
    manifest = load_manifest()

    def read(name):
        try:
            return sample(manifest, name).read_bytes()
        except SampleMissingError as error:
            pytest.skip(str(error))

    return read
