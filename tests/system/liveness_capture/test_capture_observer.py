"""What the observer sees of a capture, frame by frame, and what it does with bad frames."""

import math
from itertools import pairwise

import cv2
import numpy as np
import pytest

from biometrics.liveness.capture import MAX_FRAMES
from biometrics.types import FrameSample


def test_every_frame_of_a_person_is_sighted(observations, film):
    assert [o.index for o in observations] == list(range(len(film)))
    assert all(o.sighting for o in observations)
    assert all(o.thumbnail.shape == (48, 64) and o.thumbnail.dtype == np.uint8
               for o in observations)  # fmt: skip
    assert len({o.pixel_sha256 for o in observations}) == len(film)


def test_the_followed_face_is_the_one_that_the_detector_finds(observations, film, detector):
    for observation, frame in list(zip(observations, film, strict=True))[::7]:
        found = detector.find_one(frame.picture)
        seen = observation.sighting.face
        side = found.box.side
        assert math.dist(seen.box.center, found.box.center) < 0.15 * side
        assert seen.box.side == pytest.approx(side, rel=0.2)
        apart = np.linalg.norm(seen.points.to_array() - found.points.to_array(), axis=1)
        assert apart.max() < 0.25 * found.points.eyes_to_mouth_px


def test_the_nose_offset_turns_as_that_of_the_detector(observations, film, detector):
    pairs = [
        (o.sighting.nose_offset, detector.find_one(f.picture).points.nose_offset)
        for o, f in list(zip(observations, film, strict=True))[::3]
    ]
    mesh, detected = np.array(pairs).T
    assert np.ptp(mesh) > 0.3
    assert np.corrcoef(mesh, detected)[0, 1] > 0.8
    # On real pictures it is 1 (tracking.OFFSET_SCALE); of rendered turns the detector sees half.
    assert 0.4 < np.polyfit(mesh, detected, 1)[0] < 1.4


def test_offsets_change_steadily_whoever_found_the_face(observations):
    rest = [o.sighting.nose_offset for o in observations if o.t_ms < 700]
    assert max(abs(b - a) for a, b in pairwise(rest)) < 0.05


def test_one_at_a_time_is_the_same_as_all_at_once(observer, film, observations):
    capture = observer.open()
    for frame, former in zip(film[:10], observations, strict=False):
        observation = capture.observe(frame)
        assert capture.image is frame.picture
        assert observation.pixel_sha256 == former.pixel_sha256
        assert observation.sighting.face == former.sighting.face


def test_a_second_person_is_noticed_within_three_frames(observer, film, portrait):
    capture = observer.open()
    for frame in film[:7]:
        assert capture.observe(frame).sighting
    height, width = film[0].picture.shape[:2]
    visitor = cv2.resize(portrait[:800, 150:850], (190, 217))
    faults = []
    for frame in film[7:12]:
        crowded = frame.picture.copy()
        crowded[height - 230 : height - 13, 0:190] = visitor
        faults.append(capture.observe(FrameSample(crowded, frame.t_ms)).fault)
    assert "several-faces" in faults[:3]
    assert faults[3:] == ["several-faces"] * 2
    assert width >= 600


def test_a_face_that_leaves_is_lost_and_found_again(observer, film):
    capture = observer.open()
    wall = np.full_like(film[0].picture, 150)
    shown = [*film[:4], *[FrameSample(wall, f.t_ms) for f in film[4:8]], *film[8:12]]
    faults = [capture.observe(frame).fault for frame in shown]
    assert faults == [None] * 4 + ["face-missing"] * 4 + [None] * 4


def test_a_frame_of_another_size_is_looked_at_anew(observer, film):
    capture = observer.open()
    half = cv2.resize(film[2].picture, None, fx=0.6, fy=0.6)
    frames = [film[0], film[1], FrameSample(half, film[2].t_ms), film[3]]
    seen = [capture.observe(frame) for frame in frames]
    assert all(o.sighting for o in seen)
    assert seen[2].size == half.shape[1::-1]
    ratio = seen[2].sighting.mesh.eye_corner_px / seen[3].sighting.mesh.eye_corner_px
    assert ratio == pytest.approx(0.6, abs=0.06)


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_frames_show_nobody(observer, film, level):
    blank = FrameSample(np.full_like(film[0].picture, level), math.nan)
    (seen,) = observer.observe_all([blank])
    assert seen.fault == "face-missing"
    assert int(seen.thumbnail.mean()) == level


def test_noise_shows_nobody(observer, film):
    noise = np.random.default_rng(0).integers(0, 256, film[0].picture.shape, dtype=np.uint8)
    assert observer.observe_all([FrameSample(noise, 0.0)])[0].sighting is None


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (b"", "image-truncated"),
        (b"\xff\xd8\xff", "image-truncated"),
        (b"no picture", "image-format-unsupported"),
        (np.zeros((0, 0, 3), np.uint8), "image-error"),
        (np.zeros((480, 640), np.uint8), "image-error"),
        (np.zeros((480, 640, 3), np.float32), "image-error"),
    ],
)
def test_what_is_no_picture_is_a_fault(observer, film, picture, fault):
    capture = observer.open()
    capture.observe(film[0])
    seen = capture.observe(FrameSample(picture, 80.0))
    assert (seen.sighting, seen.thumbnail, seen.size) == (None, None, None)
    assert seen.fault == fault or fault == "image-error"
    assert seen.pixel_sha256 == b""
    assert capture.image is None
    assert capture.observe(film[1]).sighting


def test_ten_thousand_frames_are_not_looked_at(observer):
    blank = FrameSample(b"", 0.0)
    assert len(observer.observe_all([blank] * 10_000)) == MAX_FRAMES + 1
    capture = observer.open()
    seen = [capture.observe(blank) for _ in range(10_000)]
    assert {o.fault for o in seen[MAX_FRAMES:]} == {"too-many-frames"}
    assert seen[-1].index == 9_999


def test_a_view_of_other_pixels_is_digested_as_what_it_shows(observer, film):
    mirrored = film[0].picture[:, ::-1]
    copied = np.ascontiguousarray(mirrored)
    seen = observer.observe_all([FrameSample(mirrored, 0.0), FrameSample(copied, 1.0), film[0]])
    assert seen[0].pixel_sha256 == seen[1].pixel_sha256 != seen[2].pixel_sha256


def test_pixels_and_faces_are_not_printed(observations):
    shown = repr(observations[0])
    assert "thumbnail" not in shown
    assert "sighting" not in shown
    assert "sha256" not in shown
