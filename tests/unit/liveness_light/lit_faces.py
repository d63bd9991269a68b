"""Simulated colours of faces and backgrounds before a coloured screen, and a camera that adapts."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from biometrics.challenge import Colour, LightPattern
from biometrics.landmarks import LEFT_OUTER_EYE_CORNER, POINTS, RIGHT_OUTER_EYE_CORNER, Mesh
from biometrics.liveness.capture import Observation, Sighting
from biometrics.liveness.colours import FrameColours
from biometrics.types import Box, Face, FivePoints

SCREEN_BGR = {
    Colour.RED: (0.04, 0.08, 1.0),
    Colour.GREEN: (0.10, 1.0, 0.10),
    Colour.BLUE: (1.0, 0.10, 0.04),
    Colour.WHITE: (1.0, 1.0, 1.0),
}
SLOTS = 16
MESH = np.zeros((POINTS, 3), dtype=np.float32)


def draw_pattern(rng: np.random.Generator, slots: int = SLOTS) -> LightPattern:
    """Return colours of which none follows itself."""
    source = random.Random(int(rng.integers(2**32)))
    colours = [source.choice(list(Colour))]
    while len(colours) < slots:
        colours.append(source.choice([c for c in Colour if c is not colours[-1]]))
    return LightPattern(tuple(colours))


@dataclass(frozen=True)
class Room:
    """Where the face is, and what looks at it."""

    amplitude: float = 0.4
    """The screen's light on the face by the ambient light."""
    wall: float = 0.1
    """The screen's light behind the person by that on the face."""
    ambient_bgr: tuple[float, float, float] = (0.8, 0.95, 1.05)
    lag_ms: float = 120.0
    fps: float = 12.0
    noise: float = 0.4
    """Standard deviation of an area's mean, gray levels."""
    adaptation_s: float = 1.5
    exposure_control: float = 0.6
    """Part of the brightness that the camera takes back."""
    white_balance: float = 0.3
    """Part of a tint that the camera takes back."""
    turns: float = 0.3
    """Change of the nose's offset in turns, which tint the face a little."""
    spontaneous: Callable[[float], np.ndarray] = lambda t_ms: np.ones(3)
    """The ambient light's own change over time, by channel."""
    level: float = 0.35
    """Of the face, in parts of the sensor's range."""


def capture(
    pattern: LightPattern | None, room: Room, rng: np.random.Generator, duration_ms: float = 8000.0
) -> list[Observation]:
    """Return what a camera sees of a face that a screen with this pattern lights."""
    skin, wall = np.array([0.6, 0.75, 1.0]), np.array([0.9, 0.95, 1.0])
    ambient = np.array(room.ambient_bgr)
    usual = ambient * (1 + room.amplitude * 0.5)
    gain, observations, t_ms, index = np.ones(3), [], 0.0, 0
    while t_ms <= duration_ms:
        shown = (
            np.array(SCREEN_BGR[pattern.colour_at(max(0.0, t_ms - room.lag_ms))]) if pattern else 1
        )
        around = ambient * room.spontaneous(t_ms)
        lit = around + room.amplitude * shown * ambient.mean()
        behind = around + room.amplitude * room.wall * shown * ambient.mean()
        goal = usual / lit
        even = goal.mean() ** room.exposure_control * (goal / goal.mean()) ** room.white_balance
        gain = gain + (even - gain) * min(1.0, 1 / room.fps / room.adaptation_s)
        offset = room.turns * np.sin(2 * np.pi * t_ms / 4000) ** 3
        tint = 1 + 0.1 * offset * np.array([1.0, 0.0, -1.0])
        face_bgr = _develop(skin * lit * tint * gain / usual * room.level, room.noise, rng)
        wall_bgr = _develop(wall * behind * gain / usual * room.level, room.noise, rng)
        observations.append(observe(index, t_ms, face_bgr, wall_bgr, offset))
        t_ms += 1000 / room.fps * rng.uniform(0.85, 1.15)
        index += 1
    return observations


def _develop(linear: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    bright = 255 * np.clip(linear, 0, 1) ** (1 / 2.2)
    return np.clip(bright + rng.normal(0, noise, 3), 0, 255).astype(np.float32)


def observe(
    index: int, t_ms: float, face_bgr: np.ndarray, background_bgr: np.ndarray, offset: float = 0.0
) -> Observation:
    """Return one frame with these colours."""
    points = MESH.copy()
    points[[RIGHT_OUTER_EYE_CORNER, LEFT_OUTER_EYE_CORNER], 0] = 280, 370
    five = FivePoints((290, 200), (360, 200), (325, 240), (300, 280), (350, 280))
    colours = FrameColours(
        face_bgr,
        background_bgr,
        clipped=float((face_bgr >= 250).any()),
        dark=float((face_bgr <= 20).all()),
    )
    sighting = Sighting(
        face=Face(Box(240, 130, 410, 330), five, 0.9),
        mesh=Mesh(points, 1.0),
        aligned=np.zeros((112, 112, 3), np.uint8),
        colours=colours,
        nose_offset=offset,
    )
    thumbnail = np.zeros((48, 64), np.uint8)
    return Observation(index, t_ms, (640, 480), b"%d" % index, thumbnail, sighting, None)


def tinted(observations: list[Observation], pattern: LightPattern, lag_ms: float, depth: float):
    """Return the frames as an injector tints them as a whole to follow a pattern."""
    done = []
    for o in observations:
        shown = np.array(SCREEN_BGR[pattern.colour_at(max(0.0, o.t_ms - lag_ms))])
        factor = (1 + depth * shown) / (1 + depth * 0.5)
        old = o.sighting.colours
        new = replace(
            old,
            face_bgr=np.minimum(old.face_bgr * factor, 255).astype(np.float32),
            background_bgr=np.minimum(old.background_bgr * factor, 255).astype(np.float32),
        )
        done.append(replace(o, sighting=replace(o.sighting, colours=new)))
    return done
