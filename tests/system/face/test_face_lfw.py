"""Accuracy on the LFW pairs of the test data. Source: biometrics figures of models/sface.md."""

import csv

import numpy as np
import pytest

from biometrics.alignment import align
from biometrics.image import decode_image


@pytest.mark.timeout(300)
def test_two_fold_accuracy_is_the_measured_one(pipeline, test_data):
    with (test_data / "faces" / "lfw_pairs.csv").open(encoding="utf-8") as file:
        pairs = list(csv.DictReader(file))
    vectors = {}
    for name in sorted({pair[side] for pair in pairs for side in ("reference", "probe")}):
        image = decode_image((test_data / "faces" / "lfw" / name).read_bytes())
        # LFW's subject is the face in the middle; others may stand around.
        centre = np.array(image.shape[1::-1]) / 2
        faces = pipeline.detector.detect(image)
        face = min(faces, key=lambda f: np.linalg.norm(np.array(f.box.center) - centre))
        vectors[name] = pipeline.embedder.embed(align(image, face.points))
    scores = np.array([float(vectors[p["reference"]] @ vectors[p["probe"]]) for p in pairs])
    mated = np.array([p["mated"] == "1" for p in pairs])
    fold = np.array([p["fold"] for p in pairs])
    assert (fold == "1").sum() == (fold == "2").sum() == 600

    accuracy = np.mean([judge(scores, mated, fold == a, fold == b) for a, b in ("12", "21")])
    assert accuracy >= 0.995
    assert (scores[~mated] >= 0.42).mean() == 0.0
    assert (scores[mated] >= 0.42).mean() >= 0.955


def judge(scores, mated, chosen_on, reported_on):
    """Return the accuracy on one fold at the threshold that is best on the other."""
    candidates = np.unique(scores[chosen_on])
    hits = [((scores[chosen_on] >= t) == mated[chosen_on]).mean() for t in candidates]
    threshold = candidates[int(np.argmax(hits))]
    return ((scores[reported_on] >= threshold) == mated[reported_on]).mean()
