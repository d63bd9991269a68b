"""Turn faces into unit vectors, with any model that takes a face aligned by five points."""

from collections.abc import Sequence

import cv2
import numpy as np

from biometrics import alignment
from biometrics.errors import BiometricsError
from biometrics.onnx import Model
from biometrics.types import FivePoints, FloatArray, Image
from biometrics.weights.errors import ModelUnusableError


class Embedder:
    """An embedding model behind the contract of its entry: crop, colours, values, dimensions."""

    def __init__(self, model: Model) -> None:
        """Read the contract.

        Raises:
            ModelUnusableError: the model is no embedding model.
        """
        contract, dimensions = model.entry.input, model.entry.dimensions
        if contract.crop != "five-points" or dimensions is None:
            raise ModelUnusableError(f"the model {model.entry.name} embeds no aligned faces")
        self.name = model.entry.name
        self.size = contract.width, contract.height
        """Width and height of the crops, pixels."""
        self.template = (
            np.array(contract.template, dtype=np.float32)
            if contract.template
            else alignment.TEMPLATE * np.float32(contract.width / alignment.SIZE_PX)
        )
        """5 x 2: where eyes, nose tip and mouth corners lie in the crop, pixels."""
        self._model = model
        self._contract = contract
        self._dimensions = dimensions
        self._takes_batches = model.takes_batches

    def align(self, image: Image, points: FivePoints) -> Image:
        """Return the crop of `image` in which `points` lie on the model's template."""
        return alignment.align(image, points, self.template, self.size)

    def embed(self, *crops: Image) -> FloatArray:
        """Return the unit embedding of one face seen in one or more crops, BGR.

        The vectors of several crops are added as the model gives them: the surer a crop, the longer
        its vector.

        Raises:
            BiometricsError: the model gave no usable vector.
            ModelUnusableError: its vectors are not as long as the manifest says.
        """
        blob = self._to_blob(crops)
        runs = [blob] if self._takes_batches else np.split(blob, len(blob))
        vectors = np.concatenate([next(iter(self._model.run(run).values())) for run in runs])
        if vectors.shape != (len(crops), self._dimensions):
            raise ModelUnusableError(
                f"the model {self.name} gives {vectors.shape[1:]} values a face, "
                f"not {self._dimensions}"
            )
        return normalise(vectors.sum(axis=0))

    def _to_blob(self, crops: Sequence[Image]) -> FloatArray:
        contract = self._contract
        blob = cv2.dnn.blobFromImages(
            crops,
            scalefactor=1 / contract.divisor,
            mean=(contract.mean,) * 3,
            swapRB=contract.colour_order == "RGB",
        )
        if contract.layout == "NHWC":
            blob = np.ascontiguousarray(blob.transpose(0, 2, 3, 1))
        return np.asarray(blob, dtype=np.float32)


def normalise(vector: FloatArray) -> FloatArray:
    """Return `vector` scaled to length one.

    Raises:
        BiometricsError: it has no length, so it says nothing.
    """
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise BiometricsError("the embedding model gave no usable vector")
    return (vector / length).astype(np.float32)


def recentre(vectors: FloatArray, centre: FloatArray) -> FloatArray:
    """Return unit vectors as seen from `centre`, at length one again.

    Args:
        vectors: ... x dimensions, each of length one.
        centre: dimensions.

    Raises:
        BiometricsError: their dimensions differ, or a vector lies on the centre.
    """
    if vectors.shape[-1] != len(centre):
        raise BiometricsError(f"{vectors.shape[-1]} dimensions have no centre of {len(centre)}")
    moved = vectors - centre
    lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
    if not lengths.all():
        raise BiometricsError("an embedding that lies on the centre says nothing")
    return np.asarray(moved / lengths, dtype=np.float32)


def average(embeddings: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """Return the unit mean of unit embeddings, each with its positive weight.

    Raises:
        BiometricsError: they cancel out.
    """
    return normalise(np.average(embeddings, axis=0, weights=weights))
