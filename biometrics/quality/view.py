"""The aligned crop with the mesh laid on it: where brow, eyes, nose, mouth and skin are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.alignment import TEMPLATE, estimate_similarity
from biometrics.landmarks import Mesh
from biometrics.types import Face, FloatArray, Image

# Points of MediaPipe's mesh; right and left are the subject's.
RIGHT_ORBIT: Final = (
    *(226, 113, 225, 224, 223, 222, 221, 244, 112, 26, 22, 23, 24, 110, 25, 31),
    *(228, 229, 230, 231, 232),
)
"""Skin around the eye, where the lens of a pair of glasses sits."""
LEFT_ORBIT: Final = (
    *(446, 342, 445, 444, 443, 442, 441, 464, 341, 256, 252, 253, 254, 339, 255, 261),
    *(448, 449, 450, 451, 452),
)
RIGHT_UNDER_EYE: Final = (118, 119, 100, 230, 229, 231)
LEFT_UNDER_EYE: Final = (347, 348, 329, 450, 449, 451)
RIGHT_CHEEK: Final = (50, 205, 117, 118, 36, 187, 147)
LEFT_CHEEK: Final = (280, 425, 346, 347, 266, 411, 376)
RIGHT_SIDE: Final = (*RIGHT_CHEEK, *RIGHT_UNDER_EYE, 207, 216, 214, 192, 212)
LEFT_SIDE: Final = (*LEFT_CHEEK, *LEFT_UNDER_EYE, 427, 436, 434, 416, 432)
NOSE_BRIDGE: Final = (6, 197, 195, 5, 4)
FOREHEAD: Final = (9, 151, 108, 337)
MOUTH: Final = (61, 291, 0, 17, 37, 267, 84, 314)
NOSE_TIP: Final = (98, 327, 2, 1, 5, 64, 294)
RIGHT_MOUTH_CORNER: Final = 78
LEFT_MOUTH_CORNER: Final = 308
UPPER_LIP: Final = 0
LOWER_LIP: Final = 17


@dataclass(frozen=True)
class FaceView:
    """One face in the position of the aligned crop."""

    crop: Image = field(repr=False)
    """112 x 112 BGR."""
    points: FloatArray = field(repr=False)
    """468 x 2 mesh points in pixels of the crop."""

    @classmethod
    def of(cls, aligned: Image, face: Face, mesh: Mesh) -> "FaceView":
        """Return the view of a face whose crop is `biometrics.alignment.align`'s."""
        matrix = estimate_similarity(face.points.to_array(), TEMPLATE)
        points = mesh.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        # A mesh far outside the crop can't be sampled there; its place doesn't matter any more.
        return cls(aligned, points.clip(-1000, 1000).astype(np.float32))

    @cached_property
    def gray(self) -> Image:
        """Return the luminance, 0-255: ITU-R BT.601 luma as stored, not linear light."""
        return np.asarray(cv2.cvtColor(self.crop, cv2.COLOR_BGR2GRAY), dtype=np.uint8)

    @cached_property
    def face_mask(self) -> Image:
        """Return 1 inside the convex hull of the mesh, else 0; never empty."""
        return self.zone(range(len(self.points)))

    @cached_property
    def histogram(self) -> FloatArray:
        """Return the part of the face's pixels at each of 256 levels."""
        return distribution(self.gray, self.face_mask)

    @cached_property
    def contrast(self) -> float:
        """Return the span of the middle four fifths of the face's levels, at least 15."""
        return max(self.percentile(90) - self.percentile(10), 15.0)

    @cached_property
    def horizontal_edges(self) -> FloatArray:
        """Return the strength of changes along y."""
        return np.abs(cv2.Sobel(self.gray, cv2.CV_32F, 0, 1)).astype(np.float32)

    @cached_property
    def vertical_edges(self) -> FloatArray:
        """Return the strength of changes along x."""
        return np.abs(cv2.Sobel(self.gray, cv2.CV_32F, 1, 0)).astype(np.float32)

    @cached_property
    def _levels(self) -> list[float]:
        """Return the luminance at each mesh point, averaged over 5 x 5 pixels."""
        smooth = np.asarray(cv2.blur(self.gray, (5, 5)), dtype=np.uint8)
        levels: list[float] = sample(smooth, self.points).tolist()
        return levels

    def percentile(self, percent: float) -> float:
        """Return the level that `percent` of the face's pixels don't exceed."""
        return percentiles(self.histogram, percent)[0]

    def zone(self, indices: Sequence[int]) -> Image:
        """Return 1 inside the convex hull of these mesh points, else 0; never empty."""
        mask = np.zeros(self.crop.shape[:2], dtype=np.uint8)
        corners = np.round(self.points[list(indices)]).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(corners), 1)
        if not mask.any():
            mask[:] = 1
        return mask

    def level(self, *groups: Sequence[int]) -> float:
        """Return the median luminance at mesh points."""
        return median(self._levels[i] for group in groups for i in group)

    def mean_level(self, indices: Sequence[int]) -> float:
        """Return the mean luminance at mesh points."""
        return sum(self._levels[i] for i in indices) / len(indices)


def distribution(gray: Image, mask: Image | None = None) -> FloatArray:
    """Return the part of the pixels (where `mask` is not 0) at each of 256 levels."""
    counts = cv2.calcHist([gray], [0], mask, [256], [0, 256]).ravel()
    return np.asarray(counts / max(float(counts.sum()), 1.0), dtype=np.float32)


def percentiles(histogram: FloatArray, *percents: float) -> list[float]:
    """Return the levels that these percents of the pixels don't exceed."""
    cumulative = np.cumsum(histogram, dtype=np.float64)
    shares = np.array(percents) / 100 * cumulative[-1]
    return [float(level) for level in np.searchsorted(cumulative, shares)]


def sample(picture: NDArray[np.uint8], points: FloatArray) -> FloatArray:
    """Return the values at N x 2 points, by bilinear interpolation."""
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    values = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, dtype=np.float32).ravel()
