"""Put the frames of a capture side by side, for people to look at."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from biometrics.image import decode_image
from biometrics.rig.errors import RigSettingInvalidError
from biometrics.types import FrameSample, Image

COLUMNS: Final = 8
MAX_ROWS: Final = 6
TILE_PX: Final = (240, 180)
TITLE_PX: Final = 26


def contact_sheet(frames: Sequence[FrameSample], title: str) -> Image:
    """Return a picture of up to 48 frames, evenly chosen, each with its time, under a title.

    Args:
        frames: of one capture.
        title: what is shown; ASCII only.

    Raises:
        RigSettingInvalidError: there are no frames.
        ImageError: a frame cannot be decoded.
    """
    if not frames:
        raise RigSettingInvalidError("there are no frames to show")
    count = min(len(frames), COLUMNS * MAX_ROWS)
    chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, count).round().astype(int)]
    rows = -(-count // COLUMNS)
    width, height = TILE_PX
    sheet = np.full((TITLE_PX + rows * height, COLUMNS * width, 3), 32, np.uint8)
    _write(sheet, title, (8, 18))
    for number, frame in enumerate(chosen):
        top = TITLE_PX + number // COLUMNS * height
        left = number % COLUMNS * width
        picture = frame.picture
        pixels = decode_image(picture) if isinstance(picture, bytes) else picture
        sheet[top : top + height, left : left + width] = cv2.resize(
            pixels, TILE_PX, interpolation=cv2.INTER_AREA
        )
        _write(sheet, f"{frame.t_ms / 1000:.2f} s", (left + 6, top + height - 8))
    return sheet


def _write(sheet: Image, text: str, place: tuple[int, int]) -> None:
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(
            sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thickness, cv2.LINE_AA
        )
