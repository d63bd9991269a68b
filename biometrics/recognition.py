"""From a picture of a face to its template: the path whose cosines are calibrated."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from biometrics.detection import FaceDetector
from biometrics.embedding import Embedder
from biometrics.landmarks import Mesh, MeshEstimator
from biometrics.types import Face, FaceTemplate, Image

PATH_VERSION: Final = "3"
"""Raised by every change here that moves embeddings: a calibration belongs to one version."""


class FaceEncoder:
    """Detection, mesh, alignment and embedding models, in that order."""

    def __init__(
        self,
        detector: FaceDetector,
        mesh_estimator: MeshEstimator,
        embedders: Sequence[Embedder],
    ) -> None:
        self._detector = detector
        self._mesh_estimator = mesh_estimator
        self._embedders = tuple(embedders)

    def encode(self, image: Image) -> FaceTemplate:
        """Return the template of the one face that `image` must show.

        Raises:
            FaceError: it does not show one usable face, see `FaceDetector.find_upright`.
        """
        face = self._detector.find_upright(image)
        return self.encode_face(image, self.estimate_mesh(image, face))

    def estimate_mesh(self, image: Image, face: Face) -> Mesh:
        """Return the mesh of a face that was found in `image`, after a second look."""
        mesh = self._mesh_estimator.estimate(image, face.box)
        return self._mesh_estimator.look_again(image, mesh)

    def encode_face(self, image: Image, mesh: Mesh, *, weight: float = 1.0) -> FaceTemplate:
        """Return the template of a face that was found in `image`.

        The mesh places the five points better than the detector does: at an FMR of 1e-4 that takes
        a third of the non-matches away (models/sface.md). Each embedding is of the crop and its
        mirror image.

        Args:
            image: the picture.
            mesh: the face's mesh, from `estimate_mesh`.
            weight: how much the picture counts in a mean of several.
        """
        embeddings = {}
        for embedder in self._embedders:
            crop = embedder.align(image, mesh.five_points)
            embeddings[embedder.name] = embedder.embed(crop, np.ascontiguousarray(crop[:, ::-1]))
        return FaceTemplate(embeddings, weight)
