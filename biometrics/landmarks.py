"""Estimate the 468-point face mesh."""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from biometrics.onnx import Model
from biometrics.types import Box, FloatArray, Image

INPUT_PX: Final = 192
CROP_SCALE: Final = 1.5
POINTS: Final = 468
RIGHT_OUTER_EYE_CORNER: Final = 33
LEFT_OUTER_EYE_CORNER: Final = 263


@dataclass(frozen=True)
class Mesh:
    """The mesh of one face."""

    points: FloatArray = field(repr=False)
    """468 x 3: x, y in pixels of the picture; z in the same unit, smaller is nearer."""
    presence: float
    """Probability that the crop shows a face, 0-1."""

    @property
    def eye_corner_px(self) -> float:
        """Return the distance of the outer eye corners, in the picture's plane."""
        span = self.points[LEFT_OUTER_EYE_CORNER, :2] - self.points[RIGHT_OUTER_EYE_CORNER, :2]
        return float(np.linalg.norm(span))


class MeshEstimator:
    """MediaPipe's face mesh on an upright square crop, 1.5 x the face box."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def estimate(self, image: Image, box: Box) -> Mesh:
        """Return the mesh of the face in `box`."""
        scale = INPUT_PX / (box.side * CROP_SCALE)
        cx, cy = box.center
        shift_x, shift_y = INPUT_PX / 2 - cx * scale, INPUT_PX / 2 - cy * scale
        matrix = np.array([[scale, 0, shift_x], [0, scale, shift_y]], dtype=np.float32)
        crop = cv2.warpAffine(image, matrix, (INPUT_PX, INPUT_PX), flags=cv2.INTER_LINEAR)
        blob = crop[None, :, :, ::-1].astype(np.float32) / np.float32(255)
        outputs = self._model.run(blob)
        points = next(o for o in outputs.values() if o.size == POINTS * 3).reshape(POINTS, 3)
        presence = next(o for o in outputs.values() if o.size == 1).item()
        points = (points - np.array([shift_x, shift_y, 0], dtype=np.float32)) / scale
        return Mesh(points.astype(np.float32), presence)
