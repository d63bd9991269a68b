"""Where lines of text are in a picture, at any angle.

Source: Liao et al. 2020, "Real-time scene text detection with differentiable binarization": the
model gives each pixel the probability of lying in the core of a line, a line's text shrunk.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from devices.card_photo import GrayPicture
from devices.mrz_scan.errors import ScannerUnusableError
from devices.mrz_scan.models import OcrModel

Point = npt.NDArray[np.float64]
"""x, y; pixels of the picture, origin top left."""

_SIZE_MULTIPLE = 32
_CORE = 0.3
"""At or above: a pixel of a line's core; the authors' own threshold."""
_MIN_LENGTH_PX = 40
_MIN_ASPECT = 6.0
"""A line of 30 characters is at least ten times as long as its core is thick."""
_MAX_LINES = 60
"""The longest are kept."""


@dataclass(frozen=True)
class TextLine:
    """The middle line of a line of text, from one end to the other."""

    start: Point
    end: Point

    @property
    def length_px(self) -> float:
        """Distance of the ends."""
        return float(np.hypot(*(self.end - self.start)))

    @property
    def middle(self) -> Point:
        """Half-way between the ends."""
        return (self.start + self.end) / 2

    def reversed(self) -> "TextLine":
        """Return the line from its end to its start."""
        return TextLine(self.end, self.start)


class TextLineDetector:
    """Finds long lines of text."""

    def __init__(self, model: bytes) -> None:
        """Load the detection model.

        Raises:
            ScannerUnusableError: it cannot be loaded.
        """
        self._model = OcrModel(model)

    def find(self, picture: GrayPicture, longer_side_px: int) -> list[TextLine]:
        """Return the lines of text, longest first.

        Args:
            picture: gray.
            longer_side_px: the picture is shrunk to this before it is looked at.

        Raises:
            ScannerUnusableError: the model does not answer as it should.
        """
        height, width = picture.shape
        scale = longer_side_px / max(height, width)
        small_width, small_height = (
            max(1, round(side * scale / _SIZE_MULTIPLE)) * _SIZE_MULTIPLE
            for side in (width, height)
        )
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(picture, (small_width, small_height), interpolation=method)
        cores = self._model.run(np.asarray(small, np.uint8)[None])
        if cores.shape != (1, 1, small_height, small_width):
            raise ScannerUnusableError("the text detection model answers in another shape")
        mask = (cores[0, 0] >= _CORE).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        stretch = np.array([width / small_width, height / small_height])
        lines = [line for outline in outlines if (line := _middle_line(outline, stretch))]
        return sorted(lines, key=lambda line: -line.length_px)[:_MAX_LINES]


def _middle_line(outline: npt.NDArray[np.int32], stretch: Point) -> TextLine | None:
    corners = cv2.boxPoints(cv2.minAreaRect(outline)).astype(np.float64)
    if np.hypot(*(corners[0] - corners[1])) < np.hypot(*(corners[1] - corners[2])):
        corners = np.roll(corners, -1, axis=0)
    start, end = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    length, thickness = np.hypot(*(end - start)), np.hypot(*(corners[1] - corners[2]))
    if length < _MIN_LENGTH_PX or length < _MIN_ASPECT * thickness:
        return None
    return TextLine(start * stretch, end * stretch)
