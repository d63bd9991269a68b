"""What a face must be like to be used: limits from the manifest, applied one by one."""

from dataclasses import dataclass
from functools import cache
from typing import Final, Self

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
    """Least part of the face's box that lies in the picture."""

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

    Raises:
        FaceTooSmallError, FaceTiltedError, FaceSidewaysError, FaceUpsideDownError.
    """
    limits = limits or project_limits()
    if not face.points.interocular_px >= limits.interocular_px:
        raise FaceTooSmallError("the face is too small in the picture: come closer")
    roll = abs(face.points.roll_deg)
    if roll >= _UPSIDE_DOWN_ROLL_DEG:
        raise FaceUpsideDownError("the face is upside down: turn the picture")
    if roll >= _SIDEWAYS_ROLL_DEG:
        raise FaceSidewaysError("the face lies on its side: turn the picture")
    if not roll <= limits.roll_deg:
        raise FaceTiltedError("the face is tilted: hold the head upright")


def check_place(face: Face, width: int, height: int, limits: DetectionLimits | None = None) -> None:
    """Check that the face lies within a picture of `width` x `height` pixels.

    Raises:
        FaceTooNearError: it reaches out on opposite sides.
        FaceCutOffError: one of the five points, or too much of the box, lies outside.
    """
    limits = limits or project_limits()
    box = face.box
    across = max(0.0, min(box.x2, width) - max(box.x1, 0.0))
    down = max(0.0, min(box.y2, height) - max(box.y1, 0.0))
    points = face.points.to_array()
    points_inside = bool(((points >= 0) & (points <= (width, height))).all())
    if points_inside and across * down >= limits.inside * box.width * box.height:
        return
    if (box.x1 < 0 and box.x2 > width) or (box.y1 < 0 and box.y2 > height):
        raise FaceTooNearError("the face is larger than the picture: step back")
    raise FaceCutOffError("a part of the face lies outside the picture: move to the middle")
