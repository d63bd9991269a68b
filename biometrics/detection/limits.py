"""What a face must be like to be used: limits from the manifest, applied one by one."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import cv2
import numpy as np

from biometrics.detection.errors import (
    FaceCutOffError,
    FaceMissingError,
    FaceSidewaysError,
    FaceTiltedError,
    FaceTooNearError,
    FaceTooSmallError,
    FaceUpsideDownError,
    SeveralFacesError,
)
from biometrics.manifest import ModelEntry, load_manifest
from biometrics.types import Face

_SIDEWAYS_ROLL_DEG: Final = 45.0
_UPSIDE_DOWN_ROLL_DEG: Final = 135.0
"""Half-way between the quarter turns: they choose the words, not the refusal."""

EYES_TO_MOUTH: Final = 1.15
"""Distance from eyes to mouth by the one between the eyes, in a face from the front: that of the
ArcFace template."""
TURNED_AWAY: Final = 0.65
"""From about 50 degrees on the eyes seem this much closer together: the cosine."""


@dataclass(frozen=True)
class DetectionLimits:
    """Operating points of the manifest's detector."""

    score: float
    """From this detection score on, a face is there."""
    clear: float
    """From this score on, after the second look, the face is clear enough for a comparison."""
    nms: float
    """Boxes that overlap more are one face."""
    rival: float
    """A second face counts from this part of the first one's side."""
    interocular_px: float
    """Least distance of the eyes."""
    roll_deg: float
    """Largest roll to either side."""
    inside: float
    """Least part of the square for the embedding that lies in the picture."""

    @classmethod
    def of(cls, entry: ModelEntry) -> Self:
        """Read them from the detector's entry.

        Raises:
            ManifestInvalidError: one is missing.
        """
        return cls(
            score=entry.threshold("score"),
            clear=entry.threshold("clear"),
            nms=entry.threshold("nms"),
            rival=entry.threshold("rival"),
            interocular_px=entry.threshold("interocular"),
            roll_deg=entry.threshold("roll"),
            inside=entry.threshold("inside"),
        )


@cache
def project_limits() -> DetectionLimits:
    """Return the limits of the project's own manifest."""
    return DetectionLimits.of(load_manifest().model("yunet"))


def select_one(faces: list[Face], limits: DetectionLimits | None = None) -> Face:
    """Return the only face that counts among `faces`, the largest first.

    Args:
        faces: what was detected.
        limits: those of the project's manifest unless given.

    Raises:
        FaceMissingError, SeveralFacesError.
    """
    limits = limits or project_limits()
    if not faces:
        raise FaceMissingError("no face was found in the picture")
    first = faces[0]
    if any(face.box.side >= limits.rival * first.box.side for face in faces[1:]):
        raise SeveralFacesError("the picture shows more than one face")
    return first


def check_pose(face: Face, limits: DetectionLimits | None = None) -> None:
    """Check size and roll of a face whose points are refined.

    A head turned far to the side brings its eyes together and says little about its roll by them:
    its size is then that of the distance from eyes to mouth, and only quarter turns are refused
    here. That it is turned too far, or tilted, is for quality to say, by the mesh.

    Raises:
        FaceTooSmallError, FaceTiltedError, FaceSidewaysError, FaceUpsideDownError.
    """
    limits = limits or project_limits()
    points = face.points
    length = points.eyes_to_mouth_px / EYES_TO_MOUTH
    if not max(points.interocular_px, length) >= limits.interocular_px:
        raise FaceTooSmallError("the face is too small in the picture: come closer")
    roll = abs(points.roll_deg)
    if roll >= _UPSIDE_DOWN_ROLL_DEG:
        raise FaceUpsideDownError("the face is upside down: turn the picture")
    if roll >= _SIDEWAYS_ROLL_DEG:
        raise FaceSidewaysError("the face lies on its side: turn the picture")
    is_turned_away = points.interocular_px < TURNED_AWAY * length
    if not roll <= limits.roll_deg and not is_turned_away:
        raise FaceTiltedError("the face is tilted: hold the head upright")


def check_place(face: Face, width: int, height: int, limits: DetectionLimits | None = None) -> None:
    """Check that the face lies within a picture of `width` x `height` pixels.

    The detector's box shrinks to what is visible of a face, so the points tell where the rest is.

    Raises:
        FaceTooNearError: it reaches out on opposite sides.
        FaceCutOffError: one of the five points, or too much of the face, lies outside.
    """
    limits = limits or project_limits()
    (cx, cy), side, roll_deg = aligned_square(face)
    picture = ((width / 2, height / 2), (float(width), float(height)), 0.0)
    _, corners = cv2.rotatedRectangleIntersection(((cx, cy), (side, side), roll_deg), picture)
    seen = cv2.contourArea(cv2.convexHull(corners)) if corners is not None else 0.0
    points = face.points.to_array()
    points_inside = bool(((points >= 0) & (points <= (width, height))).all())
    if points_inside and side > 0 and seen >= limits.inside * side * side:
        return
    reach = side / 2
    if (cx < reach and cx + reach > width) or (cy < reach and cy + reach > height):
        raise FaceTooNearError("the face is larger than the picture: step back")
    raise FaceCutOffError("a part of the face lies outside the picture: move to the middle")


def aligned_square(face: Face) -> tuple[tuple[float, float], float, float]:
    """Return centre, side and roll of the square that alignment cuts out for an embedding.

    From the line between eyes and mouth, which a turned head does not shorten. In ArcFace's
    112 x 112 template the middle of the eyes is at y 51.6 and that of the mouth at y 92.3.
    """
    right_eye, left_eye, _, right_mouth, left_mouth = face.points.to_array().astype(float)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    down = (mouth - eyes) / (92.3 - 51.6)
    x, y = eyes + down * (112 / 2 - 51.6)
    roll_deg = math.degrees(math.atan2(down[1], down[0])) - 90
    return (float(x), float(y)), 112 * float(np.hypot(*down)), roll_deg
