"""Find faces and their five points, and pick the one that counts."""

from biometrics.detection.detector import FaceDetector
from biometrics.detection.errors import (
    FaceCutOffError,
    FaceError,
    FaceMissingError,
    FaceSidewaysError,
    FaceTiltedError,
    FaceTooNearError,
    FaceTooSmallError,
    FaceUnclearError,
    FaceUpsideDownError,
    ImageTooSmallError,
    SeveralFacesError,
)
from biometrics.detection.limits import DetectionLimits, check_place, check_pose, select_one

__all__ = [
    "DetectionLimits",
    "FaceCutOffError",
    "FaceDetector",
    "FaceError",
    "FaceMissingError",
    "FaceSidewaysError",
    "FaceTiltedError",
    "FaceTooNearError",
    "FaceTooSmallError",
    "FaceUnclearError",
    "FaceUpsideDownError",
    "ImageTooSmallError",
    "SeveralFacesError",
    "check_place",
    "check_pose",
    "select_one",
]
