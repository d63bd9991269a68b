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


def align(
    image: Image,
    points: FivePoints,
    template: FloatArray = TEMPLATE,
    size: tuple[int, int] = (SIZE_PX, SIZE_PX),
) -> Image:
    """Return the BGR crop in which `points` lie on the template, to a fraction of a pixel.

    Where the face is much larger than the crop, the picture is first halved, by areas, as often as
    leaves it larger still: otherwise most of its pixels would have no part in the crop.

    Args:
        image: the picture.
        points: five points in it.
        template: 5 x 2, where they come to lie in the crop.
        size: width and height of the crop in pixels.
    """
    matrix = estimate_similarity(points.to_array(), template)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if 0 < scale <= 0.5:
        image, matrix = _halve(image, matrix, int(-np.log2(scale)), size)
    crop = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
    return np.asarray(crop, dtype=np.uint8)


def _halve(
    image: Image, matrix: FloatArray, times: int, size: tuple[int, int]
) -> tuple[Image, FloatArray]:
    """Return what the crop needs of the picture, halved so many times, and the map from there."""
    width, height = size
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)], dtype=np.float32)
    back = cv2.invertAffineTransform(matrix)
    needed = corners @ back[:, :2].T + back[:, 2]
    factor = 2**times
    limits = np.array(image.shape[1::-1])
    low = np.clip(np.floor(needed.min(axis=0)) - factor, 0, limits).astype(int)
    high = np.clip(np.ceil(needed.max(axis=0)) + factor, 0, limits).astype(int)
    high -= (high - low) % factor
    if (high <= low).any():
        return image, matrix
    part = image[low[1] : high[1], low[0] : high[0]]
    small_size = (part.shape[1] // factor, part.shape[0] // factor)
    small = np.asarray(cv2.resize(part, small_size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    # The middle of a small pixel is the middle of the block that it is the mean of.
    inner = factor * np.eye(2, dtype=np.float32)
    shift = low + (factor - 1) / 2
    moved = np.hstack([matrix[:, :2] @ inner, (matrix[:, :2] @ shift + matrix[:, 2])[:, None]])
    return small, moved.astype(np.float32)
