"""Pictures in real time: from a recording, from files, and from a camera that may be swapped."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from devices import camera_stream
from devices.camera_identity import CameraKind
from devices.camera_stream import DeviceCamera, Pictures, VideoFile, open_camera
from devices.camera_sysfs import CameraOtherError, VideoNode, find_cameras
from devices.errors import CameraFailedError, CameraMissingError
from tests.fixtures.sysfs import Sysfs


class ThirtyAtATime:
    """A camera of thirty frames a second, as `cv2.VideoCapture` would show it."""

    def __init__(self, shape: tuple[int, ...] = (48, 64, 3), count: int = 10_000) -> None:
        self.picture, self.count, self.released = np.full(shape, 90, np.uint8), count, False

    def read(self) -> tuple[bool, np.ndarray]:
        time.sleep(1 / 30)
        self.count -= 1
        return self.count >= 0, self.picture

    def release(self) -> None:
        self.released = True


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_stream, "WARM_UP_S", 0.05)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for level in range(6):
        writer.write(np.full((48, 64, 3), 40 * level, np.uint8))
    writer.release()
    return path


@pytest.fixture
def plugged(tmp_path: Path) -> tuple[Sysfs, VideoNode]:
    sysfs = Sysfs(tmp_path / "sys")
    sysfs.usb(0, "1-2", "046d:0825", "C270 HD WEBCAM")
    (node,) = find_cameras(sysfs.root)
    return sysfs, node


def test_a_recording_plays_at_its_own_pace(recording: Path) -> None:
    source = VideoFile(recording)
    start = time.monotonic()
    frames = list(source.frames())
    took = time.monotonic() - start
    source.close()
    assert source.identity.kind is CameraKind.FILE
    assert len(frames) == 6
    assert 0.45 < took < 30
    assert np.diff([frame.t_s for frame in frames]) == pytest.approx(0.1, abs=0.001)
    levels = [
        cv2.imdecode(np.frombuffer(frame.picture, np.uint8), cv2.IMREAD_GRAYSCALE).mean()
        for frame in frames
    ]
    assert levels == pytest.approx([0, 40, 80, 120, 160, 200], abs=3)


def test_no_recording(tmp_path: Path) -> None:
    (tmp_path / "clip.avi").write_bytes(b"no recording")
    with pytest.raises(CameraMissingError):
        VideoFile(tmp_path / "clip.avi")


def test_pictures_come_as_they_lie() -> None:
    pictures = [(0.0, b"first"), (60.0, b"second"), (180.0, b"third")]
    start = time.monotonic()
    frames = list(Pictures(pictures).frames())
    assert time.monotonic() - start > 0.17
    assert [frame.picture for frame in frames] == [b"first", b"second", b"third"]
    assert np.diff([frame.t_s for frame in frames]) == pytest.approx([0.06, 0.12])


def test_a_camera_gives_at_most_fifteen_a_second(plugged: tuple[Sysfs, VideoNode]) -> None:
    sysfs, node = plugged
    source = DeviceCamera(ThirtyAtATime(), node, sysfs.root)
    frames = source.frames()
    times = [next(frames).t_s for _ in range(12)]
    assert source.identity == node.identity
    assert np.median(np.diff(times)) >= 0.06
    assert times[-1] - times[0] < 30


def test_a_camera_that_is_swapped_or_taken_away(plugged: tuple[Sysfs, VideoNode]) -> None:
    sysfs, node = plugged
    source = DeviceCamera(ThirtyAtATime(), node, sysfs.root)
    frames = source.frames()
    next(frames)
    sysfs.unplug(0)
    with pytest.raises(CameraOtherError):
        next(frames)
    sysfs.loopback(0, "C270 HD WEBCAM")
    camera = ThirtyAtATime()
    with pytest.raises(CameraOtherError):
        DeviceCamera(camera, node, sysfs.root)
    assert camera.released


def test_a_camera_that_stops_or_gives_something_else() -> None:
    with pytest.raises(CameraFailedError):
        DeviceCamera(ThirtyAtATime(count=0))
    frames = DeviceCamera(ThirtyAtATime(count=8)).frames()
    with pytest.raises(CameraFailedError):
        list(frames)
    with pytest.raises(CameraFailedError):
        next(DeviceCamera(ThirtyAtATime((48, 64))).frames())
    with pytest.raises(CameraFailedError):
        next(DeviceCamera(ThirtyAtATime((6000, 6000, 3))).frames())


def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(CameraMissingError):
        open_camera(98)
