"""The screen's light over time, and how the camera adapts to it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np

from biometrics.challenge import Colour, LightPattern
from biometrics.rig.person import Place
from biometrics.types import FloatArray

SCREEN_BGR: Final = {
    Colour.RED: (0.05, 0.10, 1.0),
    Colour.GREEN: (0.12, 1.0, 0.12),
    Colour.BLUE: (1.0, 0.12, 0.05),
    Colour.WHITE: (1.0, 1.0, 1.0),
}
"""What the camera's channels see of each colour: filters and subpixels overlap."""
FADE_MS: Final = 30.0
GAMMA: Final = 2.2
STEP_MS: Final = 20.0
GLOSS: Final = 0.06
"""What a tablet's glass throws back of all light, in parts of what skin does."""


@dataclass(frozen=True)
class Light:
    """What the screen shows while a capture lasts."""

    pattern: LightPattern | None
    """None: a white page."""
    place: Place
    duration_ms: float

    def screen_bgr(self, t_ms: float) -> FloatArray:
        """Return the screen's light as the camera's channels see it, at the sensor's time."""
        if self.pattern is None:
            return np.ones(3, np.float32)
        now = t_ms - self.place.latency_ms
        before, after = (
            np.array(SCREEN_BGR[self.pattern.colour_at(max(t, 0.0))]) for t in (now - FADE_MS, now)
        )
        return np.asarray((before + after) / 2, np.float32)

    def gain_at(self, t_ms: float) -> FloatArray:
        """Return the camera's gains for the channels: it adapts slowly, and in part."""
        index = int(max(t_ms, 0.0) // STEP_MS)
        return np.asarray(self._gains[min(index, len(self._gains) - 1)])

    def factors(
        self, lambert: FloatArray, t_ms: float, glow: FloatArray | None = None
    ) -> FloatArray:
        """Return by what to multiply the pixels of a frame, for each place of the grid.

        Args:
            lambert: H x W, how much of the screen's light each place throws back.
            t_ms: the frame's time.
            glow: H x W, brightness of what shines by itself; 0 for all else.
        """
        place = self.place
        screen = self.screen_bgr(t_ms) * place.screen
        reach = place.far + (1 - place.far) * np.clip(lambert, 0, 4)
        linear = np.array(place.ambient_bgr) + reach[..., None] * screen
        if glow is not None:
            dull = 1 - (1 - GLOSS) * (glow > 0)
            linear = linear * dull[..., None] + glow[..., None]
        linear *= self.gain_at(t_ms) * (place.exposure / (1 + 0.5 * place.screen))
        return np.asarray(cv2.pow(linear.astype(np.float32), 1 / GAMMA), np.float32)

    @cached_property
    def _gains(self) -> FloatArray:
        keep = np.exp(-STEP_MS / (self.place.adaptation_s * 1000))
        usual = self._meter(np.ones(3, np.float32))
        level = self._meter(self.screen_bgr(0.0))
        gains = []
        for now in np.arange(0.0, self.duration_ms + STEP_MS, STEP_MS):
            level = keep * level + (1 - keep) * self._meter(self.screen_bgr(float(now)))
            gains.append((usual / level) ** self.place.adaptation)
        return np.asarray(gains, np.float32)

    def _meter(self, screen: FloatArray) -> FloatArray:
        """Return the brightness of the picture's middle, where the face is."""
        return np.asarray(np.array(self.place.ambient_bgr) + 0.6 * self.place.screen * screen)
