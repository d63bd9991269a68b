"""A print or a screen that is held before the camera: flat, or bent about an upright cylinder."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from biometrics.rig.camera import Camera
from biometrics.rig.choreography import Pose, Track
from biometrics.rig.geometry import FRAME_PX, GRID_PX
from biometrics.rig.lighting import Light
from biometrics.rig.person import Place
from biometrics.rig.stage import rays, rotation
from biometrics.types import FloatArray, Image

FAR_AWAY: Final = 1e4
MOIRE_SIZE: Final = 256
OUTSIDE_PX: Final = 1e9
"""Pixels of the artefact this far out are none."""
PAPER_REFLECTS: Final = 0.9
"""What paper throws back of the screen's light, in parts of what skin does."""


@dataclass(frozen=True)
class Artefact:
    """What is held; its own pixels have the sitter's middle where the hand turns it."""

    picture: Callable[[float, Pose], Image]
    """Its surface at a time, while it follows a pose; always of one size."""
    middle_px: tuple[float, float]
    """Where the face's middle lies on it."""
    px_per_cm: float
    scale: float
    """Size of the face on it by that of a real one: so much nearer it is held."""
    radius_cm: float | None = None
    """Of the cylinder about which it is bent; None: flat."""
    glow: float = 0.0
    """Brightness of a screen, in parts of the room's light; 0 for paper."""
    pitch_cm: float = 0.0
    """Of a screen's pixels."""
    moire: float = 0.0
    """How strongly they interfere with the sensor's, 0-1."""


class Held:
    """An artefact that a hand moves along a track."""

    def __init__(
        self, artefact: Artefact, track: Track, light: Light, camera: Camera, room: Image
    ) -> None:
        self._artefact = artefact
        self._track = track
        self._light = light
        self._camera = camera
        self._room = room
        self._rays = rays(light.place.focal_px)

    def shoot(self, t_ms: float) -> Image:
        """Return the frame of 480 x 640 at a time."""
        artefact, pose = self._artefact, self._track.at(t_ms)
        surface = artefact.picture(t_ms, pose)
        x, y, facing = self._meet(pose)
        columns = cv2.resize(x * artefact.px_per_cm + artefact.middle_px[0], FRAME_PX)
        rows = cv2.resize(y * artefact.px_per_cm + artefact.middle_px[1], FRAME_PX)
        dx, dy = self._camera.shake()
        columns, rows = columns + np.float32(dx), rows + np.float32(dy)
        front = cv2.remap(surface, columns, rows, cv2.INTER_LINEAR)
        height, width = surface.shape[:2]
        edges = np.stack([columns, rows, width - 1 - columns, height - 1 - rows]).min(axis=0)
        distance_cm = pose.distance_cm * artefact.scale
        px = artefact.px_per_cm * distance_cm / self._light.place.focal_px
        there = np.clip(edges / px, 0, 1).astype(np.float32)
        if artefact.moire:
            front = cv2.multiply(front, self._interference(columns, rows), scale=1 / 255)
        behind = np.asarray(1 - there, np.float32)
        frame = cv2.blendLinear(front, self._room, there, behind)
        held = cv2.resize(there, GRID_PX, interpolation=cv2.INTER_AREA)
        lambert = held * facing * (50 / distance_cm) ** 2 * PAPER_REFLECTS
        glow = held * artefact.glow if artefact.glow else None
        factors = self._light.factors(lambert, t_ms, glow)
        return self._camera.expose(np.asarray(frame, np.uint8), factors)

    def _meet(self, pose: Pose) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return where the rays meet the surface, centimetres from its middle, and how it faces.

        All are 120 x 160.
        """
        turn = rotation(pose)
        scale = self._artefact.scale
        middle = np.array([pose.x_cm, pose.y_cm, pose.distance_cm], np.float32) * scale
        origin = -(turn.T @ middle)
        direction = np.einsum("ji,jyx->iyx", turn, self._rays)
        radius = self._artefact.radius_cm
        if radius is None:
            t = -origin[2] / direction[2]
            x = origin[0] + t * direction[0]
            across = x
            normal = np.zeros_like(x)
        else:
            # The cylinder's axis lies behind the surface's middle, upright.
            ox, oz = origin[0], origin[2] - radius
            a = direction[0] ** 2 + direction[2] ** 2
            b = ox * direction[0] + oz * direction[2]
            root = b**2 - a * (ox**2 + oz**2 - radius**2)
            t = (-b - np.sqrt(np.maximum(root, 0))) / a
            normal = np.arctan2(ox + t * direction[0], -(oz + t * direction[2]))
            across = np.where(
                root < 0, np.sign(b * 0 + ox + t * direction[0]) * FAR_AWAY, radius * normal
            )
        y = origin[1] + t * direction[1]
        facing = np.cos(normal + math.radians(pose.yaw_deg)) * math.cos(
            math.radians(pose.pitch_deg)
        )
        return (
            np.asarray(across, np.float32),
            np.asarray(y, np.float32),
            np.clip(facing, 0, 1).astype(np.float32),
        )

    def _interference(self, columns: FloatArray, rows: FloatArray) -> Image:
        """Return by what to multiply each pixel, in 255ths: the screen's grid as sampled here."""
        pitch = self._artefact.pitch_cm * self._artefact.px_per_cm
        table = _gratings(self._artefact.moire)
        across, down = (
            np.nan_to_num(places * (MOIRE_SIZE / pitch))
            .clip(-OUTSIDE_PX, OUTSIDE_PX)
            .astype(np.int32)
            & (MOIRE_SIZE - 1)
            for places in (columns, rows)
        )
        return np.asarray(cv2.multiply(table[0][across], table[1][down], scale=1 / 255), np.uint8)


def furnish(place: Place, rng: np.random.Generator) -> Image:
    """Return a room of 480 x 640: a wall with something out of focus on it."""
    coarse = rng.normal(0, 1, (4, 5, 1)) * rng.uniform(2, 22) + rng.normal(0, 3, (4, 5, 3))
    base = rng.uniform(90, 190) * np.array(place.wall_bgr)
    slope = np.linspace(1.08, 0.88, FRAME_PX[1])[:, None, None]
    blobs = cv2.resize(coarse.astype(np.float32), FRAME_PX, interpolation=cv2.INTER_CUBIC)
    return np.asarray((base * slope + blobs).clip(20, 235), np.uint8)


def _gratings(strength: float) -> tuple[Image, Image]:
    """Return what a pixel's columns (each colour has its own third) and rows let through."""
    phase = np.arange(MOIRE_SIZE)[:, None] / MOIRE_SIZE
    columns = np.cos(2 * np.pi * (phase - np.array([0, 1, 2]) / 3))
    rows = np.repeat(np.cos(2 * np.pi * phase), 3, axis=1)
    return tuple(  # type: ignore[return-value]
        (255 * (1 - strength * (1 + wave) / 2)).round().astype(np.uint8) for wave in (columns, rows)
    )
