"""The comparison that is evaluated or calibrated: its path from picture to embeddings, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from biometrics.alignment import align
from biometrics.calibration import Calibration
from biometrics.detection import FaceDetector
from biometrics.evaluation.subjects import Encode, SubjectRule, encode_middle
from biometrics.manifest import Manifest, ManifestInvalidError
from biometrics.onnx import Model, open_model
from biometrics.types import FloatArray, Image

_COMPARISONS = {"default": ("sface",), "fused": ("sface", "fr-feature")}


@dataclass(frozen=True, eq=False)
class ComparisonUnderTest:
    """A comparison of the manifest, ready to encode pictures."""

    name: str
    models: tuple[tuple[str, str], ...]
    """Name and digest of the first published file of each embedding model, in score order."""
    path_version: str
    encode: Encode = field(repr=False)
    calibration: Calibration | None = field(repr=False)
    """What the manifest says; None if it has no calibration for the comparison yet."""


def open_comparison(
    manifest: Manifest, name: str, *, subjects: SubjectRule = "middle"
) -> ComparisonUnderTest:
    """Load the models of a comparison.

    Raises:
        ManifestInvalidError: the manifest has no such comparison.
        ModelMissingError, DigestMismatchError, ModelUnusableError: a model cannot be used.
    """
    if name not in _COMPARISONS:
        raise ManifestInvalidError(f"the manifest has no comparison {name!r}")
    detector = FaceDetector(open_model(manifest, "yunet"))
    models = [open_model(manifest, model) for model in _COMPARISONS[name]]

    def encode(image: Image) -> Mapping[str, FloatArray]:
        face = detector.find_upright(image)
        crop = align(image, face.points)
        return {model.entry.name: _embed(model, crop) for model in models}

    return ComparisonUnderTest(
        name=name,
        models=tuple((m.entry.name, m.entry.files[0].sha256) for m in models),
        path_version="1",
        encode=encode_middle(encode, detector) if subjects == "middle" else encode,
        calibration=None,
    )


def _embed(model: Model, crop: Image) -> FloatArray:
    contract = model.entry.input
    total: FloatArray | None = None
    for view in (crop, crop[:, ::-1]):
        values = (view[:, :, ::-1].astype(np.float32) - contract.mean) / contract.divisor
        (out,) = model.run(np.ascontiguousarray(values.transpose(2, 0, 1)[None])).values()
        unit = out[0] / np.linalg.norm(out[0])
        total = unit if total is None else total + unit
    assert total is not None
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)
