"""Whatever the bytes or pixels, the face layer answers with a value or with an error of its own."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biometrics.decoding.exif import read_orientation
from biometrics.detection import FaceCutOffError, FaceTooNearError, check_place, check_pose
from biometrics.detection.errors import FaceError
from biometrics.errors import BiometricsError
from biometrics.image import MAX_PIXELS, decode_image
from biometrics.types import Box, Face, FivePoints
from tests.fixtures.face_pictures import bad_pictures, encode, photo

SEEDS = [data for data, _ in bad_pictures().values() if 0 < len(data) < 20_000]
SEEDS += [encode(photo((48, 32)), kind) for kind in ("JPEG", "PNG", "WEBP", "JPEG2000")]
LOOSE = settings(max_examples=300, deadline=20_000, suppress_health_check=list(HealthCheck))
coordinate = st.floats(-1e4, 1e4)


@LOOSE
@given(st.sampled_from(SEEDS), st.data())
def test_a_picture_of_any_bytes_is_decoded_or_refused_by_code(seed, data):
    damaged = bytearray(seed)
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, len(seed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(seed)))
    try:
        image = decode_image(bytes(damaged[:cut]) + data.draw(st.binary(max_size=20)))
    except BiometricsError as error:
        assert error.code.startswith("image-")
        assert error.retryable
    else:
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert image.shape[2] == 3
        assert 0 < image.shape[0] * image.shape[1] <= MAX_PIXELS


@given(st.binary(max_size=200), st.sampled_from([b"", b"II*\0", b"MM\0*", b"Exif\0\0II*\0"]))
def test_orientation_of_any_bytes(body, start):
    assert 1 <= read_orientation(start + body) <= 8


@st.composite
def faces(draw):
    points = [(draw(coordinate), draw(coordinate)) for _ in range(5)]
    x, y = draw(coordinate), draw(coordinate)
    box = Box(x, y, x + draw(st.floats(1, 1e4)), y + draw(st.floats(1, 1e4)))
    return Face(box, FivePoints(*points), draw(st.floats(0, 1)))


@given(faces(), st.integers(1, 5000), st.integers(1, 5000))
def test_what_passes_lies_within_the_picture(face, width, height):
    try:
        check_place(face, width, height)
        check_pose(face)
    except FaceError as error:
        assert error.code.startswith("face-")
        return
    points = face.points.to_array()
    assert (points >= 0).all()
    assert (points <= (width, height)).all()
    assert abs(face.points.roll_deg) <= 25


def face_at(x, y, side):
    """A face whose aligned crop has its corner at x, y."""
    points = [(38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)]
    placed = [(x + px * side / 112, y + py * side / 112) for px, py in points]
    return Face(Box(x, y, x + side, y + side), FivePoints(*placed), 0.9)


@pytest.mark.parametrize(
    ("x", "y", "side", "error"),
    [
        (-20, -20, 140, FaceTooNearError),
        (-30, 0, 90, FaceCutOffError),
        (40, 10, 90, FaceCutOffError),
        (0, -30, 100, FaceCutOffError),
        (0, 40, 100, FaceCutOffError),
    ],
)
def test_near_and_cut_off_are_told_apart(x, y, side, error):
    with pytest.raises(error):
        check_place(face_at(x, y, side), 100, 100)


@pytest.mark.parametrize(("x", "y", "side"), [(0, 0, 100), (20, 30, 60), (0, -20, 100)])
def test_a_face_inside_passes(x, y, side):
    check_place(face_at(x, y, side), 100, 100)


def test_a_point_outside_is_cut_off_although_most_is_inside():
    face = face_at(10, 10, 60)
    points = FivePoints(
        *face.points.to_array()[:2].tolist(), (101.0, 50.0), *face.points.to_array()[3:].tolist()
    )
    with pytest.raises(FaceCutOffError):
        check_place(Face(face.box, points, 0.9), 100, 100)
