"""Degrade a picture of a face on purpose: light, focus, resolution, pose, a second person.

Every degradation is deterministic for a given random generator, and changes one thing as a webcam,
a dark room or a passer-by would. They are drawn, not photographed: rates on them say that a measure
answers to what it is named after, not how often a real crowd will meet it.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from biometrics.types import FivePoints, FloatArray, Image

READ_NOISE = 2.5
"""Standard deviation of a cheap sensor's noise, in gray levels."""


@dataclass(frozen=True)
class Portrayal:
    """A picture with the one face that is to be degraded."""

    image: Image = field(repr=False)
    points: FivePoints = field(repr=False)
    mesh: FloatArray = field(repr=False)
    """468 x 3 mesh points of the face, in pixels of the picture."""
    bystander: Image = field(repr=False)
    """Another person's picture, for the background."""

    @property
    def unit_px(self) -> float:
        """Return the distance between the eyes, the measure of all lengths here."""
        return self.points.interocular_px


def under_expose(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture 3 to 4.5 stops darker, as a sensor gives it: with its noise, not less."""
    return _expose(scene.image, -rng.uniform(3.0, 4.5), rng)


def over_expose(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture with the light turned up until a good part of the skin is burnt out."""
    linear = _to_linear(scene.image)
    hull = _hull_mask(scene)
    level = float(np.quantile(linear[hull > 0], rng.uniform(0.25, 0.5)))
    return _from_linear(linear / max(level, 1e-3), 0.0, rng)


def light_from_one_side(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face lit from its left or right: the other half 2.5 to 4 stops darker."""
    height, width = scene.image.shape[:2]
    right, left = np.array(scene.points.right_eye), np.array(scene.points.left_eye)
    axis = (left - right) / max(scene.unit_px, 1e-6)
    middle = (right + left) / 2
    x = (np.arange(width) - middle[0])[None] * axis[0]
    y = (np.arange(height) - middle[1])[:, None] * axis[1]
    side = rng.choice((-1.0, 1.0))
    shade = 1 / (1 + np.exp(-side * (x + y) / (0.18 * scene.unit_px)))
    stops = -rng.uniform(2.5, 4.0) * (1 - shade) + 0.3 * shade
    return _from_linear(_to_linear(scene.image) * np.exp2(stops)[:, :, None], 1.0, rng)


def defocus(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture out of focus: a disc of 0.16 to 0.26 eye distances across."""
    radius = max(1.5, rng.uniform(0.08, 0.13) * scene.unit_px)
    reach = int(np.ceil(radius))
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return _as_image(cv2.filter2D(scene.image, -1, disc / disc.sum()))


def blur_by_motion(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture smeared by 0.25 to 0.4 eye distances in some direction."""
    length = max(4.0, rng.uniform(0.25, 0.4) * scene.unit_px)
    angle = rng.uniform(0, np.pi)
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), dtype=np.float32)
    offset = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    ends = np.round((np.array([-offset, offset]) + reach) * 256).astype(int)
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0, 1, cv2.LINE_AA, 8)
    return _as_image(cv2.filter2D(scene.image, -1, kernel / kernel.sum()))


def lower_resolution(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture as if 9 to 13 pixels had lain between the eyes, enlarged again."""
    scale = rng.uniform(9.0, 13.0) / max(scene.unit_px, 1e-6)
    height, width = scene.image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(scene.image, size, interpolation=cv2.INTER_AREA)
    return _as_image(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


def step_back(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture with the person too far away: 12 to 18 pixels between the eyes."""
    scale = rng.uniform(12.0, 18.0) / max(scene.unit_px, 1e-6)
    height, width = scene.image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(scene.image, size, interpolation=cv2.INTER_AREA)
    pad = (max(0, height - size[1]) // 2, max(0, width - size[0]) // 2)
    return _as_image(
        cv2.copyMakeBorder(small, pad[0], pad[0], pad[1], pad[1], cv2.BORDER_REPLICATE)
    )


def roll(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture turned by 30 to 60 degrees, either way."""
    angle = rng.uniform(30.0, 60.0) * rng.choice((-1.0, 1.0))
    height, width = scene.image.shape[:2]
    center = scene.mesh[:, :2].mean(axis=0)
    matrix = cv2.getRotationMatrix2D((float(center[0]), float(center[1])), angle, 1.0)
    return _as_image(
        cv2.warpAffine(scene.image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    )


def add_bystander(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture beside another's, whose head is 0.6 to 0.95 times as large."""
    height = scene.image.shape[0]
    other = scene.bystander
    scale = height / other.shape[0] * rng.uniform(0.6, 0.95)
    size = max(1, round(other.shape[1] * scale)), max(1, round(other.shape[0] * scale))
    small = cv2.resize(other, size, interpolation=cv2.INTER_AREA)
    top = height - small.shape[0]
    padded = cv2.copyMakeBorder(small, top, 0, 0, 0, cv2.BORDER_REPLICATE)
    pair = [scene.image, padded]
    return _as_image(np.hstack(pair if rng.random() < 0.5 else pair[::-1]))


def cut_off(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture with a border through the face: forehead, chin or a cheek is outside."""
    height, width = scene.image.shape[:2]
    (x1, y1), (x2, y2) = scene.mesh[:, :2].min(axis=0), scene.mesh[:, :2].max(axis=0)
    share = rng.uniform(0.2, 0.3)
    edges = {
        "top": (y1 + share * (y2 - y1), height, 0, width),
        "bottom": (0, y2 - share * (y2 - y1), 0, width),
        "left": (0, height, x1 + share * (x2 - x1), width),
        "right": (0, height, 0, x2 - share * (x2 - x1)),
    }
    top, bottom, left, right = (round(v) for v in edges[rng.choice(list(edges))])
    cropped = scene.image[max(0, top) : bottom, max(0, left) : right]
    return np.ascontiguousarray(cropped)


def tint(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the picture under a strongly coloured lamp: blue, green or magenta."""
    gains = ((1.0, 0.35, 0.15), (0.2, 1.0, 0.25), (1.0, 0.15, 0.8))
    gain = np.array(gains[rng.integers(len(gains))], dtype=np.float32)
    return _from_linear(_to_linear(scene.image) * gain, 1.0, rng)


def is_gray(image: Image) -> bool:
    """Return whether all channels are equal."""
    b, g, r = cv2.split(image)
    return bool(np.array_equal(b, g) and np.array_equal(g, r))


def finish(scene: Portrayal, canvas: FloatArray) -> Image:
    """Return 8-bit pixels; a gray picture stays gray."""
    pixels = canvas.round().clip(0, 255).astype(np.uint8)
    if is_gray(scene.image):
        gray = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        return _as_image(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR))
    return pixels


def soften(plane: FloatArray, sigma_px: float, sigma_y_px: float = 0.0) -> FloatArray:
    """Return a plane blurred by a Gaussian; along y by another width where one is given."""
    blurred = cv2.GaussianBlur(plane, (0, 0), sigma_px, sigmaY=sigma_y_px)
    return np.asarray(blurred, dtype=np.float32)


def _expose(image: Image, stops: float, rng: np.random.Generator) -> Image:
    return _from_linear(_to_linear(image) * 2.0**stops, READ_NOISE, rng)


def _to_linear(image: Image) -> FloatArray:
    """Return light from pixels, by the power of sRGB's curve."""
    return np.asarray((image.astype(np.float32) / 255) ** 2.2, dtype=np.float32)


def _from_linear(linear: FloatArray, noise: float, rng: np.random.Generator) -> Image:
    pixels = linear.clip(0, 1) ** (1 / 2.2) * 255
    grain = rng.normal(0, noise, linear.shape[:2])[:, :, None] if noise else 0.0
    return (pixels + grain).round().clip(0, 255).astype(np.uint8)


def _hull_mask(scene: Portrayal) -> Image:
    mask = np.zeros(scene.image.shape[:2], dtype=np.uint8)
    hull = cv2.convexHull(np.round(scene.mesh[:, :2]).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    if not mask.any():
        mask[:] = 1
    return mask


def _as_image(pixels: object) -> Image:
    return np.asarray(pixels, dtype=np.uint8)
