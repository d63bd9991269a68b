"""Captures that no honest camera makes: reason codes, bounded time, never a crash."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from biometrics.challenge import Action, Challenge, Extent, Side, Step
from biometrics.detection import FaceDetector
from biometrics.image import decode_image
from biometrics.landmarks import Mesh, MeshEstimator
from biometrics.liveness.capture import FrameObserver
from biometrics.liveness.protocol import judge_challenge
from biometrics.onnx import open_model
from biometrics.types import CheckResult, FrameSample
from biometrics.weights import sample

CHALLENGE = Challenge(
    "0" * 32,
    (
        Step(Action.TURN, 300, 1150, 1900, Side.LEFT, Extent.FULL),
        Step(Action.BLINK, 1900, 2750, 2800, count=1),
        Step(Action.NEARER, 3200, 4050, 4800),
    ),
    5000,
)


@pytest.fixture(scope="module")
def seen(manifest):
    """Return one real observation of a picture."""
    observer = FrameObserver(
        FaceDetector(open_model(manifest, "yunet")), MeshEstimator(open_model(manifest, "facemesh"))
    )
    picture = decode_image(sample(manifest, "obama3").read_bytes())
    (observation,) = observer.observe_all([FrameSample(picture, 0.0)])
    assert observation.sighting is not None
    return observation


def at(observation, times):
    return [replace(observation, index=i, t_ms=t) for i, t in enumerate(times)]


def blind(observation):
    return replace(observation, sighting=None, fault="no-face")


def without_mesh(observation):
    mesh = Mesh(np.full((468, 3), np.nan, dtype=np.float32), 0.9)
    return replace(observation, sighting=replace(observation.sighting, mesh=mesh))


def collapsed(observation):
    mesh = Mesh(np.zeros((468, 3), dtype=np.float32), 0.9)
    return replace(observation, sighting=replace(observation.sighting, mesh=mesh))


REGULAR = [i * 66.0 for i in range(76)]

BAD = {
    "none": (lambda o: [], "challenge-too-few-frames"),
    "one": (lambda o: at(o, [0.0]), "challenge-too-few-frames"),
    "10,000": (lambda o: at(o, np.arange(10_000.0)), "challenge-too-many-frames"),
    "all at once": (lambda o: at(o, [5.0] * 76), "challenge-time-not-monotonic"),
    "backwards": (lambda o: at(o, REGULAR[::-1]), "challenge-time-not-monotonic"),
    "no time": (lambda o: at(o, [math.nan] * 76), "challenge-time-not-monotonic"),
    "for ever": (lambda o: at(o, [*REGULAR, math.inf]), "challenge-time-not-monotonic"),
    "from -infinity": (lambda o: at(o, [-math.inf, *REGULAR]), "challenge-time-not-monotonic"),
    "no face": (lambda o: at(blind(o), REGULAR), "challenge-face-lost"),
    "no numbers": (lambda o: at(without_mesh(o), REGULAR), "challenge-face-lost"),
    "no extent": (lambda o: at(collapsed(o), REGULAR), "challenge-face-lost"),
    "far apart": (lambda o: at(o, [i * 1e12 for i in range(9)]), "challenge-too-few-frames"),
    "still": (lambda o: at(o, REGULAR), "challenge-step-missing"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_capture_has_its_reason(seen, name):
    make, reason = BAD[name]
    observations = make(seen)
    begun = time.process_time()
    signal, performance = judge_challenge(CHALLENGE, observations)
    assert time.process_time() - begun < 2
    assert reason in [finding.reason for finding in signal.findings]
    assert signal.result is not CheckResult.OK
    assert len(performance.steps) == len(CHALLENGE.steps)


def test_a_capture_of_300_frames_is_judged_quickly(seen):
    begun = time.process_time()
    judge_challenge(CHALLENGE, at(seen, [i * 16.0 for i in range(300)]))
    assert time.process_time() - begun < 2
