"""The counter's camera: frames are looked at until one shows a card."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from devices.card_photo import GrayPicture
from devices.card_scan import CardScan, scan_card
from devices.errors import CameraFailedError, CameraMissingError, DeviceError
from devices.mrz_scan import MrzScanner
from devices.qr import QrMalformedError

MAX_FRAMES = 3000
"""No scan looks at more, however long it may take."""
_MAX_FRAME_PIXELS = 3840 * 2160


def scan_with_camera(
    source: int | Path,
    *,
    mrz: MrzScanner | None,
    timeout_s: float,
    progress: Callable[[DeviceError], None] = lambda _: None,
) -> CardScan:
    """Return what the first frame says that can be read for certain.

    Args:
        source: number of the camera, from 0; or the file of a recording.
        mrz: reads the machine-readable zone; None: only the QR code is read.
        timeout_s: how long to look.
        progress: called with the reason why a frame was not enough.

    Raises:
        CameraMissingError: it cannot be opened.
        CameraFailedError: it stopped, or the recording ended before a frame was looked at.
        DeviceError: the time is over; the last frame's reason.
    """
    deadline = time.monotonic() + timeout_s
    camera = cv2.VideoCapture(source if isinstance(source, int) else str(source))
    try:
        if not camera.isOpened():
            raise CameraMissingError("the camera cannot be opened: is it connected, and free?")
        reason: DeviceError = CameraFailedError("the camera gives no picture")
        for _ in range(MAX_FRAMES):
            frame = _next_frame(camera)
            if frame is None:
                break
            try:
                return scan_card(frame, mrz=mrz)
            except DeviceError as error:
                if not error.retryable and not isinstance(error, QrMalformedError):
                    raise
                reason = error
                progress(error)
            if time.monotonic() > deadline:
                break
        raise reason
    finally:
        camera.release()


def _next_frame(camera: cv2.VideoCapture) -> GrayPicture | None:
    there, frame = camera.read()
    if not there:
        return None
    if frame.ndim != 3 or frame.shape[0] * frame.shape[1] > _MAX_FRAME_PIXELS:
        raise CameraFailedError("the camera's frames are not pictures of at most 8 megapixels")
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
