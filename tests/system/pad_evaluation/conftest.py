"""Captures as folders, and the command."""

import json
import random

import pytest

from api.cli import main
from biometrics.challenge import choose_challenge
from biometrics.detection import FaceDetector
from biometrics.landmarks import MeshEstimator
from biometrics.onnx import open_model
from biometrics.rig import Rig, Species
from biometrics.weights import sample


@pytest.fixture(scope="session")
def rig(manifest):
    return Rig(FaceDetector.open(manifest), MeshEstimator(open_model(manifest, "facemesh")))


@pytest.fixture(scope="session")
def put_capture(rig, manifest):
    """Write a rendered capture as `chinhchu face rig` does."""

    def put(folder, species, *, seed=3, light=True, notes=True):
        challenge = choose_challenge(random.Random(seed), light=light)
        picture = sample(manifest, "obama3").read_bytes()
        other = sample(manifest, "biden").read_bytes()
        frames = rig.perform(
            picture, challenge, species=Species(species), seed=seed, accomplice=other
        )
        folder.mkdir(parents=True)
        for index, frame in enumerate(frames):
            (folder / f"{index:04d}.jpg").write_bytes(frame.picture)
        record = {
            "simulated": True,
            "species": species,
            "challenge": challenge.to_dict(),
            "t_ms": [frame.t_ms for frame in frames],
        }
        if notes:
            (folder / "capture.json").write_text(json.dumps(record))
        else:
            (folder / "simulated.json").write_text("{}")

    return put


@pytest.fixture
def evaluate(capsys):
    """Run the command and return its JSON."""

    def run(*arguments):
        code = main([*map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run
