"""The path from a picture to the one face that counts."""

import math
from typing import Final, Self

import cv2
import numpy as np

from biometrics.decoding.errors import ImageUnreadableError
from biometrics.detection.errors import (
    FaceMissingError,
    FaceSidewaysError,
    FaceUnclearError,
    FaceUpsideDownError,
    ImageTooSmallError,
    SeveralFacesError,
)
from biometrics.detection.limits import DetectionLimits, check_place, check_pose, select_one
from biometrics.detection.rfb import RfbDetector
from biometrics.detection.yunet import YuNet, resize_to
from biometrics.manifest import Manifest
from biometrics.onnx import Model, open_model
from biometrics.types import Box, Face, FivePoints, FloatArray, Image
from biometrics.weights.errors import ModelMissingError

LONG_SIDES_PX: Final = (320, 640)
"""Working sizes, tried in order: close-ups are lost at 640, distant faces at 320."""

REFINE_PX: Final = 320
"""Working size of the second look. See models/yunet.md for what it does to the comparison."""
REFINE_REACH: Final = 1.0
"""Half the side of the crop for the second look, in face sides."""
MAX_LOOKS: Final = 3
SETTLED_ROLL_DEG: Final = 8.0
"""An eye line this level in its crop needs no further look."""
UPRIGHT_PX: Final = 128
"""Working size for the four quarter turns: a small face tells them apart best."""
MAX_FALLBACK_BOXES: Final = 4
TRACKED_SHIFT: Final = 0.5
"""How far a face moves at most from frame to frame, in its sides."""


class FaceDetector:
    """YuNet at 320 pixels, at 640 if nothing was found, then where the fallback sees a face."""

    def __init__(self, model: Model, fallback: Model | None = None) -> None:
        """Take the detector and, where it is installed, the fallback.

        Raises:
            ManifestInvalidError: an operating point of either is missing in the manifest.
        """
        self.limits = DetectionLimits.of(model.entry)
        self._yunet = YuNet(model, self.limits)
        self._fallback = RfbDetector(fallback) if fallback else None

    @classmethod
    def open(cls, manifest: Manifest) -> Self:
        """Load both detectors; go on without the fallback where it is not installed.

        Raises:
            ModelMissingError: the detector is not installed.
            DigestMismatchError, ModelUnusableError, ManifestInvalidError: a model must not be used.
        """
        try:
            fallback = open_model(manifest, "fr-detect")
        except ModelMissingError:
            fallback = None
        return cls(open_model(manifest, "yunet"), fallback)

    def detect(self, image: Image) -> list[Face]:
        """Return all faces, the largest first; an empty list if there is none.

        Args:
            image: H x W x 3 BGR or H x W gray, uint8.

        Raises:
            ImageUnreadableError: it is neither.
        """
        image = _to_bgr(image)
        if not image.size:
            return []
        for long_side_px in LONG_SIDES_PX:
            faces = self._yunet.find(image, long_side_px)
            if faces:
                return _largest_first(faces)
        return self._detect_by_fallback(image)

    def find_one(self, image: Image, near: Box | None = None) -> Face:
        """Return the one face that a frame must show, its points refined.

        Args:
            image: as for `detect`.
            near: where the face was in the frame before. It is looked for there first, at a
                third of the cost; other people are then noticed only close by, so give it for a
                few frames in a row and leave it out for the next.

        Raises:
            ImageTooSmallError, FaceMissingError, SeveralFacesError, FaceTooSmallError,
            FaceTooNearError, FaceCutOffError, FaceTiltedError.
        """
        image = _to_bgr(image)
        height, width = image.shape[:2]
        if min(height, width) < 2 * self.limits.interocular_px:
            raise ImageTooSmallError(f"a picture of {width} x {height} pixels shows no usable face")
        face = self._track(image, near) if near else None
        if face is None:
            face = self._refine(image, select_one(self.detect(image), self.limits))
        check_pose(face, self.limits)
        check_place(face, width, height, self.limits)
        return face

    def find_upright(self, image: Image) -> Face:
        """Return the one face that a portrait or probe must show, clear and surely upright.

        The detector finds faces that lie on their side or their head, and draws upright points on
        them; but it is surer of the picture turned the right way.

        Raises:
            ImageTooSmallError, FaceMissingError, SeveralFacesError, FaceTooSmallError,
            FaceTooNearError, FaceCutOffError, FaceTiltedError, FaceSidewaysError,
            FaceUpsideDownError, FaceUnclearError.
        """
        image = _to_bgr(image)
        try:
            face = self.find_one(image)
        except ImageTooSmallError:
            raise
        except FaceMissingError:
            shrunk = resize_to(image, LONG_SIDES_PX[0])
            self._check_turned(shrunk, LONG_SIDES_PX[0], least=self.limits.clear)
            raise
        crop = _crop_upright(image, face.box, face.points.roll_deg)[0]
        crop = resize_to(crop, UPRIGHT_PX)
        least = self._yunet.best_score(crop, UPRIGHT_PX)
        self._check_turned(crop, UPRIGHT_PX, least=least)
        if not face.score >= self.limits.clear:
            raise FaceUnclearError("the face cannot be seen clearly: more light, nothing before it")
        return face

    def _check_turned(self, image: Image, long_side_px: int, *, least: float) -> None:
        """Refuse a picture in which the detector is surer than `least` once it is turned."""
        turned = [np.ascontiguousarray(np.rot90(image, quarters)) for quarters in (1, 2, 3)]
        scores = [self._yunet.best_score(picture, long_side_px) for picture in turned]
        if not max(scores) > least:
            return
        if scores[1] == max(scores):
            raise FaceUpsideDownError("the face is upside down: turn the picture")
        raise FaceSidewaysError("the face lies on its side: turn the picture")

    def _detect_by_fallback(self, image: Image) -> list[Face]:
        """Look with YuNet where the fallback sees a face: only YuNet gives points."""
        faces: list[Face] = []
        for box in self._fallback.find(image)[:MAX_FALLBACK_BOXES] if self._fallback else ():
            near = [face for _, face in self._look(image, box, 0.0)]
            faces += [face for face in near if _is_near(face, box) and face not in faces]
        return _largest_first(faces)

    def _track(self, image: Image, near: Box) -> Face | None:
        """Return the face around `near`, or None if a look at the whole picture must decide."""
        looks = self._look(image, near, 0.0)
        try:
            face = select_one(_largest_first([face for _, face in looks]), self.limits)
        except (FaceMissingError, SeveralFacesError):
            return None
        if not _is_near(face, near):
            return None
        settled = abs(face.points.roll_deg) < SETTLED_ROLL_DEG
        return face if settled else self._refine(image, face)

    def _refine(self, image: Image, face: Face) -> Face:
        """Look again in an upright crop around the face: in the whole picture points are coarse.

        Points drawn on a tilted face are too upright, so a tilt is followed up.
        """
        center = face.box.center
        for _ in range(MAX_LOOKS):
            looks = self._look(image, face.box, face.points.roll_deg)
            if not looks:
                return face
            seen, face = min(looks, key=lambda look: math.dist(look[1].box.center, center))
            if abs(seen.points.roll_deg) < SETTLED_ROLL_DEG:
                return face
        return face

    def _look(self, image: Image, box: Box, roll_deg: float) -> list[tuple[Face, Face]]:
        """Return the faces around `box`, each as seen in an upright crop and in the picture."""
        crop, back = _crop_upright(image, box, roll_deg)
        if not crop.size:
            return []
        return [(face, _map_back(face, back)) for face in self._yunet.find(crop, REFINE_PX)]


def _to_bgr(image: Image) -> Image:
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3:
        return image
    if image.dtype == np.uint8 and image.ndim == 2 and image.size:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    raise ImageUnreadableError("a picture must be H x W x 3 or H x W pixels of 8 bits")


def _largest_first(faces: list[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: face.box.side, reverse=True)


def _is_near(face: Face, box: Box) -> bool:
    close = math.dist(face.box.center, box.center) <= TRACKED_SHIFT * box.side
    return close and box.side / 2 <= face.box.side <= box.side * 2


def _crop_upright(image: Image, box: Box, roll_deg: float) -> tuple[Image, FloatArray]:
    """Return a crop with the eye line about level, and the 2 x 3 map back to the picture."""
    cx, cy = box.center
    if not (math.isfinite(cx + cy) and box.side > 0):
        return image[:0], np.eye(2, 3, dtype=np.float32)
    reach = math.ceil(min(box.side * REFINE_REACH, max(image.shape)))
    if abs(roll_deg) < SETTLED_ROLL_DEG:
        left, top = max(0, round(cx - reach)), max(0, round(cy - reach))
        crop = image[top : max(0, round(cy + reach)), left : max(0, round(cx + reach))]
        return crop, np.array([[1, 0, left], [0, 1, top]], dtype=np.float32)
    matrix = cv2.getRotationMatrix2D((cx, cy), roll_deg, 1.0)
    matrix[:, 2] += np.array([reach - cx, reach - cy])
    crop = np.asarray(cv2.warpAffine(image, matrix, (2 * reach, 2 * reach)), dtype=np.uint8)
    return crop, np.asarray(cv2.invertAffineTransform(matrix), dtype=np.float32)


def _map_back(face: Face, back: FloatArray) -> Face:
    """Return a face of a rotated crop in the picture; its box keeps its size and stays upright."""
    points = face.points.to_array() @ back[:, :2].T + back[:, 2]
    cx, cy = (float(v) for v in back[:, :2] @ np.array(face.box.center) + back[:, 2])
    half_width, half_height = face.box.width / 2, face.box.height / 2
    box = Box(cx - half_width, cy - half_height, cx + half_width, cy + half_height)
    return Face(box, FivePoints(*((float(x), float(y)) for x, y in points)), face.score)
