"""Bring a face to the position that embedding models expect."""

from typing import Final

import cv2
import numpy as np

from biometrics.types import FivePoints, FloatArray, Image

SIZE_PX: Final = 112
TEMPLATE: Final = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ],
    dtype=np.float32,
)
"""ArcFace's 112 x 112 template in the order of `FivePoints`. Source: models/sface.md."""


def estimate_similarity(source: FloatArray, target: FloatArray) -> FloatArray:
    """Return the 2 x 3 similarity that maps N x 2 `source` on `target` with least squares.

    Source: Umeyama, "Least-squares estimation of transformation parameters", 1991, eq. 40-42.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centered_source, centered_target = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(centered_target.T @ centered_source / len(source))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    rotation = (u * sign) @ vt
    variance = float((centered_source**2).sum() / len(source))
    scale = float(singular @ sign) / variance if variance > 0 else 0.0
    shift = target_mean - scale * rotation @ source_mean
    return np.hstack([scale * rotation, shift[:, None]]).astype(np.float32)


def align(image: Image, points: FivePoints) -> Image:
    """Return the 112 x 112 BGR crop in which `points` lie on the template."""
    matrix = estimate_similarity(points.to_array(), TEMPLATE)
    crop = cv2.warpAffine(image, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, dtype=np.uint8)
