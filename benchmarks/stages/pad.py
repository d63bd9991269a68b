"""Presentation-attack detection: a challenge frame, and the passive signal, a picture each."""

import numpy as np

from benchmarks.result import Metric, median_ms
from biometrics.challenge import Challenge, Turn
from biometrics.image import decode_image
from biometrics.manifest import load_manifest
from biometrics.onnx import open_model
from biometrics.pipeline import FacePipeline
from biometrics.rig import Rig, RigKind
from biometrics.types import CheckResult
from biometrics.weights import sample

TURNS = (Turn.LEFT, Turn.RIGHT)


def measure(quick: bool) -> dict[str, Metric]:
    """Judge a rendered capture, and the passive models on one picture, on one thread."""
    n = 3 if quick else 20
    manifest = load_manifest()
    pipeline = FacePipeline(manifest)
    picture = sample(manifest, "obama3").read_bytes()
    rig = Rig(pipeline.detector, pipeline.mesh_estimator)
    frames = rig.render(RigKind.TURNING_HEAD, picture, TURNS)
    challenge = Challenge("0" * 32, TURNS)
    yunet, mesh = open_model(manifest, "yunet"), open_model(manifest, "facemesh")
    contract = mesh.entry.input
    frame = np.zeros((1, 3, 320, 320), np.float32)
    crop = np.zeros((1, contract.height, contract.width, 3), np.float32)
    bare = median_ms(lambda: (yunet.run(frame), mesh.run(crop)), 10 * n)
    whole = median_ms(lambda: pipeline.active_challenge(challenge, frames), n)
    metrics = {
        "pad.challenge_frame": Metric(whole / len(frames), "ms", n * len(frames), bound=bare)
    }
    image = decode_image(picture)
    if pipeline.passive_pad([image]).result is not CheckResult.NOT_PERFORMED:
        passive = median_ms(lambda: pipeline.passive_pad([image]), n)
        metrics["pad.passive"] = Metric(passive, "ms", n)
    return metrics
