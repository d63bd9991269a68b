"""Render *simulated* captures from one picture: a turning head, or a flat photograph being turned.

For demonstrations and development without a camera. The head is the picture's own face mesh, turned
about a vertical axis through the head, so it shows the parallax of a head; the photograph is a
plane. Neither is evidence about real people or real attacks: every caller marks them as simulated.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.detection import FaceDetector
from biometrics.errors import BiometricsError
from biometrics.image import decode_image
from biometrics.landmarks import MeshEstimator
from biometrics.types import FloatArray, FrameSample, Image

FACE_SIDE_PX: Final = 170
"""Side of the face box in the rendered frames: a sitter before a 640 x 480 webcam."""
CONTEXT: Final = 3.9
"""Width of the view in face sides, as far as the picture reaches."""
CAMERA_DISTANCE: Final = 8.0
AXIS_DEPTH: Final = 1.0
"""Both in outer-eye-corner distances (about 9 cm) from the front of the face."""
EAR_RING: Final = 1.15
EAR_RING_DEPTH: Final = 0.05
"""Ears, hair line and throat: a multiple of the mesh's outline, and how far behind it."""
HEAD_RING: Final = 1.5
"""From here on nothing moves."""
MIN_TRIANGLE_PX2: Final = 1e-3
"""A triangle of less than half of this area shows nothing."""
WALL_BGR: Final = (168, 176, 180)
JPEG_QUALITY: Final = 92

REST_S: Final = 0.6
SWING_S: Final = 0.7
HOLD_S: Final = 0.4


class RigKind(StrEnum):
    """What is held before the simulated camera."""

    TURNING_HEAD = "turning-head"
    FLAT_PHOTO = "flat-photo"


class RigOrderError(BiometricsError):
    """The order of turns is empty or names something else than left and right."""

    code: ClassVar[str] = "rig-order-invalid"


@dataclass(frozen=True)
class Rig:
    """A simulated camera."""

    detector: FaceDetector
    mesh_estimator: MeshEstimator

    def render(
        self,
        kind: RigKind,
        picture: bytes,
        order: Sequence[str],
        *,
        turn_deg: float = 42.0,
        fps: float = 12.0,
        noise: float = 2.0,
        seed: int = 0,
    ) -> list[FrameSample]:
        """Return JPEG frames of the picture that follow `order`.

        Args:
            kind: a head, or a photograph on a wall-coloured background.
            picture: one upright, near-frontal face.
            order: `left` and `right`, the subject's own, in the order to be done.
            turn_deg: angle that each turn reaches.
            fps: frames a second.
            noise: standard deviation of the sensor noise, in gray levels.
            seed: the same seed gives the same frames.

        Raises:
            RigOrderError: `order` is empty or names another movement.
            ImageError, FaceError: the picture cannot be used.
        """
        if not order or not set(order) <= {"left", "right"}:
            raise RigOrderError("the order must name at least one turn, each left or right")
        scene = self._scene(decode_image(picture))
        view = lru_cache(maxsize=128)(scene.head if kind is RigKind.TURNING_HEAD else scene.photo)
        rng = np.random.default_rng(seed)
        frames = []
        for index, yaw_deg in enumerate(_yaw_track(order, turn_deg, fps)):
            frame = _shoot(view(round(yaw_deg)), noise, rng)
            frames.append(FrameSample(frame, round(index * 1000 / fps, 1)))
        return frames

    def _scene(self, image: Image) -> "_Scene":
        """Return the picture scaled and cropped as a webcam would see it, with its mesh."""
        face = self.detector.find_one(image)
        scale = FACE_SIDE_PX / face.box.side
        cx, cy = face.box.center
        half = CONTEXT / 2 * face.box.side
        height, width = image.shape[:2]
        top, bottom = max(0, round(cy - half * 0.75)), min(height, round(cy + half * 0.75))
        left, right = max(0, round(cx - half)), min(width, round(cx + half))
        scaled = cv2.resize(
            image[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )
        view = np.asarray(scaled, dtype=np.uint8)
        mesh = self.mesh_estimator.estimate(view, self.detector.find_one(view).box)
        return _Scene(view, mesh.points, mesh.eye_corner_px)


@dataclass(frozen=True)
class _Scene:
    """The sitter as the camera sees them at rest."""

    view: Image
    points: FloatArray
    unit_px: float

    def head(self, yaw_deg: float) -> Image:
        """Return the view with the head turned to the subject's left (positive) or right."""
        if yaw_deg == 0:
            return self.view
        head, ring = self._head(), self._enlarge(self._outline(), HEAD_RING)
        source = np.vstack([head[:, :2], ring])
        turned, depth = self._turn(head, yaw_deg)
        target = np.vstack([turned, ring])
        depth = np.concatenate([depth, np.full(len(ring), depth.max())])
        triangles = self._triangles[_faces_front(source, target, self._triangles)]
        farthest_first = triangles[np.argsort(-depth[triangles].mean(axis=1))]
        return _warp(self.view, source[farthest_first], target[farthest_first])

    def photo(self, yaw_deg: float) -> Image:
        """Return the view printed on paper, held before a wall and turned like a head."""
        height, width = self.view.shape[:2]
        corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
        center = np.array([width / 2, height / 2], dtype=np.float32)
        distance = CAMERA_DISTANCE * self.unit_px
        yaw = math.radians(yaw_deg)
        offset = (corners - center) * 0.92
        depth = -offset[:, 0] * math.sin(yaw)
        offset[:, 0] *= math.cos(yaw)
        turned = center + offset / (1 + depth[:, None] / distance)
        matrix = cv2.getPerspectiveTransform(corners, turned.astype(np.float32))
        return np.asarray(
            cv2.warpPerspective(
                self.view,
                matrix,
                (width, height),
                flags=cv2.INTER_AREA,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=WALL_BGR,
            ),
            dtype=np.uint8,
        )

    @cached_property
    def _triangles(self) -> NDArray[np.intp]:
        """The triangles between the points of the head and the ring that does not move."""
        ring = self._enlarge(self._outline(), HEAD_RING)
        return _triangulate(np.vstack([self._head()[:, :2], ring]))

    def _head(self) -> FloatArray:
        """Return N x 3 points of the head: the mesh, and around it a ring a little behind."""
        outline = self._outline()
        ring = np.hstack([self._enlarge(outline, EAR_RING), outline[:, 2:]])
        ring[:, 2] += EAR_RING_DEPTH * self.unit_px
        return np.vstack([self.points, ring])

    def _outline(self) -> FloatArray:
        """Return the mesh's outermost points as N x 3."""
        plane = np.ascontiguousarray(self.points[:, :2])
        outermost = np.asarray(cv2.convexHull(plane, returnPoints=False)).ravel()
        return np.asarray(self.points[outermost], dtype=np.float32)

    def _enlarge(self, outline: FloatArray, scale: float) -> FloatArray:
        """Return the outline's places in the picture, further out, as N x 2."""
        center = self.points[:, :2].mean(axis=0)
        return np.asarray(center + (outline[:, :2] - center) * scale, dtype=np.float32)

    @property
    def _axis_depth(self) -> float:
        return float(self.points[:, 2].min()) + AXIS_DEPTH * self.unit_px

    def _turn(self, head: FloatArray, yaw_deg: float) -> tuple[FloatArray, FloatArray]:
        """Return the places (N x 2) and depths of N x 3 points after the turn, in pixels."""
        yaw = math.radians(yaw_deg)
        distance = CAMERA_DISTANCE * self.unit_px
        center = self.points[:, :2].mean(axis=0)
        front = self.points[:, 2].min()
        spread = (head[:, :2] - center) * (1 + (head[:, 2] - front) / distance)[:, None]
        x, behind = spread[:, 0], (head[:, 2] - self._axis_depth)
        turned_x = x * math.cos(yaw) - behind * math.sin(yaw)
        depth = x * math.sin(yaw) + behind * math.cos(yaw) + self._axis_depth - front
        turned = np.stack([turned_x, spread[:, 1]], axis=1) / (1 + depth / distance)[:, None]
        return (turned + center).astype(np.float32), depth.astype(np.float32)


def _triangulate(points: FloatArray) -> NDArray[np.intp]:
    """Return the Delaunay triangles of N x 2 points as M x 3 indices."""
    low, high = points.min(axis=0) - 2, points.max(axis=0) + 2
    plane = cv2.Subdiv2D((int(low[0]), int(low[1]), *(int(v) for v in np.ceil(high - low) + 2)))
    plane.insert(points.tolist())
    corners = np.asarray(plane.getTriangleList(), dtype=np.float32).reshape(-1, 3, 2)
    distances = np.linalg.norm(corners[:, :, None] - points[None, None], axis=3)
    nearest: NDArray[np.intp] = distances.argmin(axis=2)
    # OpenCV's outer helper vertices belong to no point.
    inside: NDArray[np.bool_] = distances.min(axis=2).max(axis=1) < 0.5
    return nearest[inside]


def _faces_front(
    source: FloatArray, target: FloatArray, triangles: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Return which triangles still show the side that they showed at rest."""

    def winding(points: FloatArray) -> FloatArray:
        a, b, c = (points[triangles[:, i]] for i in range(3))
        u, v = b - a, c - a
        return np.asarray(np.sign(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]), dtype=np.float32)

    return np.asarray(winding(source) == winding(target))


def _warp(view: Image, source: FloatArray, target: FloatArray) -> Image:
    """Return the view with N triangles moved from `source` to `target`, both N x 3 x 2.

    Later triangles cover earlier ones; what no triangle covers stays as it is.
    """
    corners = np.concatenate([target, np.ones((*target.shape[:2], 1))], axis=2)
    solid = np.abs(np.linalg.det(corners)) > MIN_TRIANGLE_PX2
    back = np.linalg.solve(corners[solid], source[solid])
    owner = np.full(view.shape[:2], -1, dtype=np.int32)
    for index, triangle in enumerate(np.round(target[solid] * 16).astype(np.int32)):
        cv2.fillConvexPoly(owner, triangle, index, cv2.LINE_8, 4)
    rows, columns = np.nonzero(owner >= 0)
    places = np.stack([columns, rows, np.ones_like(rows)], axis=1)
    lookup = np.indices(view.shape[:2], dtype=np.float32)[::-1]
    moved = np.einsum("ni,nij->jn", places, back[owner[rows, columns]])
    lookup[:, rows, columns] = moved
    return np.asarray(
        cv2.remap(view, lookup[0], lookup[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )


def _yaw_track(order: Sequence[str], turn_deg: float, fps: float) -> Iterator[float]:
    """Yield the yaw of each frame: rest, then for each turn a swing out, a hold, and back."""
    rest, swing, hold = (max(1, round(seconds * fps)) for seconds in (REST_S, SWING_S, HOLD_S))
    yield from [0.0] * rest
    for turn in order:
        peak = turn_deg if turn == "left" else -turn_deg
        rise = [peak * (1 - math.cos(math.pi * (i + 1) / swing)) / 2 for i in range(swing)]
        yield from [*rise, *[peak] * hold, *reversed(rise), *[0.0] * rest]


def _shoot(view: Image, noise: float, rng: np.random.Generator) -> bytes:
    """Return one JPEG of the view: a hand's or neck's jitter below a pixel, and sensor noise."""
    dx, dy = rng.normal(0, 0.4, 2)
    matrix = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float32)
    height, width = view.shape[:2]
    moved = cv2.warpAffine(view, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    noisy = moved + noise * rng.standard_normal(moved.shape, dtype=np.float32)
    frame = noisy.clip(0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
