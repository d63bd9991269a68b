"""A sample picture's mesh in depth, to be turned as a head, as paper or as bent paper."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from biometrics.challenge import Action, Extent, Side, Step
from biometrics.detection import FaceDetector
from biometrics.image import decode_image
from biometrics.landmarks import Mesh, MeshEstimator
from biometrics.liveness.capture import Observation, Sighting
from biometrics.liveness.colours import FrameColours
from biometrics.liveness.performance import Performance, StepPerformance, StepResult
from biometrics.liveness.tracking import offset_of
from biometrics.onnx import open_model
from biometrics.types import Box, Face
from biometrics.weights import sample

HEAD_CM = 9.0
"""Between the outer corners of the eyes."""
AXIS = 1.0
"""Of the neck behind the face, in outer-eye-corner distances."""
JITTER = 0.0013
"""Of a still face's points, in the same unit. Source: models/facemesh.md."""

Shape = Callable[[np.ndarray], np.ndarray]


def head(points: np.ndarray) -> np.ndarray:
    return points


def paper(points: np.ndarray) -> np.ndarray:
    return np.column_stack([points[:, :2], np.zeros(len(points))])


def bent(radius: float) -> Shape:
    """Return paper around an upright cylinder, its radius in outer-eye-corner distances."""

    def shape(points: np.ndarray) -> np.ndarray:
        angle = points[:, 0] / radius
        return np.column_stack(
            [
                abs(radius) * np.sin(abs(angle)) * np.sign(points[:, 0]),
                points[:, 1],
                radius * (1 - np.cos(angle)),
            ]
        )

    return shape


class Sitter:
    """A mesh in head units, origin between the eyes' corners, z away from the camera."""

    def __init__(self, mesh: Mesh) -> None:
        points = mesh.points.astype(np.float64)
        middle = (points[33] + points[263]) / 2
        self.points = (points - middle) / mesh.eye_corner_px

    def shoot(
        self,
        shape: Shape,
        yaw_deg: float,
        rng: np.random.Generator,
        *,
        pitch_deg: float = 0.0,
        distance_cm: float = 55.0,
        eyes: Shape | None = None,
    ) -> Mesh:
        """Return the mesh that a camera sees, with jitter; `eyes` lie behind their rims."""
        solid = shape(self.points)
        if eyes is not None:
            near = np.linalg.norm(
                self.points[:, None, :2] - self.points[None, [159, 386], :2], axis=2
            )
            solid = np.where((near.min(axis=1) < 0.2)[:, None], eyes(self.points), solid)
        yaw, pitch = np.radians([yaw_deg, pitch_deg])
        behind = solid - (0, 0, AXIS)
        about_y = np.array(
            [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]]
        )
        about_x = np.array(
            [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        )
        turned = behind @ about_y.T @ about_x.T + (0, 0, AXIS)
        away = distance_cm / HEAD_CM
        seen = turned[:, :2] / (1 + turned[:, 2:] / away) * 90 * 55 / distance_cm
        seen += np.array((320, 220)) + rng.normal(0, JITTER * 90, seen.shape)
        return Mesh(np.column_stack([seen, turned[:, 2] * 90]).astype(np.float32), 1.0)


def observe(meshes: list[Mesh]) -> list[Observation]:
    """Return the meshes as frames of a capture."""
    gray = np.full(3, 128, np.float32)
    return [
        Observation(
            index,
            index * 80.0,
            (640, 480),
            b"%d" % index,
            np.zeros((48, 64), np.uint8),
            Sighting(
                face=Face(Box(235, 135, 405, 305), mesh.five_points, 0.9),
                mesh=mesh,
                aligned=np.zeros((112, 112, 3), np.uint8),
                colours=FrameColours(gray, gray, 0.0, 0.0),
                nose_offset=offset_of(mesh),
            ),
            None,
        )
        for index, mesh in enumerate(meshes)
    ]


def turn_step(extent: Extent = Extent.FULL) -> Step:
    return Step(Action.TURN, 1000, 1900, 3200, Side.LEFT, extent)


def perform(rest: int, turns: list[tuple[Extent, range]]) -> Performance:
    """Return that the first frames are at rest, and which are at their furthest in each turn."""
    return Performance(
        tuple(range(rest)),
        tuple(
            StepPerformance(turn_step(extent), StepResult.OK, furthest=tuple(frames))
            for extent, frames in turns
        ),
    )


@pytest.fixture(scope="session")
def look(manifest) -> Callable[[bytes], Sitter]:
    detector = FaceDetector.open(manifest)
    estimator = MeshEstimator(open_model(manifest, "facemesh"))

    def looked(picture: bytes) -> Sitter:
        image = decode_image(picture)
        return Sitter(estimator.estimate(image, detector.find_one(image).box))

    return looked


@pytest.fixture(scope="session", params=["obama2", "biden"])
def sitter(request, manifest, look) -> Sitter:
    return look(sample(manifest, request.param).read_bytes())


@pytest.fixture(scope="session")
def rig() -> SimpleNamespace:
    """Return what turns, and how it becomes a capture."""
    return SimpleNamespace(head=head, paper=paper, bent=bent, observe=observe, perform=perform)
