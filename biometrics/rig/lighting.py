"""The screen's light over time, and how the camera adapts to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True)
class Light:
    """What the screen shows while a capture lasts."""

    pattern: LightPattern | None
    """None: a white page."""
    place: Place
    strength: float = 1.0
    """Of the screen, in parts of the place's own."""

    def screen_bgr(self, t_ms: float) -> FloatArray:
        """Return the screen's light as the camera's channels see it, at the sensor's time."""
        if self.pattern is None:
            return np.full(3, self.strength, np.float32)
        now = t_ms - self.place.latency_ms
        before, after = (
            np.array(SCREEN_BGR[self.pattern.colour_at(max(t, 0.0))]) for t in (now - FADE_MS, now)
        )
        return np.asarray((before + after) / 2 * self.strength, np.float32)

    def adapt(self, times_ms: Sequence[float]) -> list[FloatArray]:
        """Return the camera's gains for the channels at ascending times: slow, and in part."""
        keep = np.exp(-STEP_MS / (self.place.adaptation_s * 1000))
        usual = self._meter(np.ones(3))
        level = self._meter(self.screen_bgr(0.0))
        gains, now = [], 0.0
        for t_ms in times_ms:
            while now < t_ms:
                level = keep * level + (1 - keep) * self._meter(self.screen_bgr(now))
                now += STEP_MS
            gains.append((usual / level) ** self.place.adaptation)
        return [np.asarray(gain, np.float32) for gain in gains]

    def _meter(self, screen: FloatArray) -> FloatArray:
        """Return the brightness of the picture's middle, where the face is."""
        return np.asarray(np.array(self.place.ambient_bgr) + 0.6 * self.place.screen * screen)

    def factors(self, lambert: FloatArray, t_ms: float, gain: FloatArray) -> FloatArray:
        """Return by what to multiply the pixels of a frame, for each place of the grid.

        Args:
            lambert: H x W, how much of the screen's light each place throws back.
            t_ms: the frame's time.
            gain: 3, the camera's.
        """
        place = self.place
        screen = self.screen_bgr(t_ms) * place.screen
        ambient = np.array(place.ambient_bgr)
        reach = place.far + (1 - place.far) * np.clip(lambert, 0, 4)
        usual = 1 + 0.5 * place.screen
        linear = (ambient + reach[..., None] * screen) * (gain * place.exposure / usual)
        return np.asarray(linear ** (1 / GAMMA), np.float32)
