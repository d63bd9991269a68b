"""The comparison that is evaluated or calibrated: its path from picture to embeddings, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from biometrics.calibration import Calibration
from biometrics.comparison import calibration_of, models_of
from biometrics.detection import FaceDetector
from biometrics.embedding import Embedder
from biometrics.evaluation.subjects import Encode, SubjectRule, encode_middle
from biometrics.landmarks import MeshEstimator
from biometrics.manifest import Manifest
from biometrics.onnx import open_model
from biometrics.recognition import PATH_VERSION, FaceEncoder
from biometrics.types import FloatArray, Image


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
    manifest: Manifest, name: str, *, subjects: SubjectRule = "middle", calibrated: bool = True
) -> ComparisonUnderTest:
    """Load the models of a comparison.

    Args:
        manifest: the manifest that names it.
        name: its name there.
        subjects: whose face counts where a picture shows several.
        calibrated: False to leave the manifest's calibration alone, as for making another.

    Raises:
        ManifestInvalidError: the manifest has no such comparison.
        ModelMissingError, DigestMismatchError, ModelUnusableError: a model must not be used.
        CalibrationInvalidError: the comparison's calibration does not fit it.
    """
    comparison = manifest.comparison(name)
    detector = FaceDetector.open(manifest)
    encoder = FaceEncoder(
        detector,
        MeshEstimator(open_model(manifest, "facemesh")),
        [Embedder(open_model(manifest, model)) for model in comparison.embeddings],
    )

    def encode(image: Image) -> Mapping[str, FloatArray]:
        return encoder.encode(image).embeddings

    has_calibration = calibrated and comparison.calibration is not None
    return ComparisonUnderTest(
        name=name,
        models=tuple(models_of(manifest, comparison)),
        path_version=PATH_VERSION,
        encode=encode_middle(encode, detector) if subjects == "middle" else encode,
        calibration=calibration_of(manifest, comparison) if has_calibration else None,
    )
