"""Light on the face: luminance, exposure, contrast, evenness, colour.

Levels of the skin alone decide nothing: dark and light skin must pass alike. What decides is
whether the face, from eye white and highlight to shadow, still has its span.
"""

import math
from typing import Final

import cv2
import numpy as np

from biometrics.alignment import TEMPLATE
from biometrics.quality.view import LEFT_SIDE, RIGHT_SIDE, FaceView

UNDER_LEVEL: Final = 25
OVER_LEVEL: Final = 247
ZONE_PER_EYE_DISTANCE: Final = 0.3
SKIN_A: Final = (5.0, 25.0)
SKIN_B: Final = (5.0, 35.0)
SENSOR_FLOOR: Final = 4.0
"""Added to levels before their ratio is taken, so that noise in the dark doesn't decide."""


def luminance_mean(view: FaceView) -> float:
    """Return the mean luminance of the face, 0-1. Source: ISO/IEC 29794-5:2025, 7.3.4.2."""
    return float(view.histogram @ np.arange(256)) / 255


def luminance_variance(view: FaceView) -> float:
    """Return the variance of the face's luminance, 0-0.25. Source: 29794-5:2025, 7.3.4.3."""
    levels = np.arange(256) / 255
    return float(view.histogram @ (levels - luminance_mean(view)) ** 2)


def under_exposure(view: FaceView) -> float:
    """Return the part of the face at levels up to 25. Source: 29794-5:2025, 7.3.5."""
    return float(view.histogram[: UNDER_LEVEL + 1].sum())


def over_exposure(view: FaceView) -> float:
    """Return the part of the face at levels from 247. Source: 29794-5:2025, 7.3.6."""
    return float(view.histogram[OVER_LEVEL:].sum())


def dynamic_range(view: FaceView) -> float:
    """Return the entropy of the face's luminance, 0-8 bits. Source: 29794-5:2025, 7.3.7."""
    present = view.histogram[view.histogram > 0]
    return float(-(present * np.log2(present)).sum())


def highlights(view: FaceView) -> float:
    """Return the 98th percentile of the face's luminance, 0-1: eye white, shine, teeth.

    Well lit, it is high on dark skin too.
    """
    return view.percentile(98) / 255


def illumination_uniformity(view: FaceView) -> float:
    """Return the overlap of both cheeks' histograms, 0-1. Source: 29794-5:2025, 7.3.3.

    Squares of 0.3 eye distances, half-way between eyes and mouth, outwards of the eyes' places.
    """
    right_eye, left_eye, _, right_corner, left_corner = TEMPLATE
    zone = int(ZONE_PER_EYE_DISTANCE * (left_eye[0] - right_eye[0]))
    eyes_y = (right_eye[1] + left_eye[1]) / 2
    top = round(float(eyes_y + ((right_corner[1] + left_corner[1]) / 2 - eyes_y) / 2))
    starts = round(float(right_eye[0])) - zone, round(float(left_eye[0]))
    zones = [view.gray[top : top + zone, x : x + zone] for x in starts]
    right, left = (np.bincount(part.ravel(), minlength=256) / part.size for part in zones)
    return float(np.minimum(right, left).sum())


def side_light(view: FaceView) -> float:
    """Return how much darker one side of the face is than the other, in halvings of the level."""
    right, left = view.mean_level(RIGHT_SIDE), view.mean_level(LEFT_SIDE)
    return abs(math.log2((right + SENSOR_FLOOR) / (left + SENSOR_FLOOR)))


def natural_colour(view: FaceView) -> float:
    """Return how far the cheeks' colour lies outside that of skin, in CIELAB units.

    0 for a gray picture, which has no colour to be wrong. OpenCV's CIELAB is for D65.
    Source: 29794-5:2025, 7.3.10.
    """
    indices = [*RIGHT_SIDE, *LEFT_SIDE]
    limit = np.array(view.crop.shape[1::-1]) - 1
    places = np.round(view.points[indices]).astype(int).clip(0, limit)
    colours = view.crop[places[:, 1], places[:, 0]].astype(np.float32)
    if np.ptp(colours, axis=1).max() <= 2:
        return 0.0
    lab = cv2.cvtColor(colours.mean(axis=0)[None, None] / np.float32(255), cv2.COLOR_BGR2LAB)
    a, b = float(lab[0, 0, 1]), float(lab[0, 0, 2])
    return math.hypot(max(0, SKIN_A[0] - a, a - SKIN_A[1]), max(0, SKIN_B[0] - b, b - SKIN_B[1]))
