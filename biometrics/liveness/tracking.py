"""Follow the one face from frame to frame by its mesh.

The mesh of one frame tells where to look in the next, as MediaPipe does it; that costs a fifth of a
detection. The detector looks at the whole picture in every third frame, so that whoever steps into
it is noticed, and whenever the mesh is lost.
"""

from typing import Final

import numpy as np

from biometrics.detection import FaceDetector, check_place, check_pose, select_one
from biometrics.landmarks import Mesh, MeshEstimator
from biometrics.types import Box, Face, Image

LOOK_EVERY: Final = 3
"""Frames from one look at the whole picture to the next: 300 ms at 10 frames a second."""
MIN_PRESENCE: Final = 0.5
"""A crop that shows a face less probably shows none: the detector must look. On 745 pictures of
LFW's fold 1 the lowest was 0.985."""
STEADY: Final = 0.08
"""A mesh that lies further from the one before it, in parts of its side, was found near the edge
of its crop: it is looked for again around itself."""
SAME_FACE: Final = 0.35
"""A detection this near to the mesh, in sides of its box, is of the same face."""
MIN_SIDE_RATIO: Final = 0.7
"""...with its side no less than this part of the other's."""

OFFSET_SCALE: Final = 0.79
"""The detector's nose offset for one by the mesh: the operating point `turn` was found with the
detector's. Its regression on the mesh's over 745 pictures of LFW's fold 1, turned as they come;
r = 0.95. Within the turns of 12 rendered heads: 0.73 in the mean, 0.58 to 0.94."""
BOX_WIDTH: Final = 0.974
BOX_HEIGHT: Final = 1.095
BOX_RISE: Final = 0.055
"""The detector's box by the mesh's extent, and how far its middle lies higher in parts of that
height: means of the same 745 pictures; standard deviations 0.035, 0.042, 0.023."""


class FaceTracker:
    """Finds the face of each frame of one capture."""

    def __init__(self, detector: FaceDetector, mesh_estimator: MeshEstimator) -> None:
        self._detector = detector
        self._mesh_estimator = mesh_estimator
        self.forget()

    def forget(self) -> None:
        """Look at the whole of the next picture: there is nothing to follow."""
        self._mesh: Mesh | None = None
        self._shape: tuple[int, ...] = ()
        self._score = 0.0
        self._frames_since_look = 0

    def find(self, image: Image) -> tuple[Face, Mesh]:
        """Return the one face of the next frame, as the mesh shows it, and the mesh.

        Raises:
            FaceError: there is no usable face, or another one besides.
        """
        followed = self._mesh if self._shape == image.shape else None
        frames_since_look = self._frames_since_look + 1
        score = self._score
        self.forget()
        mesh = self._follow(image, followed) if followed else None
        if mesh is not None and frames_since_look >= LOOK_EVERY:
            seen = select_one(self._detector.detect(image), self._detector.limits)
            frames_since_look, score = 0, seen.score
            if not is_same_face(seen.box, box_of(mesh)):
                mesh = None
        if mesh is None:
            seen = self._detector.find_one(image)
            frames_since_look, score = 0, seen.score
            mesh = self._mesh_estimator.estimate(image, seen.box)
            mesh = self._mesh_estimator.look_again(image, mesh)
        face = Face(box_of(mesh), mesh.five_points, score)
        check_pose(face, self._detector.limits)
        check_place(face, image.shape[1], image.shape[0], self._detector.limits)
        self._mesh, self._shape = mesh, image.shape
        self._score, self._frames_since_look = score, frames_since_look
        return face, mesh

    def _follow(self, image: Image, before: Mesh) -> Mesh | None:
        mesh = self._mesh_estimator.look_again(image, before)
        if _shift(before, mesh) > STEADY:
            mesh = self._mesh_estimator.look_again(image, mesh)
        return mesh if mesh.presence >= MIN_PRESENCE else None


def offset_of(mesh: Mesh) -> float:
    """Return how far the nose lies from the eyes' middle, as the detector would measure it.

    In eye distances; positive when the head is turned to the subject's left.
    """
    return OFFSET_SCALE * mesh.five_points.nose_offset


def box_of(mesh: Mesh) -> Box:
    """Return the box that the detector would draw around the face."""
    low, high = mesh.points[:, :2].min(axis=0), mesh.points[:, :2].max(axis=0)
    (cx, cy), (width, height) = (low + high) / 2, high - low
    cy -= BOX_RISE * height
    half_width, half_height = BOX_WIDTH * width / 2, BOX_HEIGHT * height / 2
    corners = cx - half_width, cy - half_height, cx + half_width, cy + half_height
    return Box(*(float(value) for value in corners))


def _shift(before: Mesh, after: Mesh) -> float:
    """Return how far the mesh's middle moved, in parts of its side."""
    low, high = after.points[:, :2].min(axis=0), after.points[:, :2].max(axis=0)
    old_low, old_high = before.points[:, :2].min(axis=0), before.points[:, :2].max(axis=0)
    side = float((old_high - old_low).max())
    moved = float(np.linalg.norm((low + high) - (old_low + old_high))) / 2
    return moved / side if side > 0 else np.inf


def is_same_face(seen: Box, followed: Box) -> bool:
    """Return whether a detection is of the face that the mesh follows, by place and size."""
    apart = np.subtract(seen.center, followed.center)
    smaller, larger = sorted((seen.side, followed.side))
    return bool(np.linalg.norm(apart) <= SAME_FACE * larger and smaller >= MIN_SIDE_RATIO * larger)
