"""Whose face counts where a test picture shows several: test sets have one subject a picture.

In operation such a picture is refused. Public sets such as LFW are full of bystanders, and put the
subject in the middle; there the others are painted over, and the path then sees one face.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal

from biometrics.detection import FaceDetector, SeveralFacesError
from biometrics.types import Box, Face, FloatArray, Image

SubjectRule = Literal["only", "middle"]
"""`only`: several faces are a failure to acquire, as in operation; `middle`: the face nearest to
the middle of the picture is the subject."""

_PAINT: Final = (128, 128, 128)

Encode = Callable[[Image], Mapping[str, FloatArray]]


def encode_middle(encode: Encode, detector: FaceDetector) -> Encode:
    """Return `encode`, but with bystanders painted over where it finds several faces."""

    def encode_subject(image: Image) -> Mapping[str, FloatArray]:
        try:
            return encode(image)
        except SeveralFacesError:
            return encode(paint_bystanders(image, detector.detect(image)))

    return encode_subject


def paint_bystanders(image: Image, faces: list[Face]) -> Image:
    """Return a copy in which only the face nearest to the middle is left."""
    if len(faces) < 2:
        return image
    height, width = image.shape[:2]
    middle = width / 2, height / 2
    subject = min(faces, key=lambda face: math.dist(face.box.center, middle))
    painted = image.copy()
    for face in faces:
        if face is not subject:
            painted[_area(face.box)] = _PAINT
    painted[_area(subject.box)] = image[_area(subject.box)]
    return painted


def _area(box: Box) -> tuple[slice, slice]:
    left, top = max(0, math.floor(box.x1)), max(0, math.floor(box.y1))
    return slice(top, max(top, math.ceil(box.y2))), slice(left, max(left, math.ceil(box.x2)))
