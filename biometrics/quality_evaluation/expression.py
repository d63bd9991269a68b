"""Move a face's own skin along its mesh: close the eyes, open the mouth, turn the head."""

import cv2
import numpy as np

from biometrics.quality_evaluation.degradation import Portrayal, finish, soften
from biometrics.types import FloatArray, Image

EYES = (
    (
        (33, 246, 161, 160, 159, 158, 157, 173, 133),
        (33, 7, 163, 144, 145, 153, 154, 155, 133),
        (46, 53, 52, 65, 55),
    ),
    (
        (362, 398, 384, 385, 386, 387, 388, 466, 263),
        (362, 382, 381, 380, 374, 373, 390, 249, 263),
        (285, 295, 282, 283, 276),
    ),
)
"""Upper lid, lower lid and lower edge of the brow, each from the picture's left."""
INNER_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)


def close_eyes(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face with its upper lids drawn down to the lower ones, lashes where they meet."""
    del rng
    image, mesh, back = _upright(scene)
    height, width = image.shape[:2]
    x_map, y_map = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    rows = y_map.copy()
    lash = np.zeros((height, width), dtype=np.float32)
    for upper, lower, brow in EYES:
        columns = np.arange(width, dtype=np.float32)
        lid, under, top = (_curve(mesh[list(i), :2], columns) for i in (upper, lower, brow))
        inside = (columns >= mesh[upper[0], 0]) & (columns <= mesh[upper[-1], 0])
        lid = np.where(inside, lid, under)
        top = np.minimum(top, lid - 1)
        meet = np.where(inside, under - 0.15 * (under - lid), under)
        stretch = (y_map - top) / np.maximum(meet - top, 1e-3)
        moved = top + stretch * (lid - 0.03 * scene.unit_px - top)
        zone = inside & (y_map > top) & (y_map < meet)
        rows = np.where(zone, moved, rows)
        band = np.exp(-(((y_map - meet) / max(0.025 * scene.unit_px, 0.7)) ** 2))
        lash = np.maximum(lash, np.where(inside, band, 0))
        below = inside & (y_map >= meet) & (y_map <= under + 0.02 * scene.unit_px)
        rows = np.where(below, under + 0.05 * scene.unit_px, rows)
    closed = cv2.remap(image, x_map, rows.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
    return _turn_back(scene, closed * (1 - 0.6 * lash[:, :, None]), back)


def open_mouth(scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the face with the jaw dropped by 0.45 to 0.7 eye distances, the mouth dark inside."""
    image, mesh, back = _upright(scene)
    height, width = image.shape[:2]
    x_map, y_map = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    columns = np.arange(width, dtype=np.float32)
    upper = _curve(mesh[list(INNER_UPPER_LIP), :2], columns)
    lower = np.maximum(_curve(mesh[list(INNER_LOWER_LIP), :2], columns), upper)
    left, right = mesh[78, 0], mesh[308, 0]
    across = np.clip((columns - left) / max(right - left, 1e-3), 0, 1)
    gap_drop = rng.uniform(0.45, 0.7) * scene.unit_px * np.sqrt(np.sin(np.pi * across).clip(0, 1))
    edge = np.clip(np.minimum(columns - mesh[:, 0].min(), mesh[:, 0].max() - columns), 0, None)
    skin_drop = gap_drop.max() * np.clip(edge / (0.5 * scene.unit_px), 0, 1)
    drop = np.where((across > 0) & (across < 1), gap_drop, 0)
    drop = np.maximum(drop, np.where((across > 0) & (across < 1), 0, skin_drop * 0.5))
    drop = soften(drop[None].astype(np.float32), max(0.5, 0.03 * scene.unit_px))[0]
    chin = mesh[152, 1]
    reach = chin + 0.9 * scene.unit_px
    share = np.clip((reach - y_map) / np.maximum(reach - lower - drop, 1e-3), 0, 1)
    rows = np.where(y_map > lower + drop, y_map - drop * share, y_map)
    moved = cv2.remap(image, x_map, rows.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
    between = (across > 0) & (across < 1) & (y_map > lower)
    gap = (between & (y_map < lower + drop)).astype(np.float32)
    gap = soften(gap, max(0.5, 0.02 * scene.unit_px))[:, :, None]
    teeth = (between & (y_map < lower + 0.1 * scene.unit_px))[:, :, None]
    inside = np.array([30.0, 25.0, 55.0], dtype=np.float32) + 120 * teeth * (rng.random() < 0.5)
    return _turn_back(scene, moved * (1 - gap) + inside * gap, back)


def _upright(scene: Portrayal) -> tuple[Image, FloatArray, FloatArray]:
    """Return picture and mesh with the eye line level, and the 2 x 3 map back."""
    height, width = scene.image.shape[:2]
    center = scene.mesh[:, :2].mean(axis=0)
    roll_deg = scene.points.roll_deg
    matrix = cv2.getRotationMatrix2D((float(center[0]), float(center[1])), roll_deg, 1.0)
    level = cv2.warpAffine(scene.image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    mesh = scene.mesh.copy()
    mesh[:, :2] = scene.mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return (
        np.asarray(level, np.uint8),
        mesh,
        np.asarray(cv2.invertAffineTransform(matrix), np.float32),
    )


def _turn_back(scene: Portrayal, canvas: FloatArray, back: FloatArray) -> Image:
    height, width = scene.image.shape[:2]
    turned = cv2.warpAffine(
        canvas.astype(np.float32), back, (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    return finish(scene, np.asarray(turned, dtype=np.float32))


def _curve(points: FloatArray, columns: FloatArray) -> FloatArray:
    order = np.argsort(points[:, 0])
    curve = np.interp(columns, points[order, 0], points[order, 1])
    return np.asarray(curve, dtype=np.float32)
