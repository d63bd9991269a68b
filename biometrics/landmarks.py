"""Estimate the 468-point face mesh."""

import math
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from biometrics.onnx import Model
from biometrics.types import Box, FivePoints, FloatArray, Image

INPUT_PX: Final = 192
CROP_SCALE: Final = 1.5
POINTS: Final = 468
RIGHT_OUTER_EYE_CORNER: Final = 33
LEFT_OUTER_EYE_CORNER: Final = 263
RIGHT_EYE: Final = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
"""Rim of the eye, from its outer corner over the upper lid and back along the lower."""
LEFT_EYE: Final = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
NOSE_TIP: Final = 1
RIGHT_MOUTH_CORNER: Final = 61
LEFT_MOUTH_CORNER: Final = 291


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

    @property
    def five_points(self) -> FivePoints:
        """Return eye centres, nose tip and mouth corners, steadier than the detector's."""
        flat = self.points[:, :2]
        eyes = (flat[list(rim)].mean(axis=0) for rim in (RIGHT_EYE, LEFT_EYE))
        rest = (flat[i] for i in (NOSE_TIP, RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER))
        return FivePoints(*((float(x), float(y)) for x, y in (*eyes, *rest)))


class MeshEstimator:
    """MediaPipe's face mesh on an upright square crop, 1.5 x the face box."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def estimate(self, image: Image, box: Box) -> Mesh:
        """Return the mesh of the face in `box`."""
        return self._look(image, _square(box.center, box.side * CROP_SCALE, 0.0))

    def look_again(self, image: Image, mesh: Mesh) -> Mesh:
        """Return the mesh as a second look finds it, in a crop that the first made upright."""
        flat = mesh.points[:, :2]
        across = flat[LEFT_OUTER_EYE_CORNER] - flat[RIGHT_OUTER_EYE_CORNER]
        roll = math.atan2(float(across[1]), float(across[0]))
        upright = flat @ _rotation(roll).T
        low, high = upright.min(axis=0), upright.max(axis=0)
        cx, cy = _rotation(-roll) @ ((low + high) / 2)
        side = float((high - low).max()) * CROP_SCALE
        return self._look(image, _square((float(cx), float(cy)), side, roll))

    def _look(self, image: Image, to_crop: FloatArray) -> Mesh:
        """Run the model on the crop that the 2 x 3 similarity `to_crop` cuts out."""
        crop = cv2.warpAffine(image, to_crop, (INPUT_PX, INPUT_PX), flags=cv2.INTER_LINEAR)
        blob = crop[None, :, :, ::-1].astype(np.float32) / np.float32(255)
        outputs = self._model.run(blob)
        points = next(o for o in outputs.values() if o.size == POINTS * 3).reshape(POINTS, 3)
        presence = next(o for o in outputs.values() if o.size == 1).item()
        back = cv2.invertAffineTransform(to_crop)
        flat = points[:, :2] @ back[:, :2].T + back[:, 2]
        depth = points[:, 2:] / math.hypot(*to_crop[:, 0])
        return Mesh(np.hstack([flat, depth]).astype(np.float32), presence)


def _rotation(angle: float) -> FloatArray:
    """Return the 2 x 2 matrix that levels a line at this angle, radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, sin], [-sin, cos]], dtype=np.float32)


def _square(center: tuple[float, float], side_px: float, roll: float) -> FloatArray:
    """Return the 2 x 3 map from the picture to the model's crop of a square, rolled by radians."""
    turn = _rotation(roll) * np.float32(INPUT_PX / side_px)
    shift = INPUT_PX / 2 - turn @ np.array(center, dtype=np.float32)
    return np.hstack([turn, shift[:, None]]).astype(np.float32)
