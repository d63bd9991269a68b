"""Look at every frame of a capture once: decode, detect, align, mesh.

What a frame shows is kept, its pixels are not; so memory stays small however long the capture is.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from biometrics.alignment import align
from biometrics.detection import FaceDetector, FaceError
from biometrics.image import MAX_FRAME_PIXELS, ImageError, decode_image
from biometrics.landmarks import Mesh, MeshEstimator
from biometrics.types import Face, FrameSample, Image

MAX_FRAMES: Final = 300


@dataclass(frozen=True)
class Sighting:
    """The one usable face of a frame."""

    face: Face = field(repr=False)
    mesh: Mesh = field(repr=False)
    aligned: Image = field(repr=False)
    """112 x 112 BGR crop for the embedding."""


@dataclass(frozen=True)
class Observation:
    """What one frame showed."""

    index: int
    """Position in the capture."""
    t_ms: float
    size: tuple[int, int] | None
    """Width and height in pixels; None if it could not be decoded."""
    pixel_sha256: bytes = field(repr=False)
    """Digest of the decoded pixels; empty if they could not be decoded."""
    sighting: Sighting | None = field(repr=False)
    fault: str | None
    """Reason code of why there is no sighting."""


class FrameObserver:
    """Detector and mesh applied to frames."""

    def __init__(self, detector: FaceDetector, mesh_estimator: MeshEstimator) -> None:
        self._detector = detector
        self._mesh_estimator = mesh_estimator

    def observe_all(self, frames: Sequence[FrameSample]) -> list[Observation]:
        """Observe the first `MAX_FRAMES` + 1 frames: one too many shows that there are more."""
        return [self.observe(i, frame) for i, frame in enumerate(frames[: MAX_FRAMES + 1])]

    def observe(self, index: int, frame: FrameSample) -> Observation:
        """Observe one frame. What is wrong with it is a fault in the result, never dropped."""
        size, digest = None, b""
        try:
            image = decode_frame(frame)
            size = image.shape[1], image.shape[0]
            digest = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()
            face = self._detector.find_one(image)
            mesh = self._mesh_estimator.estimate(image, face.box)
            sighting = Sighting(face, mesh, align(image, face.points))
        except (ImageError, FaceError) as error:
            return Observation(index, frame.t_ms, size, digest, None, error.code)
        return Observation(index, frame.t_ms, size, digest, sighting, None)


def decode_frame(frame: FrameSample) -> Image:
    """Return the frame's pixels.

    Raises:
        ImageError: they cannot be decoded or are no picture.
    """
    picture = frame.picture
    if isinstance(picture, bytes):
        return decode_image(picture, max_pixels=MAX_FRAME_PIXELS)
    usable = picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    if not usable or not 0 < math.prod(picture.shape[:2]) <= MAX_FRAME_PIXELS:
        raise ImageError("a frame must be H x W x 3 pixels of 8 bits, within the size limit")
    return picture
