"""Size, place, pose, lids and lips, from the five points and the mesh."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from biometrics.landmarks import LEFT_OUTER_EYE_CORNER, RIGHT_OUTER_EYE_CORNER, Mesh
from biometrics.types import Face, FloatArray

RIGHT_EYE_CORNERS: Final = (33, 133)
LEFT_EYE_CORNERS: Final = (263, 362)
RIGHT_LIDS: Final = ((160, 159, 158), (144, 145, 153))
LEFT_LIDS: Final = ((387, 386, 385), (373, 374, 380))
INNER_LIPS: Final = ((82, 13, 312), (87, 14, 317))
FOREHEAD_TOP: Final = 10
CHIN: Final = 152
PITCH_AT_REST_DEG: Final = 5.2
"""Angle of the mesh's line from forehead to chin in a level head: the median of 799 people's
pictures (LFW, fold 1)."""


def eyes_to_chin_px(mesh: Mesh) -> float:
    """Return T, from between the eyes to the chin. Source: ISO/IEC 29794-5:2025, 7.4.9."""
    corners = mesh.points[[*RIGHT_EYE_CORNERS, *LEFT_EYE_CORNERS], :2].tolist()
    middle = sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4
    return max(math.dist(middle, mesh.points[CHIN, :2].tolist()), 1e-6)


def yaw_deg(mesh: Mesh) -> float:
    """Return the head's turn to the subject's left, from the depth of the outer eye corners."""
    span = mesh.points[LEFT_OUTER_EYE_CORNER] - mesh.points[RIGHT_OUTER_EYE_CORNER]
    return math.degrees(math.atan2(span[2], math.hypot(span[0], span[1])))


def pitch_deg(mesh: Mesh) -> float:
    """Return how far the head is bent forward, from the depth of forehead and chin."""
    span = mesh.points[CHIN] - mesh.points[FOREHEAD_TOP]
    return math.degrees(math.atan2(span[2], math.hypot(span[0], span[1]))) - PITCH_AT_REST_DEG


def eyes_open(mesh: Mesh) -> float:
    """Return the widest gap between the lids of the narrower eye, by T. Source: 7.4.3."""
    gaps = (_widest_gap(mesh.points, *lids) for lids in (RIGHT_LIDS, LEFT_LIDS))
    return min(gaps) / eyes_to_chin_px(mesh)


def mouth_open(mesh: Mesh) -> float:
    """Return the widest gap between the inner lips, by T. Source: 7.4.4 (mouth closed)."""
    return _widest_gap(mesh.points, *INNER_LIPS) / eyes_to_chin_px(mesh)


def eye_aspects(mesh: Mesh) -> tuple[float, float]:
    """Return the mean gap between the lids by the eye's width: the narrower eye, the wider."""
    ratios = sorted(
        _mean_gap(mesh.points, *lids) / max(_distance(mesh.points, *corners), 1e-6)
        for lids, corners in (
            (RIGHT_LIDS, RIGHT_EYE_CORNERS),
            (LEFT_LIDS, LEFT_EYE_CORNERS),
        )
    )
    return ratios[0], ratios[1]


def inter_eye_distance_px(face: Face, mesh: Mesh) -> float:
    """Return the eyes' distance, corrected for the head's turn. Source: 7.4.8."""
    return face.points.interocular_px / max(math.cos(math.radians(yaw_deg(mesh))), 0.1)


def margins(face: Face, mesh: Mesh, width: int, height: int) -> tuple[float, float, float, float]:
    """Return the room left, right, above, below: by eye distances, and by T. Source: 7.4.10."""
    eyes = max(face.points.interocular_px, 1e-6)
    t = eyes_to_chin_px(mesh)
    middle_y = (face.points.right_eye[1] + face.points.left_eye[1]) / 2
    return (
        face.points.right_eye[0] / eyes,
        (width - face.points.left_eye[0]) / eyes,
        middle_y / t,
        (height - middle_y) / t,
    )


def outside_fraction(mesh: Mesh, width: int, height: int) -> float:
    """Return the part of the mesh's points that lie outside the picture."""
    x, y = mesh.points[:, 0], mesh.points[:, 1]
    return float(np.mean((x < 0) | (x >= width) | (y < 0) | (y >= height)))


def disagreement(face: Face, mesh: Mesh) -> tuple[float, float]:
    """Return how far five points and mesh lie apart at eyes and mouth, in eye distances.

    Two models that look at the same open face agree; what hides part of it moves them apart.
    """
    p = mesh.points[:, :2]
    eyes = [p[list(RIGHT_EYE_CORNERS)].mean(axis=0), p[list(LEFT_EYE_CORNERS)].mean(axis=0)]
    mouth = [p[61], p[291]]
    five = face.points.to_array()
    apart = np.linalg.norm(five[[0, 1, 3, 4]] - np.array([*eyes, *mouth]), axis=1)
    apart = apart / max(face.points.interocular_px, 1.0)
    return float(apart[:2].mean()), float(apart[2:].mean())


def _widest_gap(points: FloatArray, upper: Sequence[int], lower: Sequence[int]) -> float:
    return float(_gaps(points, upper, lower).max())


def _mean_gap(points: FloatArray, upper: Sequence[int], lower: Sequence[int]) -> float:
    return float(_gaps(points, upper, lower).mean())


def _gaps(points: FloatArray, upper: Sequence[int], lower: Sequence[int]) -> FloatArray:
    apart = points[list(upper), :2] - points[list(lower), :2]
    return np.asarray(np.linalg.norm(apart, axis=1), dtype=np.float32)


def _distance(points: FloatArray, a: int, b: int) -> float:
    return math.dist(points[a, :2], points[b, :2])
