"""Find where a capture was cut: a frame that does not follow from the one before it.

Movement takes more than one frame, a cut exactly one. So a change counts by how many times it is
larger than the changes just before and after it, in the same capture; no light and no camera sets
a unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.liveness.capture import Observation

DARK_LEVEL: Final = 16.0
"""Added before the logarithm: below it, gray levels are noise."""
NOTHING: Final = 1e-3
"""A change this small is none."""

FloatVector = NDArray[np.float64]


@dataclass(frozen=True)
class Changes:
    """What changes from each frame to the next, one value a step."""

    scene: FloatVector
    """0-2: one less the correlation of the brightness edges of the whole frame, which light of
    another colour or strength leaves as they are."""
    face: FloatVector
    """How far the face moved and by how much its size changed, in outer-eye-corner distances; NaN
    where it is not seen in both frames."""
    brightness: FloatVector
    """Natural logarithm of the ratio of the frames' mean gray levels."""

    @property
    def sudden_scene(self) -> FloatVector:
        """Return how many times larger a change of the scene is than those before and after."""
        return _suddenness(self.scene)

    @property
    def sudden_face(self) -> FloatVector:
        """Return how many times larger a movement of the face is than those before and after."""
        return _suddenness(self.face)


def measure_changes(observations: Sequence[Observation]) -> Changes:
    """Return the changes along frames that could all be decoded, two of them at least."""
    gray = np.stack([o.thumbnail for o in observations if o.thumbnail is not None])
    logs = np.log(gray.astype(np.float64) + DARK_LEVEL)
    across = np.diff(logs, axis=2)[:, :-1].reshape(len(gray), -1)
    down = np.diff(logs, axis=1)[:, :, :-1].reshape(len(gray), -1)
    edges = np.hstack([across, down])
    lengths = np.linalg.norm(edges, axis=1, keepdims=True)
    edges /= np.where(lengths > 0, lengths, 1)
    scene = 1 - (edges[1:] * edges[:-1]).sum(axis=1)
    brightness = np.diff(np.log(gray.reshape(len(gray), -1).mean(axis=1) + 1.0))
    return Changes(scene, _face_changes(observations), brightness)


def _face_changes(observations: Sequence[Observation]) -> FloatVector:
    places = np.full((len(observations), 4), np.nan)
    for row, observation in zip(places, observations, strict=True):
        if observation.sighting is not None:
            mesh = observation.sighting.mesh
            flat = mesh.points[:, :2]
            row[:2] = flat.mean(axis=0)
            row[2] = np.log(max(float(np.linalg.norm(np.ptp(flat, axis=0))), 1e-6))
            row[3] = mesh.eye_corner_px
    if np.isnan(places[:, 3]).all():
        return np.full(len(observations) - 1, np.nan)
    unit = max(float(np.nanmedian(places[:, 3])), 1.0)
    steps = np.diff(places, axis=0)
    moved: FloatVector = np.hypot(steps[:, 0], steps[:, 1]) / unit + np.abs(steps[:, 2])
    return moved


def _suddenness(changes: FloatVector) -> FloatVector:
    """Return each change by the larger of its neighbours; 0 where there is no neighbour to know."""
    padded = np.concatenate([[np.nan], changes, [np.nan]])
    usual = np.fmax(padded[:-2], padded[2:])
    times: FloatVector = np.nan_to_num(changes / np.maximum(usual, NOTHING), nan=0.0)
    return times
