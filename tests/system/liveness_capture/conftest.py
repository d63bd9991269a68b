"""The real detector, mesh and embedding on rendered captures; rendered heads are no evidence."""

import random

import cv2
import pytest

from biometrics.challenge import choose_challenge
from biometrics.detection import FaceDetector
from biometrics.embedding import Embedder
from biometrics.image import decode_image
from biometrics.landmarks import MeshEstimator
from biometrics.liveness.capture import FrameObserver
from biometrics.onnx import open_model
from biometrics.rig import Rig
from biometrics.types import FrameSample
from biometrics.weights import sample


@pytest.fixture(scope="session")
def detector(manifest):
    return FaceDetector.open(manifest)


@pytest.fixture(scope="session")
def mesh_estimator(manifest):
    return MeshEstimator(open_model(manifest, "facemesh"))


@pytest.fixture(scope="session")
def observer(detector, mesh_estimator):
    return FrameObserver(detector, mesh_estimator)


@pytest.fixture(scope="session")
def embedder(manifest):
    return Embedder(open_model(manifest, "sface"))


@pytest.fixture(scope="session")
def challenge():
    return choose_challenge(random.Random(7), light=False)


@pytest.fixture(scope="session")
def films(manifest, detector, mesh_estimator, challenge):
    """Two people doing the same challenge before cameras of one size, as pixels."""
    rig = Rig(detector, mesh_estimator)
    films = []
    for seed, name in ((1, "obama3"), (2, "biden")):
        portrait = sample(manifest, name).read_bytes()
        films.append(rig.perform(portrait, challenge, seed=seed, jpeg=False))
    size = films[0][0].picture.shape[1::-1]
    second = [FrameSample(cv2.resize(f.picture, size), f.t_ms) for f in films[1]]
    return films[0], second


@pytest.fixture(scope="session")
def film(films):
    return films[0]


@pytest.fixture(scope="session")
def observations(observer, film):
    return observer.observe_all(film)


@pytest.fixture(scope="session")
def portrait(manifest):
    return decode_image(sample(manifest, "biden").read_bytes())
