"""A drawn camera: observations of a person before a wall, with noise and movement of their own."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from biometrics.challenge import Action, Challenge, Side, Step
from biometrics.challenge.steps import Extent
from biometrics.landmarks import LEFT_OUTER_EYE_CORNER, RIGHT_OUTER_EYE_CORNER, Mesh
from biometrics.liveness.capture import Observation, Sighting
from biometrics.liveness.colours import FrameColours
from biometrics.types import Box, Face

DURATION_MS = 6000
STEP = Step(Action.TURN, 1000, 2000, 3000, Side.LEFT, Extent.FULL)


class Camera:
    """Draws what the observer keeps of each frame. Lengths in pixels of 640 x 480."""

    def __init__(self, seed=0, noise=0.3, sway=1.0):
        self.rng = np.random.default_rng(seed)
        self.noise, self.sway = noise, sway
        self.wall = self._texture(110, 60)
        self.skin = self._texture(150, 90)
        self.phases = self.rng.uniform(0, 6.28, 6)
        self.points = self.rng.uniform(-80, 80, (468, 3)).astype(np.float32)
        self.points[RIGHT_OUTER_EYE_CORNER, :2] = -45, -20
        self.points[LEFT_OUTER_EYE_CORNER, :2] = 45, -20

    def _texture(self, mean, spread):
        coarse = self.rng.uniform(-spread, spread, (8, 11)).astype(np.float32)
        return mean + cv2.resize(coarse, (84, 63), interpolation=cv2.INTER_CUBIC)

    def place(self, t_ms):
        """Where the face is: swaying, and gone to the side and back twice."""
        s, p = t_ms / 1000, self.phases
        x = 300 + self.sway * (2 * np.sin(1.9 * s + p[0]) + np.sin(4.3 * s + p[1]))
        y = 240 + self.sway * (2 * np.sin(1.3 * s + p[2]) + np.sin(5.1 * s + p[3]))
        for begin, length in ((1.2, 1.5), (3.4, 1.9)):
            inside = np.clip((s - begin) / length, 0, 1)
            x += 70 * np.sin(np.pi * inside) ** 2
        return x, y

    def picture(self, t_ms, gain=1.0):
        """The thumbnail without noise."""
        x, y = self.place(t_ms)
        shift = np.array([[1, 0, x / 10 - 42], [0, 1, y / 10 - 31]])
        face = cv2.warpAffine(self.skin, shift, (64, 48), borderMode=cv2.BORDER_REFLECT)
        columns, rows = np.meshgrid(np.arange(64), np.arange(48))
        inside = ((columns - x / 10) / 8) ** 2 + ((rows - y / 10) / 11) ** 2
        share = 1 / (1 + np.exp(8 * (inside - 1)))
        return gain * (share * face + (1 - share) * self.wall[:48, :64])

    def observe(self, picture, t_ms, index=0, place=None):
        """Shoot a picture."""
        shot = picture + self.rng.normal(0, self.noise, picture.shape)
        thumbnail = shot.clip(0, 255).round().astype(np.uint8)
        x, y = place or self.place(t_ms)
        points = self.points + self.rng.normal(0, 0.1, (468, 3)) + (x, y, 0)
        box = Box(x - 80, y - 100, x + 80, y + 80)
        mesh = Mesh(points.astype(np.float32), 1.0)
        gray = FrameColours(np.full(3, 120.0), np.full(3, 110.0), 0.0, 0.0)
        face = Face(box, mesh.five_points, 0.9)
        sighting = Sighting(face, mesh, np.zeros((112, 112, 3), np.uint8), gray, 0.0)
        digest = hashlib.sha256(self.rng.bytes(16)).digest()
        return Observation(index, float(t_ms), (640, 480), digest, thumbnail, sighting, None)

    def film(self, fps=12.0, duration_ms=DURATION_MS, gain=lambda t_ms: 1.0):
        """An honest capture."""
        times = np.arange(0, duration_ms + 1, 1000 / fps)
        jitter = self.rng.uniform(-8, 8, len(times))
        return [
            self.observe(self.picture(t, gain(t)), t, i)
            for i, t in enumerate((times + jitter).clip(0).tolist())
        ]


def retimed(observations, like):
    """Give frames the places and times of others, as one who cuts a recording does."""
    pairs = zip(observations, like, strict=False)
    return [replace(o, index=i, t_ms=old.t_ms) for i, (o, old) in enumerate(pairs)]


@pytest.fixture
def challenge():
    return Challenge("0" * 32, (STEP,), DURATION_MS)


@pytest.fixture
def camera():
    return Camera()


@pytest.fixture
def new_camera():
    return Camera


@pytest.fixture(name="retimed")
def retimed_function():
    return retimed
