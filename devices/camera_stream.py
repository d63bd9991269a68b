"""Pictures of a face as they are taken: by a camera, or from a recording at the pace of one."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import cv2

from devices.camera_identity import CameraIdentity, CameraKind
from devices.camera_sysfs import SYSFS, CameraOtherError, VideoNode, read_identity
from devices.errors import CameraFailedError, CameraMissingError

WIDTH, HEIGHT = 640, 480
MAX_FPS: Final = 15.0
"""What the server can look at while the frames arrive."""
JPEG_QUALITY: Final = 90
WARM_UP_S: Final = 1.0
"""For exposure and white balance to settle."""
STALE_FRAMES: Final = 4
"""As many as drivers keep: they were taken before anybody asked."""
MAX_FRAME_PIXELS: Final = 3840 * 2160
_SLACK_S: Final = 0.005


@dataclass(frozen=True)
class CameraFrame:
    """One picture."""

    t_s: float
    """When it was taken, by `time.monotonic`."""
    picture: bytes = field(repr=False)
    """JPEG, or the file as it lies in a folder."""


class FrameSource(Protocol):
    """Where pictures come from; close it in the end."""

    @property
    def identity(self) -> CameraIdentity:
        """What it is."""
        ...

    def frames(self) -> Iterator[CameraFrame]:
        """Return pictures from now on, each when it is taken; a recording comes to an end.

        Raises:
            CameraFailedError: it stopped, or gives no pictures.
            CameraOtherError: another camera is in its place now.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Camera(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def read(self) -> tuple[bool, Any]:
        """Return whether there is a picture, and it."""
        ...

    def release(self) -> None:
        """Let go of it."""
        ...


class DeviceCamera:
    """A camera of this machine."""

    def __init__(self, camera: Camera, node: VideoNode | None = None, sysfs: Path = SYSFS) -> None:
        """Take a camera that is open and let it settle.

        Args:
            camera: an open `cv2.VideoCapture`; it is closed here.
            node: which one it is; None where the platform does not say.
            sysfs: where Linux says it.

        Raises:
            CameraFailedError: it gives no pictures.
            CameraOtherError: it is not the one that was listed any more.
        """
        self._camera, self._node, self._sysfs = camera, node, sysfs
        self.identity = node.identity if node else CameraIdentity(CameraKind.DEVICE)
        try:
            self._check_identity()
            settled_at = time.monotonic() + WARM_UP_S
            while time.monotonic() < settled_at:
                self._read()
        except BaseException:
            self.close()
            raise

    def frames(self) -> Iterator[CameraFrame]:
        """Return at most 15 pictures a second, evenly spaced; see `FrameSource`."""
        self._check_identity()
        for _ in range(STALE_FRAMES):
            self._read()
        due_s = time.monotonic()
        while True:
            picture = self._read()
            now_s = time.monotonic()
            if now_s + _SLACK_S >= due_s:
                due_s = max(due_s, now_s - 1 / MAX_FPS) + 1 / MAX_FPS
                yield CameraFrame(now_s, _jpeg(picture))
                self._check_identity()

    def close(self) -> None:
        """Let go of the camera."""
        self._camera.release()

    def _read(self) -> Any:
        there, picture = self._camera.read()
        if not there:
            raise CameraFailedError("the camera gives no picture")
        return picture

    def _check_identity(self) -> None:
        """Look whether the device file still leads to the same camera."""
        node = self._node
        if node is None:
            return
        entry = self._sysfs / "class/video4linux" / node.file.name
        if read_identity(entry, self._sysfs) != node.identity:
            raise CameraOtherError("the camera was taken away, or another is in its place")


def open_camera(node: VideoNode | int) -> DeviceCamera:
    """Open a camera.

    Args:
        node: one that Linux lists; elsewhere a number, and nothing is known about it.

    Raises:
        CameraMissingError: it cannot be opened.
        CameraFailedError, CameraOtherError: see `DeviceCamera`.
    """
    backend = _BACKEND.get(sys.platform, cv2.CAP_ANY)
    camera = (
        cv2.VideoCapture(node, backend)
        if isinstance(node, int)
        else cv2.VideoCapture(str(node.file), backend)
    )
    if not camera.isOpened():
        camera.release()
        raise CameraMissingError("the camera cannot be opened: is it connected, and free?")
    wanted = (
        (cv2.CAP_PROP_FRAME_WIDTH, WIDTH),
        (cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT),
        (cv2.CAP_PROP_FPS, 30),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    )
    for name, value in wanted:
        camera.set(name, value)
    return DeviceCamera(camera, None if isinstance(node, int) else node)


class VideoFile:
    """A recording, played at its own pace."""

    def __init__(self, path: Path) -> None:
        """Open a recording.

        Raises:
            CameraMissingError: it is none.
        """
        self.identity = CameraIdentity(CameraKind.FILE)
        self._video = cv2.VideoCapture(str(path))
        if not self._video.isOpened():
            raise CameraMissingError(f"{path} is no recording that can be played")

    def frames(self) -> Iterator[CameraFrame]:
        """Return the recording's pictures; see `FrameSource`."""
        start_s, last_ms = time.monotonic(), -1.0
        while True:
            there, picture = self._video.read()
            if not there:
                return
            t_ms = float(self._video.get(cv2.CAP_PROP_POS_MSEC))
            if not last_ms < t_ms:
                raise CameraFailedError("the recording does not say when its pictures were taken")
            last_ms = t_ms
            yield CameraFrame(_wait_until(start_s + t_ms / 1000), _jpeg(picture))

    def close(self) -> None:
        """Let go of the file."""
        self._video.release()


class Pictures:
    """Pictures with their times, played at their own pace."""

    def __init__(self, pictures: Sequence[tuple[float, bytes]]) -> None:
        """Take pictures, each with its time in milliseconds, in order."""
        self.identity = CameraIdentity(CameraKind.FILE)
        self._pictures = pictures

    def frames(self) -> Iterator[CameraFrame]:
        """Return the pictures; see `FrameSource`."""
        start_s = time.monotonic()
        for t_ms, picture in self._pictures:
            _wait_until(start_s + t_ms / 1000)
            yield CameraFrame(start_s + t_ms / 1000, picture)

    def close(self) -> None:
        """Nothing is held."""


_BACKEND: Final = {
    "linux": cv2.CAP_V4L2,
    "win32": cv2.CAP_DSHOW,
    "darwin": cv2.CAP_AVFOUNDATION,
}


def _wait_until(t_s: float) -> float:
    time.sleep(max(0.0, t_s - time.monotonic()))
    return t_s


def _jpeg(picture: Any) -> bytes:
    if picture.ndim != 3 or picture.shape[0] * picture.shape[1] > MAX_FRAME_PIXELS:
        raise CameraFailedError("the camera's frames are not pictures of at most 8 megapixels")
    done, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    if not done:
        raise CameraFailedError("the camera's picture cannot be encoded")
    return bytes(data)
