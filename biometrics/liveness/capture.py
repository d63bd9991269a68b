"""Look at every frame of a capture once: decode, detect, follow by the mesh, align.

What a frame shows is kept, its pixels are not; so memory stays small however long the capture is.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.alignment import align
from biometrics.detection import FaceDetector, FaceError
from biometrics.image import MAX_FRAME_PIXELS, ImageError, decode_image
from biometrics.landmarks import Mesh, MeshEstimator
from biometrics.liveness.colours import FrameColours, measure_colours
from biometrics.liveness.tracking import FaceTracker, offset_of
from biometrics.types import Face, FrameSample, Image

MAX_FRAMES: Final = 480
"""Sixteen seconds, a challenge at slow pace, at 30 frames a second; what comes after is counted
and not looked at."""
THUMBNAIL_PX: Final = (64, 48)

GrayImage: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Sighting:
    """The one usable face of a frame."""

    face: Face = field(repr=False)
    """Points and box by the mesh, the same way in every frame; the detector's latest score."""
    mesh: Mesh = field(repr=False)
    aligned: Image = field(repr=False)
    """112 x 112 BGR crop for the embedding."""
    colours: FrameColours = field(repr=False)
    nose_offset: float = field(repr=False)
    """By the mesh, in the detector's measure: see `tracking.offset_of`."""


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
    thumbnail: GrayImage | None = field(repr=False)
    """48 x 64: the whole frame in gray, area-averaged; None if it could not be decoded."""
    sighting: Sighting | None = field(repr=False)
    fault: str | None
    """Reason code of why there is no sighting."""


class FrameObserver:
    """Detector and mesh, to be applied to captures."""

    def __init__(self, detector: FaceDetector, mesh_estimator: MeshEstimator) -> None:
        self._detector = detector
        self._mesh_estimator = mesh_estimator

    def open(self) -> "CaptureObserver":
        """Return an observer for the frames of one capture."""
        return CaptureObserver(FaceTracker(self._detector, self._mesh_estimator))

    def observe_all(self, frames: Sequence[FrameSample]) -> list[Observation]:
        """Observe the first `MAX_FRAMES` + 1 frames: one too many shows that there are more."""
        capture = self.open()
        return [capture.observe(frame) for frame in frames[: MAX_FRAMES + 1]]


class CaptureObserver:
    """Observes the frames of one capture as they arrive. Not for use by several threads."""

    image: Image | None = None
    """Pixels of the frame observed last; None if they could not be decoded."""

    def __init__(self, tracker: FaceTracker) -> None:
        self._tracker = tracker
        self._count = 0

    def observe(self, frame: FrameSample) -> Observation:
        """Observe the next frame. What is wrong with it is a fault in the result, never dropped."""
        index, self._count = self._count, self._count + 1
        self.image = None
        if index >= MAX_FRAMES:
            return Observation(index, frame.t_ms, None, b"", None, None, "too-many-frames")
        try:
            image = self.image = decode_frame(frame)
        except ImageError as error:
            self._tracker.forget()
            return Observation(index, frame.t_ms, None, b"", None, None, error.code)
        size = image.shape[1], image.shape[0]
        digest = hashlib.sha256(repr(image.shape).encode())
        digest.update(np.ascontiguousarray(image).data)
        seen = index, frame.t_ms, size, digest.digest(), _thumbnail(image)
        try:
            face, mesh = self._tracker.find(image)
        except FaceError as error:
            return Observation(*seen, None, error.code)
        sighting = Sighting(
            face,
            mesh,
            align(image, face.points),
            measure_colours(image, face, mesh),
            offset_of(mesh),
        )
        return Observation(*seen, sighting, None)


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


def _thumbnail(image: Image) -> GrayImage:
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(gray, THUMBNAIL_PX, interpolation=cv2.INTER_AREA), dtype=np.uint8)
