"""The colours of face and background in one frame: what the light of the screen changes."""

import math
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from biometrics.landmarks import Mesh
from biometrics.types import Face, FloatArray, Image

SKIN: Final = (9, 151, 195, 101, 330, 205, 425)
"""Points of the mesh on forehead, nose bridge and the inner cheeks: skin that a turn of the head
does not hide, where neither beard nor brow nor lip lies."""
PATCH: Final = 0.06
"""Half a side of the square that is averaged around a point, in outer-eye-corner distances."""
BRIGHT: Final = 250
DARK: Final = 20
STRIP: Final = 0.2
"""The background is seen left and right, in strips of this part of the picture's width..."""
HEAD_MARGIN: Final = 0.35
"""...but no nearer to the face than this part of its width, where hair and ears are, and above the
chin, below which there are shoulders."""
MIN_STRIP_PX: Final = 8


@dataclass(frozen=True)
class FrameColours:
    """What light reached face and background."""

    face_bgr: FloatArray = field(repr=False)
    """3 values, 0-255: mean of the skin between eyes and mouth (cheeks, nose bridge, forehead);
    NaN where the face lies outside of the frame."""
    background_bgr: FloatArray = field(repr=False)
    """3 values, 0-255: mean of the frame away from head and body; NaN where there is none."""
    clipped: float
    """Part of the face's pixels with a channel at 250 or above, 0-1."""
    dark: float
    """Part of the face's pixels with all channels at 20 or below, 0-1."""


def measure_colours(image: Image, face: Face, mesh: Mesh) -> FrameColours:
    """Return the colours of skin and background, averaged over areas.

    Args:
        image: the frame.
        face: where the face is; its box bounds the head, together with the mesh.
        mesh: the face's mesh in the frame's pixels.
    """
    skin = _skin(image, mesh)
    background = _background(image, face, mesh)
    if not len(skin):
        return FrameColours(np.full(3, np.nan, np.float32), background, 1.0, 1.0)
    return FrameColours(
        face_bgr=skin.mean(axis=0, dtype=np.float32),
        background_bgr=background,
        clipped=float((skin.max(axis=1) >= BRIGHT).mean()),
        dark=float((skin.max(axis=1) <= DARK).mean()),
    )


def _skin(image: Image, mesh: Mesh) -> Image:
    """Return the pixels of the patches as N x 3, none if all lie outside."""
    half = max(1, round(mesh.eye_corner_px * PATCH)) if math.isfinite(mesh.eye_corner_px) else 1
    patches = []
    for x, y in np.nan_to_num(mesh.points[list(SKIN), :2], nan=-1e6).astype(int).tolist():
        patch = image[
            max(0, y - half) : max(0, y + half + 1), max(0, x - half) : max(0, x + half + 1)
        ]
        patches.append(patch.reshape(-1, 3))
    return np.concatenate(patches)


def _background(image: Image, face: Face, mesh: Mesh) -> FloatArray:
    height, width = image.shape[:2]
    low, high = mesh.points[:, :2].min(axis=0), mesh.points[:, :2].max(axis=0)
    left, right = min(float(low[0]), face.box.x1), max(float(high[0]), face.box.x2)
    margin = (right - left) * HEAD_MARGIN
    bottom = min(height, max(0.0, min(float(high[1]), face.box.y2)))
    strip = width * STRIP
    spans = ((0.0, min(strip, left - margin)), (max(width - strip, right + margin), float(width)))
    total, area = np.zeros(3), 0
    for start, stop in spans:
        if stop - start >= MIN_STRIP_PX and bottom >= MIN_STRIP_PX:
            part = image[: int(bottom), int(start) : int(stop)]
            pixels = part.shape[0] * part.shape[1]
            total += np.array(cv2.mean(part)[:3]) * pixels
            area += pixels
    return np.asarray(total / area if area else np.full(3, np.nan), dtype=np.float32)
