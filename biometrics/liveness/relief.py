"""How a mesh differs from the same face's at rest: by a plane's turn, and by depth.

The points of a plane follow one homography between two views; those of a head depart from it, the
more the further it turns. How far it has turned shows in its foreshortening. So the departure by
the sine of the turn is a depth: the *relief* of what stands before the camera, in distances between
the outer eye corners. Eyes and mouth are left out: they move by themselves, and show through the
holes of a mask.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.landmarks import (
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    LEFT_OUTER_EYE_CORNER,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
    RIGHT_OUTER_EYE_CORNER,
    Mesh,
)
from biometrics.types import FloatArray

EYE_MARGIN: Final = 0.08
"""Points nearer to a rim of the eyes are left out, in outer-eye-corner distances..."""
MOUTH_MARGIN: Final = 0.15
"""...and those lower than so much above the corners of the mouth."""
MIN_SINE: Final = 0.1
"""Below, a turn (6 degrees) is not told from jitter and tells nothing of depth."""
INNER: Final = ((50, 280),)
OUTLINE: Final = ((234, 454), (172, 397))
"""Points on the cheeks, and on the outline before the ears and at the jaw, which lies behind."""
EPSILON: Final = 1e-6


class View(NamedTuple):
    """One frame's face against one at rest."""

    residual: float
    """Of the best homography, in outer-eye-corner distances."""
    sine: float
    """Of the angle between the two, by the foreshortening."""
    sideways: float
    """Its part along the line of the eyes: a turn's, not a nod's."""

    @property
    def relief(self) -> float:
        """Return the depth that this view shows."""
        return self.residual / max(MIN_SINE, self.sine)


class RestingFace:
    """The face at rest, by which every other frame is measured."""

    def __init__(self, rest: Sequence[Mesh]) -> None:
        self._rigid = rigid_points(rest[0])
        self._unit = max(rest[0].eye_corner_px, EPSILON)
        corners = rest[0].points[[LEFT_OUTER_EYE_CORNER, RIGHT_OUTER_EYE_CORNER], :2]
        self._across = (corners[0] - corners[1]) / self._unit
        self._rest = [self._flat(mesh) for mesh in rest]
        self.still = View(0.0, 0.0, 0.0)
        among = [self._view(a, b) for i, a in enumerate(self._rest) for b in self._rest[:i]]
        if among:
            self.still = _median(among)

    def shortened(self, mesh: Mesh) -> float:
        """Return how far a mesh is turned to a side, as the sine of the angle."""
        return self._sines(self._rest[0], self._flat(mesh))[1]

    def look(self, mesh: Mesh) -> View:
        """Return the median view of a mesh against those at rest, without jitter."""
        seen = _median([self._view(rest, self._flat(mesh)) for rest in self._rest])
        pairs = zip(seen, self.still, strict=True)
        return View(*(math.sqrt(max(value**2 - noise**2, 0.0)) for value, noise in pairs))

    def _flat(self, mesh: Mesh) -> FloatArray:
        return np.asarray(mesh.points[self._rigid, :2] / self._unit, dtype=np.float32)

    def _view(self, rest: FloatArray, other: FloatArray) -> View:
        return View(homography_residual(rest, other), *self._sines(rest, other))

    def _sines(self, rest: FloatArray, other: FloatArray) -> tuple[float, float]:
        sine, direction = foreshortening(rest, other)
        return sine, sine * abs(float(direction @ self._across))


def perspective(rest: Sequence[Mesh], moved: Sequence[Mesh]) -> float:
    """Return the change of the cheeks' breadth by the outline's, as a natural logarithm.

    A face that comes nearer shows more of its front, a picture of one stays alike. The mesh model
    sees little of it: 0.009 +- 0.006 in 18 rendered heads, -0.003 +- 0.006 in 33 prints and screens
    (simulated). So it is recorded and decides nothing.
    """

    def breadth(mesh: Mesh, pairs: Sequence[tuple[int, int]]) -> float:
        return sum(float(np.linalg.norm(np.subtract(*mesh.points[[*pair], :2]))) for pair in pairs)

    def front(meshes: Sequence[Mesh]) -> float:
        ratios = [breadth(m, INNER) / max(breadth(m, OUTLINE), EPSILON) for m in meshes]
        return max(float(np.median(ratios)), EPSILON)

    return math.log(front(moved) / front(rest))


def homography_residual(frontal: FloatArray, turned: FloatArray) -> float:
    """Return the mean distance of N x 2 points from the best homography, in their own unit.

    Infinite if no homography fits.
    """
    matrix, _ = cv2.findHomography(turned, frontal, 0)
    if matrix is None or not np.isfinite(matrix).all():
        return math.inf
    mapped = cv2.perspectiveTransform(turned[None], matrix)[0]
    return float(np.linalg.norm(mapped - frontal, axis=1).mean())


def foreshortening(frontal: FloatArray, turned: FloatArray) -> tuple[float, FloatArray]:
    """Return the sine of a turn, and the direction in the frontal view that it has shortened.

    By the best affine map of N x 2 points: a plane that turns by an angle is shortened to its
    cosine; a face that only moved, came nearer or rolled, not at all.
    """
    source = np.hstack([turned, np.ones((len(turned), 1))])
    affine = np.linalg.lstsq(source, frontal, rcond=None)[0][:2]
    _, (larger, smaller), directions = np.linalg.svd(affine)
    ratio = float(smaller / larger) if larger > 0 else 1.0
    return math.sqrt(1 - ratio**2), directions[0]


def rigid_points(mesh: Mesh) -> NDArray[np.intp]:
    """Return which points of a frontal mesh neither speech nor a blink moves."""
    flat, unit = mesh.points[:, :2], mesh.eye_corner_px
    rims = flat[[*RIGHT_EYE, *LEFT_EYE]]
    to_eyes = np.linalg.norm(flat[:, None] - rims[None], axis=2).min(axis=1)
    mouth = flat[[RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER]].mean(axis=0)
    down = mouth - rims.mean(axis=0)
    above_mouth = (mouth - flat) @ (down / max(float(np.linalg.norm(down)), EPSILON))
    kept = (to_eyes > EYE_MARGIN * unit) & (above_mouth > MOUTH_MARGIN * unit)
    return np.flatnonzero(kept)


def _median(views: Sequence[View]) -> View:
    return View(*(float(np.median(column)) for column in zip(*views, strict=True)))
