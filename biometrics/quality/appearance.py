"""What covered or closed features look like: numbers from which signs are summed.

No weights of a neural network: regions of the face are compared with one another, so that neither
skin, nor light, nor the camera's contrast decides. How the numbers add up to a sign is data, in
models/quality.toml.
"""

import math
from typing import Final

import cv2
import numpy as np

from biometrics.landmarks import LEFT_EYE, RIGHT_EYE, Mesh
from biometrics.quality import geometry
from biometrics.quality.view import (
    FOREHEAD,
    LEFT_CHEEK,
    LEFT_MOUTH_CORNER,
    LEFT_ORBIT,
    LEFT_UNDER_EYE,
    LOWER_LIP,
    MOUTH,
    NOSE_BRIDGE,
    NOSE_TIP,
    RIGHT_CHEEK,
    RIGHT_MOUTH_CORNER,
    RIGHT_ORBIT,
    RIGHT_UNDER_EYE,
    UPPER_LIP,
    FaceView,
    distribution,
    percentiles,
    sample,
)
from biometrics.types import Face, Image

EYE_PX: Final = (32, 24)
"""Width, from corner to corner, and height of the eyes' own crops."""
EYES: Final = (RIGHT_EYE, LEFT_EYE)
MIN_SPAN: Final = 10.0
SURE: Final = 1e-6


def describe_appearance(view: FaceView, face: Face, mesh: Mesh) -> dict[str, float]:
    """Return the numbers that signs may use, by name.

    `presence` is the log-odds of the mesh's score; luminances are relative to the face's own levels
    and span; edges are natural logarithms.
    """
    eyes_apart, mouth_apart = geometry.disagreement(face, mesh)
    narrow, wide = geometry.eye_aspects(mesh)
    return {
        "presence": _log_odds(mesh.presence),
        "eyes_apart": eyes_apart,
        "mouth_apart": mouth_apart,
        "narrow_eye": narrow,
        "wide_eye": wide,
        **_describe_lids(view),
        **_describe_eyes(view),
        **_describe_mouth(view),
    }


def _describe_lids(view: FaceView) -> dict[str, float]:
    """Return what tells a closed lid's even, thin line from iris and eye white."""
    right = _describe_eye(view, *geometry.RIGHT_EYE_CORNERS)
    left = _describe_eye(view, *reversed(geometry.LEFT_EYE_CORNERS))
    names = ("lid_line", "lid_line_height", "iris_contrast", "upright_edges")
    return {name: (a + b) / 2 for name, a, b in zip(names, right, left, strict=True)}


def _describe_eye(view: FaceView, outer: int, inner: int) -> tuple[float, float, float, float]:
    eye = _eye_crop(view, outer, inner)
    bright, dark = percentiles(distribution(eye), 85, 3)
    darkness = (bright - eye.astype(np.float32)) / max(bright - dark, 6.0)
    rows = darkness.mean(axis=1)
    peak = int(rows.argmax())
    band = darkness[max(0, peak - 2) : peak + 3].mean(axis=0)[3:-3]
    height = float(np.mean(rows > 0.7 * rows.max()))
    upright = float(np.abs(cv2.Sobel(eye, cv2.CV_32F, 1, 0)).mean())
    level = float(np.abs(cv2.Sobel(eye, cv2.CV_32F, 0, 1)).mean())
    return float(rows.max()), height, float(band.std()), upright / (level + 1e-3)


def _eye_crop(view: FaceView, outer: int, inner: int) -> Image:
    """Return the eye from corner to corner, level."""
    a, b = view.points[outer], view.points[inner]
    if a[0] > b[0]:
        a, b = b, a
    width, height = EYE_PX
    step = (b - a) / width
    across, down = step, np.array([-step[1], step[0]])
    origin = (a + b) / 2 - across * (width - 1) / 2 - down * (height - 1) / 2
    matrix = np.stack([across, down, origin], axis=1).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(view.gray, matrix, EYE_PX, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, dtype=np.uint8)


def _describe_eyes(view: FaceView) -> dict[str, float]:
    """Return what tells an eye from a lens or a cloth: eye white, iris and edges, skin around."""
    zones = [distribution(view.gray, view.zone(eye)) for eye in EYES]
    spans = [high - low for high, low in (percentiles(zone, 90, 10) for zone in zones)]
    whole = max(view.percentile(98) - view.percentile(2), MIN_SPAN)
    skin = max(view.level(NOSE_BRIDGE, RIGHT_CHEEK, LEFT_CHEEK), 5.0)
    below = max(view.level(NOSE_BRIDGE, FOREHEAD, RIGHT_CHEEK, LEFT_CHEEK), 5.0)
    orbit = max(view.mean_level(RIGHT_ORBIT), view.mean_level(LEFT_ORBIT))
    under = max(view.level(RIGHT_UNDER_EYE), view.level(LEFT_UNDER_EYE))
    edges = [cv2.mean(view.horizontal_edges, view.zone(eye))[0] + 1 for eye in EYES]
    return {
        "eye_contrast": max(spans) / whole,
        "weak_eye_contrast": min(spans) / whole,
        "eyes_uneven": abs(math.log(edges[0] / edges[1])),
        "orbit_level": orbit / skin,
        "under_eye_level": under / below,
    }


def _describe_mouth(view: FaceView) -> dict[str, float]:
    """Return what tells lips and nostrils from cloth or fingers: their lines in their places."""
    eyes = view.zone(RIGHT_EYE) | view.zone(LEFT_EYE)
    mouth_edges = cv2.mean(view.horizontal_edges, view.zone(MOUTH))[0] + 1
    eye_edges = cv2.mean(view.horizontal_edges, eyes)[0] + 1
    nose_edges = cv2.mean(view.vertical_edges, view.zone(NOSE_TIP))[0] + 1
    return {
        "mouth_edges": math.log(mouth_edges / view.contrast),
        "mouth_edges_by_eyes": math.log(mouth_edges / eye_edges),
        "nose_edges": math.log(nose_edges / view.contrast),
        "lip_line": _lip_line(view),
    }


def _lip_line(view: FaceView) -> float:
    """Return the span of the luminance across the lips' line, eight pixels either way."""
    right, left = view.points[RIGHT_MOUTH_CORNER], view.points[LEFT_MOUTH_CORNER]
    down = view.points[LOWER_LIP] - view.points[UPPER_LIP]
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    along = right + (left - right) * np.linspace(0.15, 0.85, 9, dtype=np.float32)[:, None]
    across = np.linspace(-8, 8, 17, dtype=np.float32)
    places = along[None] + down * across[:, None, None]
    smooth = np.asarray(cv2.blur(view.gray, (3, 3)), dtype=np.uint8)
    profile = sample(smooth, places.reshape(-1, 2)).reshape(len(across), -1).mean(axis=1)
    return float(np.ptp(profile)) / view.contrast


def _log_odds(probability: float) -> float:
    p = min(max(probability, SURE), 1 - SURE)
    return math.log(p / (1 - p))
