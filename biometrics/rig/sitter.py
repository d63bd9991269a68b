"""One picture, made ready to be performed: the scene around the face and the head's shape."""

import math
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.detection import FaceDetector
from biometrics.image import decode_image
from biometrics.landmarks import (
    LEFT_EYE,
    LEFT_OUTER_EYE_CORNER,
    RIGHT_EYE,
    RIGHT_OUTER_EYE_CORNER,
    Mesh,
    MeshEstimator,
)
from biometrics.rig.backdrop import is_small, put_before_wall
from biometrics.rig.eyelids import STYLES, Eyelids
from biometrics.rig.geometry import MIDDLE_PX, SCENE_PX, UNIT_PX
from biometrics.types import FloatArray, Image

RELIEF_STEP: Final = 4
"""Pixels of the scene from one sample of the relief to the next."""
RING_SIDES: Final = 1.1
RING_TOP: Final = 1.42
RING_JAW: Final = 0.99
"""Ears, hair and throat: multiples of the mesh's outline."""
RING_DEPTH: Final = 0.28
"""How far behind the outline they lie, in eye-corner distances."""
NO_HEAD: Final = 1e4
STEEPEST: Final = 2.5
"""Depth gained with each pixel at most: a picture from the front shows too little of steeper sides
to be stretched over them."""
EASING_ROUNDS: Final = 30
FADE_PX: Final = 24
FOREHEAD: Final = 10
CHIN: Final = 152
MAX_TURNED_DEG: Final = 20.0
"""What the picture's head is turned back by at most."""
CLEAR_BLINK: Final = 0.55
"""Openness, in parts of the own, that leaves no doubt about the operating point `blink`."""
GRAY_SPREAD: Final = 4.0
"""A picture whose channels differ by less in the mean is gray."""
DARK_SKIN_BGR: Final = (0.62, 0.80, 1.16)
LIGHT_SKIN_BGR: Final = (0.82, 0.94, 1.12)
"""Tones by which gray skin is multiplied."""


@dataclass(frozen=True)
class Sitter:
    """Somebody's head, in the pixels of a scene in which all heads are upright and equally large.

    Depths are in the same unit, larger is farther, 0 at the mesh's middle.
    """

    scene: Image = field(repr=False)
    """900 x 1200: the picture and what may lie beyond its edges."""
    relief: FloatArray = field(repr=False)
    """225 x 300: the head's depth; `NO_HEAD` where there is none."""
    normals: FloatArray = field(repr=False)
    """225 x 300 x 3: the surface's outward direction, towards the camera negative."""
    outline: FloatArray = field(repr=False)
    """N x 2: around face, ears, hair and throat."""
    depths: tuple[float, float]
    """Of the nose and of the rim."""
    eyelids: tuple[Eyelids, Eyelids] = field(repr=False)
    face_parts: FloatArray = field(repr=False)
    """4 x 2: the mouth's corners, the chin, the middle of the brows."""
    turned_deg: tuple[float, float]
    """Yaw and pitch of the head in the picture, by the mesh."""
    is_gray: bool
    blink: float
    """Openness of the closed eyes as the mesh model sees it, in parts of the open ones'."""


def seat(picture: bytes, detector: FaceDetector, mesh_estimator: MeshEstimator) -> Sitter:
    """Prepare a picture with one upright, near-frontal face.

    Raises:
        ImageError, FaceError: the picture cannot be used.
    """
    image = decode_image(picture)
    face = detector.find_one(image)
    mesh = mesh_estimator.look_again(image, mesh_estimator.estimate(image, face.box))
    matrix = _to_scene(mesh.points)
    scale = float(math.hypot(*matrix[:, 0]))
    flat = mesh.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    depth = (mesh.points[:, 2:] - mesh.points[:, 2].mean()) * scale
    points = np.hstack([flat, depth]).astype(np.float32)
    is_gray = _is_gray(image)
    ring = _ring(points)
    scene, inside = _fill_scene(image, matrix, scale)
    if is_small(inside):
        scene = put_before_wall(scene, inside, ring[:, :2])
    relief = _relief(points, ring)
    eyelids, blink = _choose_eyelids(scene, points, mesh_estimator)
    parts = np.stack([points[61], points[291], points[199], (points[105] + points[334]) / 2])
    return Sitter(
        scene=scene,
        relief=relief,
        normals=_normals(relief),
        outline=ring[:, :2],
        depths=(float(points[:, 2].min()), float(relief[relief < NO_HEAD].max())),
        eyelids=eyelids,
        face_parts=parts[:, :2].astype(np.float32),
        turned_deg=_turned_deg(points),
        is_gray=is_gray,
        blink=blink,
    )


def tint(sitter: Sitter, skin: float, wall_bgr: tuple[float, float, float]) -> Image:
    """Return the scene of a gray picture with colours: skin inside of the outline, else the wall's.

    Args:
        sitter: of a gray picture.
        skin: 0 dark to 1 light.
        wall_bgr: factors of the channels.
    """
    height, width = sitter.scene.shape[:2]
    mask = np.zeros((height // 4, width // 4), np.float32)
    cv2.fillPoly(mask, [np.round(sitter.outline / 4).astype(np.int32)], 1.0)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 3), np.float32)
    tone = np.array(DARK_SKIN_BGR) * (1 - skin) + np.array(LIGHT_SKIN_BGR) * skin
    small = mask[..., None] * tone + (1 - mask[..., None]) * np.array(wall_bgr)
    factors = cv2.resize(small.astype(np.float32), (width, height))
    return np.asarray(cv2.multiply(sitter.scene, factors, dtype=cv2.CV_8U), dtype=np.uint8)


def _to_scene(points: FloatArray) -> FloatArray:
    """Return the 2 x 3 similarity that makes the head upright and of the scene's size."""
    across = points[LEFT_OUTER_EYE_CORNER, :2] - points[RIGHT_OUTER_EYE_CORNER, :2]
    scale = UNIT_PX / max(float(np.linalg.norm(across)), 1.0)
    roll = math.atan2(float(across[1]), float(across[0]))
    turn = scale * np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]])
    middle = points[:, :2].mean(axis=0)
    return np.hstack([turn, (np.array(MIDDLE_PX) - turn @ middle)[:, None]]).astype(np.float32)


def _choose_eyelids(
    scene: Image, points: FloatArray, mesh_estimator: MeshEstimator
) -> tuple[tuple[Eyelids, Eyelids], float]:
    """Return the first eyelids that the model sees well closed, else the best."""
    whole = Mesh(points, 1.0)
    usual = _openness(mesh_estimator.look_again(scene, whole))
    tried = []
    for style in STYLES:
        eyelids = Eyelids.of_both(points, style)
        closed = scene.copy()
        for lid in eyelids:
            closed[lid.place] = lid.close(scene, 0.0)
        blink = _openness(mesh_estimator.look_again(closed, whole)) / usual
        tried.append((blink, eyelids))
        if blink < CLEAR_BLINK:
            break
    blink, eyelids = min(tried, key=lambda pair: pair[0])
    return eyelids, blink


def _openness(mesh: Mesh) -> float:
    """Return the mean of both eyes' height by width."""
    ratios = []
    for rim in (RIGHT_EYE, LEFT_EYE):
        points = mesh.points[list(rim)]
        heights = np.linalg.norm(points[2:7] - points[14:9:-1], axis=1)
        ratios.append(heights.mean() / max(np.linalg.norm(points[0] - points[8]), 1e-6))
    return max(float(np.mean(ratios)), 1e-6)


def _turned_deg(points: FloatArray) -> tuple[float, float]:
    across = points[LEFT_OUTER_EYE_CORNER] - points[RIGHT_OUTER_EYE_CORNER]
    down = points[CHIN] - points[FOREHEAD]
    angles = math.atan2(across[2], across[0]), math.atan2(down[2], down[1])
    yaw, pitch = np.clip(np.degrees(angles), -MAX_TURNED_DEG, MAX_TURNED_DEG).tolist()
    return yaw, pitch


def _is_gray(image: Image) -> bool:
    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA).astype(np.int16)
    return float((small.max(axis=2) - small.min(axis=2)).mean()) < GRAY_SPREAD


def _fill_scene(image: Image, matrix: FloatArray, scale: float) -> tuple[Image, Image]:
    """Return the picture in the scene with a blur of its edges around it, and where it is.

    The second is 255 inside of the picture, 0 outside.
    """
    if scale < 0.6:
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix = matrix @ np.diag([1 / scale, 1 / scale, 1]).astype(np.float32)
    scene = cv2.warpAffine(
        image, matrix, SCENE_PX, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    full = np.full(image.shape[:2], 255, np.uint8)
    inside = cv2.warpAffine(full, matrix, SCENE_PX, flags=cv2.INTER_NEAREST)
    inside = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    near = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    small = cv2.resize(scene, None, fx=1 / 16, fy=1 / 16, interpolation=cv2.INTER_AREA)
    beyond = cv2.resize(cv2.GaussianBlur(small, (0, 0), 3), SCENE_PX)
    keep = np.clip(near / FADE_PX, 0, 1)[..., None].astype(np.float32)
    filled = np.asarray(scene * keep + beyond * (1 - keep), dtype=np.uint8)
    return filled, np.asarray(inside[1:-1, 1:-1], dtype=np.uint8)


def _ring(points: FloatArray) -> FloatArray:
    """Return N x 3 points around the head: the mesh's outline, further out and behind."""
    plane = np.ascontiguousarray(points[:, :2])
    outline = points[np.asarray(cv2.convexHull(plane, returnPoints=False)).ravel()]
    offset = outline[:, :2] - MIDDLE_PX
    down = offset[:, 1] / np.linalg.norm(offset, axis=1)
    reach = np.where(
        down < 0,
        RING_SIDES + (RING_TOP - RING_SIDES) * down**2,
        RING_SIDES + (RING_JAW - RING_SIDES) * np.clip(down * 2.5, 0, 1),
    )
    flat = MIDDLE_PX + offset * reach[:, None]
    return np.hstack([flat, outline[:, 2:] + RING_DEPTH * UNIT_PX]).astype(np.float32)


def _relief(points: FloatArray, ring: FloatArray) -> FloatArray:
    """Return the depth between the points, by linear interpolation over their triangles."""
    solid = np.vstack([points, ring])
    width, height = (side // RELIEF_STEP for side in SCENE_PX)
    relief = np.full((height, width), NO_HEAD, np.float32)
    flat = np.asarray(solid[:, :2] / RELIEF_STEP, np.float32)
    for triangle in _triangulate(flat):
        a = np.hstack([flat[triangle], np.ones((3, 1))])
        if abs(np.linalg.det(a)) < 1e-3:
            continue
        plane = np.linalg.solve(a, solid[triangle, 2])
        low = np.maximum(np.floor(flat[triangle].min(axis=0)).astype(int), 0)
        high = np.ceil(flat[triangle].max(axis=0)).astype(int) + 1
        xs, ys = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        weights = np.stack([xs, ys, np.ones_like(xs)], axis=-1) @ np.linalg.inv(a)
        within = (weights >= -1e-6).all(axis=-1) & (xs < width) & (ys < height)
        depth = xs * plane[0] + ys * plane[1] + plane[2]
        relief[ys[within], xs[within]] = depth[within]
    head = relief < NO_HEAD
    filled = np.where(head, relief, 0).astype(np.float32)
    weight = cv2.GaussianBlur(head.astype(np.float32), (0, 0), 1.0)
    smooth = cv2.GaussianBlur(filled, (0, 0), 1.0) / np.maximum(weight, 1e-3)
    relief = np.where(head, smooth, NO_HEAD).astype(np.float32)
    for _ in range(EASING_ROUNDS):
        nearest = cv2.erode(relief, np.ones((3, 3), np.uint8)) + STEEPEST * RELIEF_STEP
        relief = np.where(head, np.minimum(relief, nearest), NO_HEAD).astype(np.float32)
    return relief


def _normals(relief: FloatArray) -> FloatArray:
    """Return the unit normals of the relief, a little smoothed."""
    head = (relief < NO_HEAD).astype(np.float32)
    weight = np.maximum(cv2.GaussianBlur(head, (0, 0), 3), 1e-3)
    depth = cv2.GaussianBlur(np.where(head > 0, relief, 0).astype(np.float32), (0, 0), 3) / weight
    dy, dx = np.gradient(depth, RELIEF_STEP)
    normals = np.stack([dx, dy, -np.ones_like(dx)], axis=-1)
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.asarray(normals / lengths, np.float32)


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
