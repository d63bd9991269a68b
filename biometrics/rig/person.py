"""Who sits before the camera, how they move, and what the place is like: all drawn from a seed."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

WAVES: Final = 7
WAVE_HZ: Final = (0.07, 1.3)


@dataclass(frozen=True)
class Sway:
    """A small movement that never rests: a sum of slow waves, standard deviation 1."""

    hz: tuple[float, ...]
    phase: tuple[float, ...]
    weight: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Sway":
        """Draw one."""
        hz = np.exp(rng.uniform(math.log(WAVE_HZ[0]), math.log(WAVE_HZ[1]), WAVES))
        weight = rng.uniform(0.5, 1.5, WAVES) / np.sqrt(hz)
        weight *= np.sqrt(2 / np.sum(weight**2))
        phase = rng.uniform(0, 2 * np.pi, WAVES)
        return cls(tuple(hz), tuple(phase), tuple(weight))

    def at(self, t_ms: float) -> float:
        """Return the deviation at a time."""
        angles = 2 * np.pi * np.array(self.hz) * t_ms / 1000 + np.array(self.phase)
        return float(np.sin(angles) @ np.array(self.weight))


@dataclass(frozen=True)
class Person:
    """How somebody sits and moves."""

    distance_cm: float
    """From the camera to the front of the face, at rest."""
    place_cm: tuple[float, float]
    """Middle of the face beside and below the camera's axis."""
    rest_deg: tuple[float, float, float]
    """Yaw, pitch and roll when they look at the camera."""
    sways: tuple[Sway, ...]
    """Of yaw, pitch, roll, x, y, distance and four parts of the face."""
    restlessness: float
    """How much they sway, 1 for most."""
    liveliness: float
    """How much the face moves, in pixels of a face whose eye corners are 110 apart."""
    reaction_ms: tuple[float, float]
    tempo: float
    """How long movements take, 1 for most."""
    full_deg: float
    """Yaw of a full turn. Rendered from 23 pictures of LFW's fold 1 and the five samples, 44 to 52
    degrees change the nose's offset by 0.26 to 0.54 (5th to 95th percentile)."""
    half_deg: float
    """...of a half turn: 18 to 22 degrees change it by 0.13 to 0.24."""
    approach: float
    """Factor of the distance when they come nearer or draw back, above 1."""
    nod: float
    """Degrees of pitch for each of yaw: nobody turns about a plumb line."""
    blink_every_s: float
    seed: int
    """Of what they do a little differently each time."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Person":
        """Draw a person."""
        slowest = rng.uniform(420, 600)
        return cls(
            distance_cm=rng.uniform(45, 75),
            place_cm=(rng.normal(0, 1.5), rng.normal(0.5, 1.0)),
            rest_deg=(rng.normal(0, 2), rng.normal(0, 3), rng.normal(0, 2)),
            sways=tuple(Sway.draw(rng) for _ in range(10)),
            restlessness=rng.uniform(0.5, 1.4),
            liveliness=rng.uniform(0.5, 1.3),
            reaction_ms=(rng.uniform(250, slowest), slowest),
            tempo=rng.uniform(0.8, 1.25),
            full_deg=rng.uniform(50, 58),
            half_deg=rng.uniform(20, 24),
            approach=rng.uniform(1.32, 1.5),
            nod=rng.uniform(-0.08, 0.08),
            blink_every_s=rng.uniform(2, 6),
            seed=int(rng.integers(1 << 31)),
        )


@dataclass(frozen=True)
class Place:
    """Room, screen and camera."""

    focal_px: float
    """For a frame 640 pixels wide."""
    ambient_bgr: tuple[float, float, float]
    """Light of the room as the camera's channels see it, mean 1."""
    screen: float
    """Light of the white screen on a face half a metre away, in parts of the room's light."""
    far: float
    """What part of it reaches the background."""
    latency_ms: float
    """From the pattern's clock to the light on the sensor."""
    adaptation: float
    """What part of a change of brightness or colour the camera takes back, 0-1..."""
    adaptation_s: float
    """...and how quickly."""
    exposure: float
    noise: float
    """Standard deviation of the sensor's noise at full brightness, in gray levels."""
    softness_px: float
    """Standard deviation of the lens's blur."""
    jpeg_quality: int
    frame_jitter: float
    """Standard deviation of a frame's time, in parts of the interval."""
    shake_px: float
    skin: float
    """Skin's tone where the picture is gray: 0 dark, 1 light."""
    wall_bgr: tuple[float, float, float]
    """The wall's colour where the picture is gray, mean 1."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Place":
        """Draw a place."""
        warmth = rng.normal(0, 0.05)
        return cls(
            focal_px=rng.uniform(560, 680),
            ambient_bgr=(1 - warmth, 1.0, 1 + warmth),
            screen=rng.uniform(0.25, 0.8),
            far=rng.uniform(0.03, 0.12),
            latency_ms=rng.uniform(40, 120),
            adaptation=rng.uniform(0.1, 0.5),
            adaptation_s=rng.uniform(0.8, 2.5),
            exposure=rng.uniform(0.85, 1.12),
            noise=rng.uniform(1.5, 4.0),
            softness_px=rng.uniform(0.3, 0.8),
            jpeg_quality=int(rng.integers(80, 95)),
            frame_jitter=rng.uniform(0.01, 0.08),
            shake_px=rng.uniform(0.0, 0.3),
            skin=rng.uniform(0, 1),
            wall_bgr=tuple((1 + rng.normal(0, 0.03, 3)).tolist()),
        )
