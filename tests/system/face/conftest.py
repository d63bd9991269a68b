"""The real models and the sample pictures, fetched once by digest."""

import pytest

from biometrics.manifest import load_manifest
from biometrics.pipeline import FacePipeline
from biometrics.rig import Rig
from biometrics.weights.errors import SampleMissingError
from biometrics.weights.fetch import fetch, sample


@pytest.fixture(scope="session")
def pipeline():
    manifest = load_manifest()
    fetch(manifest, ["yunet", "sface", "facemesh"])
    return FacePipeline(manifest)


@pytest.fixture(scope="session")
def rig(pipeline):
    return Rig(pipeline.detector, pipeline.mesh_estimator)


@pytest.fixture(scope="session")
def picture():
    manifest = load_manifest()

    def read(name):
        try:
            return sample(manifest, name).read_bytes()
        except SampleMissingError as error:
            pytest.skip(str(error))

    return read
