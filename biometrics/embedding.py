"""Turn an aligned face into a unit vector with SFace."""

from collections.abc import Sequence

import numpy as np

from biometrics.errors import BiometricsError
from biometrics.onnx import Model
from biometrics.types import FloatArray, Image


class Embedder:
    """SFace: RGB 0-255, 112 x 112, to 128 dimensions of length one."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def embed(self, aligned: Image) -> FloatArray:
        """Return the unit embedding of one aligned 112 x 112 BGR crop."""
        blob = aligned[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        (output,) = self._model.run(blob).values()
        return normalise(output[0])


def normalise(vector: FloatArray) -> FloatArray:
    """Return `vector` scaled to length one.

    Raises:
        BiometricsError: it has no length, so it says nothing.
    """
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise BiometricsError("the embedding model gave no usable vector")
    return (vector / length).astype(np.float32)


def average(embeddings: Sequence[FloatArray]) -> FloatArray:
    """Return the unit mean of unit embeddings."""
    return normalise(np.mean(embeddings, axis=0))
