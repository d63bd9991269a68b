"""The rig with the real detector and mesh, and the sample pictures."""

from collections.abc import Callable

import pytest

from biometrics.detection import FaceDetector
from biometrics.landmarks import MeshEstimator
from biometrics.liveness.capture import FrameObserver
from biometrics.manifest import load_manifest
from biometrics.onnx import open_model
from biometrics.rig import Rig
from biometrics.weights.errors import SampleMissingError
from biometrics.weights.fetch import fetch, sample


@pytest.fixture(scope="package")
def parts() -> tuple[FaceDetector, MeshEstimator]:
    manifest = load_manifest()
    fetch(manifest, ["yunet", "facemesh"])
    return FaceDetector.open(manifest), MeshEstimator(open_model(manifest, "facemesh"))


@pytest.fixture(scope="package")
def rig(parts: tuple[FaceDetector, MeshEstimator]) -> Rig:
    return Rig(*parts)


@pytest.fixture(scope="package")
def observer(parts: tuple[FaceDetector, MeshEstimator]) -> FrameObserver:
    return FrameObserver(*parts)


@pytest.fixture(scope="package")
def picture() -> Callable[[str], bytes]:
    manifest = load_manifest()

    def read(name: str) -> bytes:
        try:
            return sample(manifest, name).read_bytes()
        except SampleMissingError as error:
            pytest.skip(str(error))

    return read
