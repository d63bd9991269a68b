"""Simulated attacks on a whole capture: none may pass, whatever the passive models say."""

import cv2
import numpy as np
import pytest

from biometrics.challenge import Challenge, Turn
from biometrics.image import decode_image
from biometrics.rig import RigKind
from biometrics.types import FrameSample, Outcome

ORDER = (Turn.LEFT, Turn.RIGHT)
CHALLENGE = Challenge("0" * 32, ORDER)
WALL_BGR = (168, 176, 180)
FPS = 8


@pytest.fixture(scope="module")
def head(rig, picture):
    return rig.render(RigKind.TURNING_HEAD, picture("obama3"), ORDER, fps=FPS, seed=1)


@pytest.fixture(scope="module")
def impostor(rig, picture, pictures):
    """Another person's capture by the same camera: its size gives nothing away."""
    size = pictures[0].shape[1::-1]
    frames = rig.render(RigKind.TURNING_HEAD, picture("biden"), ORDER, fps=FPS, seed=2)
    return [FrameSample(cv2.resize(decode_image(f.picture), size), f.t_ms) for f in frames]


@pytest.fixture(scope="module")
def pictures(head):
    return [decode_image(frame.picture) for frame in head]


@pytest.fixture(scope="module")
def swings(head):
    """Where a follower of the challenge would be in each frame: 0 ahead, 1 left, -1 right."""
    phase = np.linspace(0, 2 * np.pi, len(head))
    return [float(swing) for swing in np.sin(phase) * np.minimum(1, 3 * np.abs(np.sin(phase)))]


def shoot(pictures):
    """Frames of one camera, each with noise of its own."""
    rng = np.random.default_rng(5)
    noisy = [
        (p + 2 * rng.standard_normal(p.shape, np.float32)).clip(0, 255).astype(np.uint8)
        for p in pictures
    ]
    return [FrameSample(p, i * 1000 / FPS) for i, p in enumerate(noisy)]


def splice(head, impostor, is_impostor):
    return [
        FrameSample((impostor if is_impostor(i) else head)[i].picture, frame.t_ms)
        for i, frame in enumerate(head)
    ]


def test_the_person_alone_passes(pipeline, picture, head):
    verdict = pipeline.verify_capture(picture("obama"), head, CHALLENGE)
    assert verdict.outcome is Outcome.PASSED


def judge(pipeline, picture, frames):
    verdict = pipeline.verify_capture(picture("obama"), frames, CHALLENGE)
    assert verdict.outcome is not Outcome.PASSED
    assert verdict.reasons
    return verdict.active


def move(view, x=0.0, scale=1.0, roll_deg=0.0):
    height, width = view.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), roll_deg, scale)
    matrix[0, 2] += x
    return cv2.warpAffine(view, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def tip(view, pitch_deg, yaw_deg=0.0):
    """Turn a print about its horizontal axis, and about its vertical one."""
    height, width = view.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    center = np.array([width / 2, height / 2])
    x, y = (corners - center).T
    pitch, yaw = np.radians(pitch_deg), np.radians(yaw_deg)
    depth = y * np.sin(pitch) - x * np.cos(pitch) * np.sin(yaw)
    flat = np.stack([x * np.cos(yaw), y * np.cos(pitch)], axis=1)
    target = center + flat / (1 + depth / (3 * width))[:, None]
    matrix = cv2.getPerspectiveTransform(corners, target.astype(np.float32))
    return cv2.warpPerspective(view, matrix, (width, height), borderValue=WALL_BGR)


def bend(view, turn_deg, radius_px):
    """Roll a print round an upright cylinder, turned about its axis."""
    height, width = view.shape[:2]
    arc = np.linspace(-width, width, 4 * width)
    angle = arc / radius_px + np.radians(turn_deg)
    seen = np.abs(angle) < 1.4
    near = 1 / (1 + radius_px * (1 - np.cos(angle[seen])) / (3 * width))
    across = np.arange(width) - width / 2
    places = radius_px * np.sin(angle[seen]) * near
    columns = np.interp(across, places, arc[seen], left=1e6, right=1e6) + width / 2
    rows = (np.arange(height) - height / 2)[:, None] / np.interp(across, places, near)
    lookup = np.broadcast_to(columns, (height, width)), rows + height / 2
    return cv2.remap(
        view, *(m.astype(np.float32) for m in lookup), cv2.INTER_LINEAR, borderValue=WALL_BGR
    )


@pytest.mark.parametrize(
    "hold",
    [
        lambda view, swing: view,
        lambda view, swing: move(view, x=50 * swing),
        lambda view, swing: move(view, scale=1 + 0.3 * swing),
        lambda view, swing: move(view, roll_deg=20 * swing),
        lambda view, swing: tip(view, 35 * swing),
        lambda view, swing: tip(view, 25 * swing, 45 * swing),
        lambda view, swing: bend(view, -45 * swing, 150),
        lambda view, swing: bend(view, 45 * swing, 150),
        lambda view, swing: bend(view, 60 * swing, 90),
    ],
    ids=[
        "still",
        "shifted",
        "nearer",
        "tilted",
        "pitched",
        "diagonal",
        "bent",
        "bent back",
        "rolled",
    ],
)
def test_one_picture_moved_in_any_way_fails(pipeline, picture, pictures, swings, hold):
    active = judge(pipeline, picture, shoot([hold(pictures[0], swing) for swing in swings]))
    assert active.outcome is not Outcome.PASSED


def test_a_show_of_still_pictures_is_no_motion(pipeline, picture, pictures, head):
    third = len(head) // 3
    views = [pictures[0], pictures[third // 2 + 5], pictures[-third // 2 - 5]]
    mirrored = views[1][:, ::-1]
    for left, right in ((views[1], views[2]), (views[1], mirrored)):
        n = FPS
        show = [views[0]] * n + [left] * n + [views[0]] * n + [right] * n + [views[0]] * n
        active = judge(pipeline, picture, shoot(show))
        assert active.outcome is Outcome.INDETERMINATE
        assert active.reasons == ("challenge-motion-unseen",)


def test_mirrored_and_reversed_captures_fail(pipeline, picture, pictures, head):
    for played in ([p[:, ::-1] for p in pictures], pictures[::-1]):
        frames = [
            FrameSample(np.ascontiguousarray(p), frame.t_ms)
            for p, frame in zip(played, head, strict=True)
        ]
        active = judge(pipeline, picture, frames)
        assert active.outcome is Outcome.FAILED
        assert "challenge-wrong-order" in active.reasons


@pytest.mark.parametrize(
    "is_impostor",
    [
        lambda i, n, ahead: ahead,
        lambda i, n, ahead: not ahead,
        lambda i, n, ahead: i % 2 == 0,
        lambda i, n, ahead: i % 4 != 0,
        lambda i, n, ahead: i < n // 2,
        lambda i, n, ahead: i == 1,
    ],
    ids=["ahead", "turned", "every other", "all but some", "first half", "one frame of the rest"],
)
def test_two_people_in_turns_are_not_one(pipeline, picture, head, impostor, is_impostor):
    offsets = [o.sighting.face.points.nose_offset for o in observe(pipeline, head)]
    ahead = [abs(offset - offsets[0]) < 0.12 for offset in offsets]
    n = len(head)
    frames = splice(head, impostor, lambda i: is_impostor(i, n, ahead[i]))
    active = judge(pipeline, picture, frames)
    assert active.outcome is Outcome.FAILED
    assert "challenge-identity-changed" in active.reasons


def observe(pipeline, frames):
    return pipeline._observer.observe_all(frames)


def test_frames_of_several_sizes_are_no_camera(pipeline, picture, head, pictures):
    frames = [*head]
    frames[7] = FrameSample(cv2.resize(pictures[7], None, fx=0.9, fy=0.9), head[7].t_ms)
    active = judge(pipeline, picture, frames)
    assert active.outcome is Outcome.INDETERMINATE
    assert active.reasons == ("challenge-frame-size-changed",)


def test_shuffled_frames_fail(pipeline, picture, head):
    times = [frame.t_ms for frame in head]
    order = np.random.default_rng(0).permutation(len(head))
    shuffled = [FrameSample(head[k].picture, t) for k, t in zip(order, times, strict=True)]
    assert judge(pipeline, picture, shuffled).outcome is not Outcome.PASSED
    backwards = [FrameSample(f.picture, times[k]) for f, k in zip(head, order, strict=True)]
    assert "challenge-time-not-monotonic" in judge(pipeline, picture, backwards).reasons


def test_darkness_and_noise_show_nobody(pipeline, picture, pictures):
    rng = np.random.default_rng(0)
    dark = np.zeros_like(pictures[0])
    noise = rng.integers(0, 256, dark.shape, dtype=np.uint8)
    for view in (dark, noise):
        active = judge(pipeline, picture, shoot([view] * 20))
        assert active.frames_without_face == 20
        assert "challenge-face-lost" in active.reasons
