"""The simulated camera: blur, shake, sensor noise, JPEG."""

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.rig.geometry import FRAME_PX
from biometrics.rig.person import Place
from biometrics.types import FloatArray, Image

NOISE_LEVEL: Final = 16.0
"""Standard deviation of the stored noise, so that 8 bits hold it finely."""
NOISE_MARGIN: Final = 96


class Camera:
    """One camera, with its own noise from frame to frame."""

    def __init__(self, place: Place, rng: np.random.Generator) -> None:
        self._place = place
        self._rng = rng

    def shake(self) -> tuple[float, float]:
        """Return how far the frame is shifted, in pixels."""
        dx, dy = self._rng.normal(0, self._place.shake_px, 2)
        return float(dx), float(dy)

    def expose(self, picture: Image, factors: FloatArray) -> Image:
        """Return the frame as it leaves the sensor.

        Args:
            picture: 480 x 640, what the lens sees under even white light.
            factors: by what to multiply it, on any grid.
        """
        soft = cv2.GaussianBlur(picture, (3, 3), self._place.softness_px)
        full = cv2.resize(factors, FRAME_PX, interpolation=cv2.INTER_LINEAR)
        lit = cv2.multiply(soft, full, dtype=cv2.CV_8U)
        return self.add_noise(np.asarray(lit, np.uint8))

    def add_noise(self, frame: Image) -> Image:
        """Return the frame with fresh sensor noise."""
        stored = _stored_noise()[int(self._rng.integers(2))]
        dx, dy = self._rng.integers(0, NOISE_MARGIN, 2)
        part = stored[dy : dy + FRAME_PX[1], dx : dx + FRAME_PX[0]]
        share = self._place.noise / NOISE_LEVEL
        noisy = cv2.addWeighted(frame, 1.0, part, share, -128 * share)
        return np.asarray(noisy, np.uint8)

    def encode(self, frame: Image) -> bytes:
        """Return the frame as JPEG."""
        options = [cv2.IMWRITE_JPEG_QUALITY, self._place.jpeg_quality]
        return cv2.imencode(".jpg", frame, options)[1].tobytes()


@cache
def _stored_noise() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return noise about 128, larger than a frame, for frames to take parts of; and mirrored."""
    width, height = (side + NOISE_MARGIN for side in FRAME_PX)
    rng = np.random.default_rng(20_260_722)
    noise = rng.normal(128, NOISE_LEVEL, (height, width, 3))
    stored = noise.round().clip(0, 255).astype(np.uint8)
    return stored, np.ascontiguousarray(stored[:, ::-1])
