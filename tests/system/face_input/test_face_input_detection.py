"""Which faces are found, followed and refused, with the real detector."""

import dataclasses
import math

import cv2
import numpy as np
import pytest

from biometrics.decoding.errors import ImageUnreadableError
from biometrics.detection import (
    FaceCutOffError,
    FaceDetector,
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
from biometrics.image import decode_image
from biometrics.manifest import ManifestInvalidError, load_manifest
from biometrics.onnx import open_model
from biometrics.types import Box

POINT_NOISE = 0.25
"""The five points of one face vary so much with the crop, in eye distances (seen: up to 0.16)."""


def turned(image, quarters):
    return np.ascontiguousarray(np.rot90(image, quarters))


def rolled(image, degrees):
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def cut(image, face, left=0.0, top=0.0, right=0.0, bottom=0.0):
    """Cut these parts of the face's box away with the picture around them."""
    box = face.box
    return image[
        int(top and box.y1 + top * box.height) : int(box.y2 - bottom * box.height)
        if bottom
        else None,
        int(left and box.x1 + left * box.width) : int(box.x2 - right * box.width)
        if right
        else None,
    ]


@pytest.fixture(scope="module")
def face(detector, portrait):
    return detector.find_upright(portrait)


def points_apart(a, b):
    """Mean distance of the five points in eye distances."""
    shift = np.linalg.norm(a.points.to_array() - b.points.to_array(), axis=1).mean()
    return shift / a.points.interocular_px


@pytest.mark.parametrize("roll_deg", [-15, -8, 8, 15])
def test_a_tilt_within_the_limit_is_followed(detector, portrait, roll_deg):
    found = detector.find_upright(rolled(portrait, roll_deg))
    assert found.points.roll_deg == pytest.approx(-roll_deg, abs=10)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda image, face: turned(image, 1), FaceSidewaysError),
        (lambda image, face: turned(image, 3), FaceSidewaysError),
        (lambda image, face: turned(image, 2), FaceUpsideDownError),
        (lambda image, face: rolled(image, 40), FaceTiltedError),
        (lambda image, face: rolled(image, -40), FaceTiltedError),
        (lambda image, face: np.hstack([image, image]), SeveralFacesError),
        (lambda image, face: cv2.resize(image, (90, 112)), FaceTooSmallError),
        (lambda image, face: image[:40, :], ImageTooSmallError),
        (lambda image, face: image[:1, :1], ImageTooSmallError),
        (lambda image, face: image[-48:, -200:], FaceMissingError),
        (lambda image, face: cut(image, face, bottom=0.35), FaceCutOffError),
        (lambda image, face: cut(image, face, left=0.4), FaceCutOffError),
        (lambda image, face: cut(image, face, right=0.4), FaceCutOffError),
        (lambda image, face: cut(image, face, 0.2, 0.15, 0.2, 0.15), FaceTooNearError),
        (lambda image, face: (image * 0.02).astype(np.uint8), FaceMissingError),
    ],
)
def test_each_fault_has_its_error(detector, portrait, face, change, error):
    with pytest.raises(error):
        detector.find_upright(np.ascontiguousarray(change(portrait, face)))


def test_an_unclear_face_is_no_probe(detector, portrait):
    detector = FaceDetector.open(load_manifest())
    detector.limits = dataclasses.replace(detector.limits, clear=0.999)
    assert detector.find_one(portrait)
    with pytest.raises(FaceUnclearError):
        detector.find_upright(portrait)


@pytest.mark.parametrize("name", ["obama", "obama2", "obama3", "biden", "astronaut"])
def test_a_face_is_followed_from_where_it_was(detector, sample_path, name):
    image = decode_image(sample_path(name).read_bytes())
    found = detector.find_one(image)
    width, height = found.box.width, found.box.height
    for dx, dy, scale in ((0, 0, 1), (0.2, 0, 1.1), (-0.15, 0.2, 0.9)):
        cx, cy = found.box.center[0] + dx * width, found.box.center[1] + dy * height
        half = scale * max(width, height) / 2
        near = Box(cx - half, cy - half, cx + half, cy + half)
        assert points_apart(found, detector.find_one(image, near)) < POINT_NOISE


@pytest.mark.parametrize(
    "near",
    [
        Box(0, 0, 1, 1),
        Box(-900, -900, -800, -800),
        Box(0, 0, 0, 0),
        Box(0, 0, 1e9, 1e9),
        Box(math.nan, 0, math.nan, 9),
        Box(math.inf, math.inf, math.inf, math.inf),
    ],
)
def test_a_wrong_place_leads_to_a_look_at_the_whole(detector, portrait, near):
    assert (
        points_apart(detector.find_one(portrait), detector.find_one(portrait, near)) < POINT_NOISE
    )


def test_a_neighbour_close_by_is_noticed_while_following(detector, portrait, face):
    box = face.box
    head = portrait[: int(box.y2 + 10), int(box.x1 - 20) : int(box.x2 + 20)]
    pair = np.hstack([head, head])
    near = Box(0, box.y1, head.shape[1], box.y2)
    with pytest.raises(SeveralFacesError):
        detector.find_one(np.ascontiguousarray(pair), near)


@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (1, 4000, 3), (4000, 1, 3), (33, 5000, 3), (48, 48, 3), (60, 60)]
)
def test_any_shape_is_safe(detector, shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert isinstance(detector.detect(image), list)
    for find in (detector.find_one, detector.find_upright):
        with pytest.raises(FaceError):
            find(image)


def test_gray_is_looked_at_as_colour_is(detector, portrait):
    gray = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)
    assert points_apart(detector.find_upright(portrait), detector.find_upright(gray)) < 0.1


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((0, 0), np.uint8),
        np.zeros(9, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(detector, image):
    with pytest.raises(ImageUnreadableError):
        detector.detect(image)


def test_the_path_goes_on_without_the_fallback(portrait):
    detector = FaceDetector(open_model(load_manifest(), "yunet"))
    assert detector.find_upright(portrait)
    assert detector.detect(np.zeros((480, 640, 3), np.uint8)) == []


@pytest.mark.parametrize(
    "name", ["score", "clear", "nms", "rival", "interocular", "roll", "inside"]
)
def test_no_default_stands_in_for_the_manifest(name):
    model = open_model(load_manifest(), "yunet")
    points = {k: v for k, v in model.entry.operating_points.items() if k != name}
    model.entry = dataclasses.replace(model.entry, operating_points=points)
    with pytest.raises(ManifestInvalidError):
        FaceDetector(model)


@pytest.mark.timeout(300)
def test_every_turned_picture_is_refused_and_no_upright_one_for_it(detector, test_data):
    """Every 20th of the LFW pictures: gray, 250 x 250, some with bystanders."""
    seen = 0
    for path in sorted((test_data / "faces" / "lfw").glob("*.jpg"))[::20]:
        image = cv2.imread(str(path))
        try:
            detector.find_one(image)
        except FaceError:
            continue
        detector.find_upright(image)
        seen += 1
        for quarters in (1, 2, 3):
            with pytest.raises(FaceError):
                detector.find_upright(turned(image, quarters))
    assert seen >= 60
