"""Draw over a face along its mesh: what must be taken off, and what may stay on.

Masks, dark glasses and a hand must be noticed; clear glasses, beards and head coverings that leave
the face free must not be refused.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.quality_evaluation.degradation import Portrayal, finish, soften
from biometrics.types import FloatArray, Image

AnyArray: TypeAlias = NDArray[np.floating[Any]]

LOWER_OVAL: Final = (
    *(234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152),
    *(377, 400, 378, 379, 365, 397, 288, 361, 323, 454),
)
"""The face's outline from ear to ear by way of the chin, from the subject's right."""
UPPER_OVAL: Final = (
    *(234, 127, 162, 21, 54, 103, 67, 109, 10),
    *(338, 297, 332, 284, 251, 389, 356, 454),
)
"""The same by way of the forehead."""
MOUTH: Final = (
    61,
    185,
    40,
    39,
    37,
    0,
    267,
    269,
    270,
    409,
    291,
    375,
    321,
    405,
    314,
    17,
    84,
    181,
    91,
)
MASK_TOPS: Final = ((447, 280, 6, 50, 227), (447, 280, 197, 50, 227), (447, 330, 195, 101, 227))
"""Upper edges of a mask across cheeks and nose, from the subject's left: high, usual, slipped."""
FABRICS_BGR: Final = (
    *((235, 235, 235), (215, 190, 150), (200, 200, 160), (25, 25, 25), (60, 45, 40)),
    *((120, 120, 120), (150, 120, 190), (160, 140, 110), (70, 90, 60), (150, 180, 210)),
)
"""White, surgical blue and green, black, navy, gray, pink, blue, olive and beige."""


def wear_mask(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face with a medical or cloth mask over nose and mouth: plain, pleated, striped."""
    top = MASK_TOPS[rng.integers(len(MASK_TOPS))]
    outline = scene.mesh[[*LOWER_OVAL, *top], :2]
    chin_drop = np.zeros_like(outline)
    chin_drop[5:16, 1] = 0.08 * scene.unit_px
    mask = _polygon(scene, outline + chin_drop)
    return _blend(scene, mask, _fabric(scene, rng), shade=0.45)


def wear_dark_glasses(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face with sunglasses: two dark lenses, a bridge, sometimes a reflection."""
    unit = scene.unit_px
    mask = np.zeros(scene.image.shape[:2], dtype=np.float32)
    across = np.subtract(scene.points.left_eye, scene.points.right_eye) / max(unit, 1e-6)
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    axes = rng.uniform(0.38, 0.52) * unit, rng.uniform(0.27, 0.42) * unit
    down = np.array([-across[1], across[0]]) * 0.06 * unit
    centers = []
    for eye, side in ((scene.points.right_eye, -1), (scene.points.left_eye, 1)):
        center = np.array(eye) + down + side * 0.06 * unit * across
        centers.append(center)
        cv2.ellipse(mask, (tuple(center.tolist()), (2 * axes[0], 2 * axes[1]), angle), 1.0, -1)
    bridge = [np.round(c - down).astype(int).tolist() for c in centers]
    cv2.line(mask, bridge[0], bridge[1], 1.0, max(1, round(0.05 * unit)))
    for center, corner in zip(centers, (127, 356), strict=True):
        temple = np.round(scene.mesh[corner, :2]).astype(int).tolist()
        start = np.round(center - down).astype(int).tolist()
        cv2.line(mask, start, temple, 1.0, max(1, round(0.05 * unit)))
    height, width = scene.image.shape[:2]
    dark = rng.uniform(8, 45)
    tone = np.full((height, width, 3), dark, dtype=np.float32)
    if rng.random() < 0.6:
        glow = np.linspace(0, rng.uniform(30, 90), height, dtype=np.float32)[::-1]
        top, low = min(c[1] for c in centers), max(c[1] for c in centers)
        rows = np.interp(np.arange(height), (top - axes[1], low + axes[1]), (glow[0], 0.0))
        tone += rows[:, None, None].astype(np.float32)
    return _blend(scene, mask, tone, shade=0.08)


def cover_mouth_with_hand(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face with fingers of its own skin before the mouth, shaded like fingers."""
    unit = scene.unit_px
    canvas = scene.image.astype(np.float32)
    skin = _skin_tone(scene) * rng.uniform(0.8, 1.08)
    center = scene.mesh[[13, 14], :2].mean(axis=0)
    lean = rng.uniform(-0.5, 0.5) + (0 if rng.random() < 0.5 else np.pi)
    along = np.array([np.cos(lean), np.sin(lean)])
    down = np.array([-along[1], along[0]]) * np.sign(np.cos(lean))
    width = rng.uniform(0.27, 0.33) * unit
    grain = rng.normal(0, 3.0, scene.image.shape[:2]).astype(np.float32)
    y, x = np.indices(scene.image.shape[:2], dtype=np.float32)
    for finger in range(4):
        middle = center + down * (finger - 1.4) * width
        tip = middle + along * (0.75 + rng.uniform(-0.1, 0.1)) * unit
        start = middle - along * 2.2 * unit
        span = tip - start
        share = ((x - start[0]) * span[0] + (y - start[1]) * span[1]) / (span @ span)
        share = share.clip(0, 1)
        far = np.hypot(x - start[0] - share * span[0], y - start[1] - share * span[1])
        inside = np.clip(width / 2 - far + 0.5, 0, 1)[:, :, None]
        round_shade = 0.62 + 0.42 * np.sqrt(np.clip(1 - (2 * far / width) ** 2, 0, 1))
        finger_tone = skin * round_shade[:, :, None] + grain[:, :, None]
        canvas = canvas * (1 - inside) + finger_tone * inside
    return finish(scene, canvas)


def cover_half_with_cloth(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face with one half, from forehead to chin, behind cloth or hair."""
    side = rng.choice((-1, 1))
    (x1, y1), (x2, y2) = scene.mesh[:, :2].min(axis=0), scene.mesh[:, :2].max(axis=0)
    middle = scene.mesh[[168, 6, 4], 0].mean()
    outer = x1 - 0.2 * scene.unit_px if side < 0 else x2 + 0.2 * scene.unit_px
    margin = 0.3 * scene.unit_px
    corners = [
        (middle, y1 - margin),
        (outer, y1 - margin),
        (outer, y2 + margin),
        (middle, y2 + margin),
    ]
    mask = _polygon(scene, np.array(corners, dtype=np.float32))
    return _blend(scene, mask, _fabric(scene, rng), shade=0.2)


def wear_clear_glasses(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face with ordinary glasses: thin or thick rims, a slight glare on the lenses."""
    unit = scene.unit_px
    rims = np.zeros(scene.image.shape[:2], dtype=np.float32)
    lenses = np.zeros_like(rims)
    across = np.subtract(scene.points.left_eye, scene.points.right_eye) / max(unit, 1e-6)
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    thick = max(1, round(rng.uniform(0.02, 0.06) * unit))
    axes = 0.76 * unit, rng.uniform(0.5, 0.62) * unit
    centers = [np.array(scene.points.right_eye), np.array(scene.points.left_eye)]
    centers = [c + side * 0.04 * unit * across for c, side in zip(centers, (-1, 1), strict=True)]
    for center, corner in zip(centers, (127, 356), strict=True):
        ring = (tuple(center.tolist()), axes, angle)
        cv2.ellipse(lenses, ring, 1.0, -1)
        cv2.ellipse(rims, ring, 1.0, thick, cv2.LINE_AA)
        temple = scene.mesh[corner, :2]
        edge = center + (temple - center) / max(np.linalg.norm(temple - center), 1e-6) * axes[0] / 2
        _line(rims, edge, temple, thick)
    inner = [c - side * axes[0] / 2 * across for c, side in zip(centers, (-1, 1), strict=True)]
    _line(rims, inner[0], inner[1], thick)
    canvas = scene.image.astype(np.float32)
    glare = rng.uniform(0, 0.12) * lenses[:, :, None]
    canvas = canvas * (1 - glare) + 255 * glare
    tone = np.array(
        ((25, 25, 25), (40, 50, 70), (150, 150, 155))[rng.integers(3)], dtype=np.float32
    )
    return finish(scene, canvas * (1 - rims[:, :, None]) + tone * rims[:, :, None])


def grow_beard(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face with beard and moustache that leave the lips free: dark, gray or white."""
    lower = scene.mesh[[*LOWER_OVAL, 361, 411, 327, 2, 98, 187, 132], :2]
    mask = _polygon(scene, lower)
    mask = mask * (1 - _polygon(scene, scene.mesh[list(MOUTH), :2]))
    mask = soften(mask, max(0.5, 0.04 * scene.unit_px))
    height, width = scene.image.shape[:2]
    tone = (25.0, 70.0, 190.0)[rng.integers(3)]
    strands = rng.normal(0, 1, (height, width)).astype(np.float32)
    strands = soften(strands, 0.6, max(0.8, 0.05 * scene.unit_px))
    level = tone + 22 * strands / max(float(strands.std()), 1e-6)
    hair = np.repeat(level[:, :, None], 3, axis=2)
    return _blend(scene, mask * 0.9, hair, shade=0.15)


def wear_head_covering(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face framed by a headscarf, or under a turban or hat that leaves the face free."""
    unit = scene.unit_px
    oval = scene.mesh[[*LOWER_OVAL, *reversed(UPPER_OVAL)], :2]
    center = oval.mean(axis=0)
    outside = _polygon(scene, center + (oval - center) * np.array([1.55, 1.5], dtype=np.float32))
    brow = scene.mesh[[70, 105, 334, 300], 1].mean()
    hairline = scene.mesh[10, 1]
    edge = brow - rng.uniform(0.35, 0.8) * max(brow - hairline, 0.2 * unit)
    rows = np.arange(outside.shape[0], dtype=np.float32)[:, None]
    above = np.clip(edge - rows, 0, 1)
    if rng.random() < 0.5:
        inner = _polygon(scene, center + (oval - center) * 1.02)
        mask = np.maximum(outside * (1 - inner), outside * above)
    else:
        mask = outside * above
    return _blend(scene, mask, _fabric(scene, rng), shade=0.3)


def _fabric(scene: Portrayal, rng: np.random.Generator) -> FloatArray:
    """Return a sheet of cloth of the picture's size: plain, pleated, striped or printed."""
    height, width = scene.image.shape[:2]
    unit = max(scene.unit_px, 4.0)
    base = np.array(FABRICS_BGR[rng.integers(len(FABRICS_BGR))], dtype=np.float32)
    y, x = np.indices((height, width), dtype=np.float32)
    sheet = np.zeros((height, width), dtype=np.float32)
    kind = rng.integers(4)
    if kind == 1:
        sheet = 14 * np.sin(2 * np.pi * y / (0.3 * unit))
    elif kind == 2:
        sheet = 35 * np.sign(np.sin(2 * np.pi * (x + 0.5 * y) / (0.35 * unit)))
    elif kind == 3:
        blotches = rng.normal(0, 1, (height, width)).astype(np.float32)
        blotches = soften(blotches, 0.1 * unit)
        sheet = 30 * blotches / max(float(blotches.std()), 1e-6)
    grain = rng.normal(0, 3.0, (height, width)).astype(np.float32)
    return np.asarray(base + (sheet + grain)[:, :, None], dtype=np.float32)


def _skin_tone(scene: Portrayal) -> FloatArray:
    """Return the median colour of both cheeks."""
    height, width = scene.image.shape[:2]
    cheeks = np.round(scene.mesh[[50, 205, 117, 280, 425, 346], :2]).astype(int)
    cheeks = cheeks.clip(0, (width - 1, height - 1))
    skin = scene.image[cheeks[:, 1], cheeks[:, 0]]
    return np.asarray(np.median(skin, axis=0), dtype=np.float32)


def _polygon(scene: Portrayal, outline: FloatArray) -> FloatArray:
    """Return a mask of 0 to 1 with a soft edge."""
    mask = np.zeros(scene.image.shape[:2], dtype=np.float32)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    return soften(mask, 0.8)


def _line(mask: FloatArray, start: AnyArray, end: AnyArray, thick: int) -> None:
    ends: Sequence[list[int]] = [np.round(p).astype(int).tolist() for p in (start, end)]
    cv2.line(mask, ends[0], ends[1], 1.0, thick, cv2.LINE_AA)


def _blend(scene: Portrayal, mask: FloatArray, tone: AnyArray, *, shade: float) -> Image:
    """Return the picture with `tone` laid over it where `mask` says; the light on the face stays.

    Args:
        scene: the picture.
        mask: H x W, 0-1.
        tone: H x W x 3.
        shade: how much of the face's coarse shading shows in the cover, 0-1.
    """
    gray = cv2.cvtColor(scene.image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    coarse = soften(gray, max(1.0, 0.35 * scene.unit_px))
    covered = mask > 0.5
    level = float(coarse[covered].mean()) if covered.any() else 1.0
    lit = tone * (1 + shade * (coarse / max(level, 1.0) - 1))[:, :, None]
    weight = mask[:, :, None]
    canvas = scene.image * (1 - weight) + lit * weight
    return finish(scene, np.asarray(canvas, dtype=np.float32))
