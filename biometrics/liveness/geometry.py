"""Tell a head from a picture of one by how its mesh moves when it turns.

The points of a plane follow one homography between two views; those of a head depart from it, the
more the further it turns. How far it has turned shows in its foreshortening. So the departure by
the sine of the turn is a depth: the *relief* of what stands before the camera, in distances between
the outer eye corners. A head has one of about 0.15, a photograph on paper 0.03, bent paper 0.05 to
0.1. Eyes and mouth are left out: they move by themselves, and show through the holes of a mask.

Known limit: the mesh model knows heads only, and sees a little of one in every picture of one. A
print bent as round as a head is told from one by a factor of two in relief, no more.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.challenge import Action
from biometrics.landmarks import (
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    LEFT_OUTER_EYE_CORNER,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
    RIGHT_OUTER_EYE_CORNER,
    Mesh,
)
from biometrics.liveness.capture import Observation, Sighting
from biometrics.liveness.findings import Finding, adverse, unclear
from biometrics.liveness.performance import Performance, StepPerformance
from biometrics.liveness.signal import Signal
from biometrics.manifest import Manifest, load_manifest
from biometrics.types import FloatArray, Method

METHOD: Final = Method("head-relief", "2")

EYE_MARGIN: Final = 0.08
"""Points nearer to a rim of the eyes are left out, in outer-eye-corner distances..."""
MOUTH_MARGIN: Final = 0.15
"""...and those lower than so much above the corners of the mouth."""
MAX_FRAMES_A_STEP: Final = 6
MAX_REST_FRAMES: Final = 3
MIN_SINE: Final = 0.1
"""Below, a turn (6 degrees) is not told from jitter and tells nothing of depth."""
CONFIDENCE: Final = 1.645
"""Standard errors from the estimate to its bound: 95 % on one side."""
MAX_SCALE: Final = 1.25
"""The required residual grows with the turn up to here: 0.0235 x 1.25 = 0.029 is the 5th
percentile of the worst set of real heads beyond a turn of 0.25. Source: models/facemesh.md."""
MIN_PLANE_FRAMES: Final = 3
EPSILON: Final = 1e-6


@dataclass(frozen=True)
class GeometryLimits:
    """The operating points of the mesh that decide here."""

    turn: float
    parallax: float
    plane_turn: float
    relief: float
    flat_relief: float

    @classmethod
    def of(cls, manifest: Manifest) -> "GeometryLimits":
        """Read the manifest.

        Raises:
            ManifestInvalidError: an operating point is missing.
        """
        names = ("turn", "parallax", "plane-turn", "relief", "flat-relief")
        return cls(*map(manifest.model("facemesh").threshold, names))


@cache
def _installed_limits() -> GeometryLimits:
    return GeometryLimits.of(load_manifest())


class Estimate(NamedTuple):
    """A value, and what may be said of it."""

    value: float
    error: float
    """Standard error."""

    @property
    def lower(self) -> float:
        """Return what the value exceeds with 95 % confidence."""
        return self.value - CONFIDENCE * self.error

    @property
    def upper(self) -> float:
        """Return what the value stays below with 95 % confidence."""
        return self.value + CONFIDENCE * self.error


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


def judge_geometry(
    performance: Performance,
    observations: Sequence[Observation],
    limits: GeometryLimits | None = None,
) -> Signal:
    """Judge whether what turned was a head.

    The score is the natural logarithm of the relief by the least that a head has: about 0.3 for a
    head, -1 for a plane.

    Args:
        performance: which frames show the face at rest, and which at its furthest turned.
        observations: the capture.
        limits: by default the installed manifest's.
    """
    limits = limits or _installed_limits()
    rest = _sightings(observations, performance.rest)[:MAX_REST_FRAMES]
    turns = [step for step in performance.steps if step.step.action is Action.TURN]
    if not rest or not turns:
        return Signal(METHOD, (unclear("challenge-geometry-uncertain"),), False, None)
    scene = _Scene([sighting.mesh for sighting in rest])
    findings = list(_check_planes(scene, observations, limits))
    reliefs: list[Estimate] = []
    offsets: list[float] = []
    measurements: dict[str, float] = {"jitter": scene.still.residual}
    for number, step in enumerate(turns, start=1):
        measured = _measure_turn(scene, rest, step, observations)
        if measured is None:
            findings.append(unclear("challenge-geometry-uncertain"))
            continue
        residual, relief, offset = measured
        reliefs.append(relief)
        offsets.append(offset)
        findings += _check_turn(residual, relief, offset, limits)
        measurements |= {
            f"turn_{number}_offset": offset,
            f"turn_{number}_residual": residual.value,
            f"turn_{number}_relief": relief.value,
            f"turn_{number}_relief_error": relief.error,
        }
    if not reliefs:
        return Signal(METHOD, tuple(findings), False, None, measurements)
    relief = _pool(reliefs, [min(offset / limits.turn, 1.0) for offset in offsets])
    if not relief.lower >= limits.relief:
        findings.append(unclear("challenge-geometry-uncertain"))
    measurements |= {"relief": relief.value, "relief_error": relief.error}
    score = math.log(max(relief.value, EPSILON) / limits.relief)
    return Signal(METHOD, tuple(findings), True, score, measurements)


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


class _Scene:
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


def _measure_turn(
    scene: _Scene,
    rest: Sequence[Sighting],
    step: StepPerformance,
    observations: Sequence[Observation],
) -> tuple[Estimate, Estimate, float] | None:
    """Return residual, relief and change of the nose's offset of a turn; None if not seen."""
    turned = _sightings(observations, step.furthest)[:MAX_FRAMES_A_STEP]
    if not turned:
        return None
    ahead = float(np.median([sighting.nose_offset for sighting in rest]))
    offset = float(np.median([abs(sighting.nose_offset - ahead) for sighting in turned]))
    views = [scene.look(sighting.mesh) for sighting in turned]
    residual = _estimate([view.residual for view in views], scene.still.residual)
    sine = max(MIN_SINE, float(np.median([view.sine for view in views])))
    relief = _estimate([view.relief for view in views], scene.still.residual / sine)
    return residual, relief, offset


def _check_turn(
    residual: Estimate, relief: Estimate, offset: float, limits: GeometryLimits
) -> Iterator[Finding]:
    required = limits.parallax * min(offset / limits.turn, MAX_SCALE)
    if relief.upper < limits.flat_relief:
        yield adverse("challenge-flat-surface")
    elif not (relief.lower >= limits.flat_relief and residual.lower >= required):
        yield unclear("challenge-geometry-uncertain")


def _check_planes(
    scene: _Scene, observations: Sequence[Observation], limits: GeometryLimits
) -> Iterator[Finding]:
    """Find frames, at any time, in which the face was turned as a whole, like one on paper.

    Only to a side: a head that nods shows little relief.
    """
    least = math.sqrt(1 - limits.plane_turn**2)
    meshes = (sighting.mesh for sighting in _sightings(observations, range(len(observations))))
    turned = (scene.look(mesh) for mesh in meshes if scene.shortened(mesh) >= least)
    planes = sum(v.sideways >= least and v.relief <= limits.flat_relief for v in turned)
    if planes >= MIN_PLANE_FRAMES:
        yield adverse("challenge-flat-surface")


def _estimate(values: Sequence[float], noise: float) -> Estimate:
    """Return the median with its standard error, which one frame's noise bounds from below.

    Neighbouring frames are much alike: two count as one.
    """
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(np.subtract(values, middle))))
    return Estimate(middle, max(spread, noise) / math.sqrt(max(len(values) / 2, 1)))


def _pool(estimates: Sequence[Estimate], extents: Sequence[float]) -> Estimate:
    """Return the mean; turns weigh by the square of their extent, so a half one a quarter.

    How far left and right differ is no error: faces that rest a little turned show it.
    """
    weights = np.square(extents) / max(float(np.square(extents).sum()), EPSILON)
    values, errors = np.array(estimates).T
    return Estimate(float(weights @ values), math.sqrt(float(weights**2 @ errors**2)))


def _median(views: Sequence[View]) -> View:
    return View(*(float(np.median(column)) for column in zip(*views, strict=True)))


def _sightings(observations: Sequence[Observation], places: Sequence[int]) -> list[Sighting]:
    seen = (observations[place].sighting for place in places)
    return [sighting for sighting in seen if sighting is not None and _usable(sighting.mesh)]


def _usable(mesh: Mesh) -> bool:
    return bool(np.isfinite(mesh.points).all()) and mesh.eye_corner_px > 0
