"""Portrait against one probe, everything included, against the bare model runs."""

import numpy as np

from benchmarks.result import Metric, median_ms
from biometrics.manifest import load_manifest
from biometrics.onnx import open_model
from biometrics.pipeline import FacePipeline
from biometrics.weights import sample


def measure(quick: bool) -> dict[str, Metric]:
    """Decode, detect, align, embed and compare two pictures, on one thread."""
    n = 10 if quick else 100
    manifest = load_manifest()
    pipeline = FacePipeline(manifest)
    portrait, probe = (sample(manifest, name).read_bytes() for name in ("obama", "obama3"))
    yunet, sface = open_model(manifest, "yunet"), open_model(manifest, "sface")
    frame = np.zeros((1, 3, 320, 320), np.float32)
    crop = np.zeros((1, 3, 112, 112), np.float32)
    bare = 2 * median_ms(lambda: (yunet.run(frame), sface.run(crop)), n)
    whole = median_ms(lambda: pipeline.compare(pipeline.enrol(portrait), [probe]), n)
    return {"face.comparison": Metric(whole, "ms", n, bound=bare)}
