"""Recordings in place of a camera: OpenCV opens both alike."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from devices.camera import scan_with_camera
from devices.card_scan import CardUnseenError
from devices.errors import CameraFailedError, CameraMissingError, DeviceError
from devices.mrz_scan import MrzScanner
from tests.fixtures.card_photos import Conditions, photograph, print_front

QR = "001190123456||Nguyễn Thị Mẫu Đơn|20051990|Nữ|Số 1, phường Mẫu Vật|15072024"


def _frame(*, code: bool) -> np.ndarray:
    rng = np.random.default_rng(1)
    blank = np.full((864, 1370, 3), 230, np.uint8)
    document = print_front(rng, QR) if code else blank
    photo = photograph(rng, document, Conditions(width=640, fill=0.9, quality=95))
    return cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)


def _record(path: Path, frames: list[np.ndarray]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (640, 480))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def test_the_first_frame_that_shows_a_card(tmp_path: Path) -> None:
    clip = _record(tmp_path / "clip.avi", [_frame(code=False)] * 2 + [_frame(code=True)] * 2)
    reasons: list[DeviceError] = []
    scan = scan_with_camera(clip, mrz=None, timeout_s=60, progress=reasons.append)
    assert scan.id_number == "001190123456"
    assert [reason.code for reason in reasons] == ["qr-missing"] * 2


def test_no_card_before_the_end_or_in_time(scanner: MrzScanner, tmp_path: Path) -> None:
    clip = _record(tmp_path / "clip.avi", [_frame(code=False)] * 3)
    reasons: list[DeviceError] = []
    with pytest.raises(CardUnseenError):
        scan_with_camera(clip, mrz=scanner, timeout_s=0, progress=reasons.append)
    assert len(reasons) == 1


def test_no_camera_and_no_recording(tmp_path: Path) -> None:
    with pytest.raises(CameraMissingError) as missing:
        scan_with_camera(98, mrz=None, timeout_s=1)
    assert missing.value.retryable
    (tmp_path / "clip.avi").write_bytes(b"no recording")
    with pytest.raises((CameraMissingError, CameraFailedError)):
        scan_with_camera(tmp_path / "clip.avi", mrz=None, timeout_s=1)
