"""Tell a head from a picture of one by how its mesh moves when it turns.

What has turned shows its *relief* (see `relief`): a head has one of about 0.15, a photograph on
paper 0.03, bent paper 0.05 to 0.1. Below what paper shows is adverse, between is not decided.

Known limits: the mesh model knows heads only, and sees a little of one in every picture of one, the
more the steeper it is held; so paper bent as round as a head may pass for one. A rigid mask is as
deep as a head: eyes and time must find it. A replayed video moves as what it shows.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from biometrics.challenge import Action
from biometrics.landmarks import Mesh
from biometrics.liveness.capture import Observation, Sighting
from biometrics.liveness.findings import Finding, adverse, unclear
from biometrics.liveness.performance import Performance, StepPerformance
from biometrics.liveness.relief import MIN_SINE, RestingFace, perspective
from biometrics.liveness.signal import Signal
from biometrics.manifest import Manifest, load_manifest
from biometrics.types import Method

METHOD: Final = Method("head-relief", "3")

MAX_FRAMES_A_STEP: Final = 6
MAX_REST_FRAMES: Final = 3
CONFIDENCE: Final = 1.645
"""Standard errors from the estimate to its bound: 95 % on one side."""
MAX_SCALE: Final = 1.25
"""The required residual grows with the turn up to here: 0.0235 x 1.25 = 0.029 is the 5th
percentile of the worst set of real heads beyond a turn of 0.25. Source: models/facemesh.md."""
MIN_PLANE_FRAMES: Final = 5
"""The mesh of a face that comes nearer or goes away may narrow for a moment: 4 frames in one of 130
rendered people, at 12 a second."""
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
    meshes = [sighting.mesh for sighting in rest]
    face = RestingFace(meshes)
    findings = list(_check_planes(face, observations, limits))
    reliefs: list[Estimate] = []
    offsets: list[float] = []
    measurements = {"jitter": face.still.residual}
    for step in performance.steps:
        if moved := _sightings(observations, step.furthest):
            measurements |= _measure_move(step.step.action, meshes, [s.mesh for s in moved])
    for number, step in enumerate(turns, start=1):
        measured = _measure_turn(face, rest, step, observations)
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


def _measure_move(action: Action, rest: Sequence[Mesh], moved: Sequence[Mesh]) -> dict[str, float]:
    """Return what coming nearer or going away shows; positive for a head."""
    signs = {Action.NEARER: 1, Action.FARTHER: -1}
    if action not in signs:
        return {}
    return {f"perspective_{action.value}": signs[action] * perspective(rest, moved)}


def _measure_turn(
    face: RestingFace,
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
    views = [face.look(sighting.mesh) for sighting in turned]
    residual = _estimate([view.residual for view in views], face.still.residual)
    sine = max(MIN_SINE, float(np.median([view.sine for view in views])))
    relief = _estimate([view.relief for view in views], face.still.residual / sine)
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
    face: RestingFace, observations: Sequence[Observation], limits: GeometryLimits
) -> Iterator[Finding]:
    """Find frames, at any time, in which the face was turned as a whole, like one on paper.

    Only to a side: a head that nods shows little relief.
    """
    least = math.sqrt(1 - limits.plane_turn**2)
    meshes = (sighting.mesh for sighting in _sightings(observations, range(len(observations))))
    turned = (face.look(mesh) for mesh in meshes if face.shortened(mesh) >= least)
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


def _sightings(observations: Sequence[Observation], places: Sequence[int]) -> list[Sighting]:
    seen = (observations[place].sighting for place in places)
    return [sighting for sighting in seen if sighting is not None and _usable(sighting.mesh)]


def _usable(mesh: Mesh) -> bool:
    return bool(np.isfinite(mesh.points).all()) and mesh.eye_corner_px > 0
