"""Where each pixel of the camera's frame lies in the sitter's scene.

All is computed on a grid of every fourth pixel and interpolated: what moves is smooth.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.rig.choreography import Pose
from biometrics.rig.geometry import (
    FRAME_PX,
    GRID_PX,
    GRID_STEP,
    MIDDLE_PX,
    UNIT_CM,
    UNIT_PX,
)
from biometrics.rig.person import Person
from biometrics.rig.sitter import NO_HEAD, RELIEF_STEP, Sitter
from biometrics.types import FloatArray

CM: Final = UNIT_CM / UNIT_PX
"""Of one pixel of the scene, at the face."""
PICTURE_CM: Final = 120.0
"""How far from the lens portraits are taken."""
AXIS_BEHIND_CM: Final = 9.5
AXIS_BELOW_CM: Final = 5.0
"""The neck's joint, from the nose's tip and the mesh's middle."""
DEPTHS: Final = 18
"""Places along a ray at which it is compared with the relief."""
BAND: Final = 0.85
"""How far around the head the scene gives way to it, in eye-corner distances on screen."""
TORSO_FOLLOWS: Final = 0.5
"""The shoulders' part of the head's approach."""
PART_SIGMA_PX: Final = (13.0, 13.0, 22.0, 30.0)
PART_MOVES: Final = ((0.5, -0.9), (-0.5, -0.9), (0.0, 1.0), (0.0, -0.8))
"""How mouth's corners, chin and brows move in one standard deviation, in the scene's pixels."""


@dataclass(frozen=True)
class View:
    """One frame's geometry on the grid of 120 x 160."""

    u: FloatArray = field(repr=False)
    v: FloatArray = field(repr=False)
    """Places in the scene."""
    lambert: FloatArray = field(repr=False)
    """How much of the screen's light each place throws back, 1 for skin that faces the camera half
    a metre away; 0 for the background."""


class Stage:
    """One sitter before one camera."""

    def __init__(self, sitter: Sitter, person: Person, focal_px: float) -> None:
        self._sitter = sitter
        self._focal_px = focal_px
        nose, ring = (depth * CM for depth in sitter.depths)
        self._depths = np.linspace(nose - 0.4, ring + 0.4, DEPTHS, dtype=np.float32)
        self._axis = np.array([0, AXIS_BELOW_CM, nose + AXIS_BEHIND_CM], np.float32)
        self._rest_cm = person.distance_cm
        # The scene's pixels for one of the frame, for what lies as far as the ears.
        self._scale = UNIT_PX / UNIT_CM * (person.distance_cm - nose + ring) / focal_px
        self._rays = rays(focal_px)
        columns, rows = (self._rays[i] * focal_px + FRAME_PX[i] / 2 for i in (0, 1))
        x, y = person.place_cm
        place = (FRAME_PX[0] / 2, FRAME_PX[1] / 2) + focal_px / person.distance_cm * np.array(
            [x, y]
        )
        self._rest_u = (MIDDLE_PX[0] + (columns - place[0]) * self._scale).astype(np.float32)
        self._rest_v = (MIDDLE_PX[1] + (rows - place[1]) * self._scale).astype(np.float32)
        below = (self._rest_v - MIDDLE_PX[1]) / UNIT_PX
        beside = np.abs(self._rest_u - MIDDLE_PX[0]) / UNIT_PX
        self._torso = np.clip((below - 0.9) / 0.6, 0, 1) * np.clip(
            1.6 + 0.6 * below - beside, 0, 1
        ).astype(np.float32)

    def view(self, pose: Pose, liveliness: float) -> View:
        """Return what the camera sees of the sitter in this pose."""
        u, v, hit, facing = self._head(pose)
        if liveliness:
            u, v = self._express(u, v, pose, liveliness)
        s = TORSO_FOLLOWS * (self._rest_cm / pose.distance_cm - 1)
        behind_du = self._torso * (self._rest_u - MIDDLE_PX[0]) * (1 / (1 + s) - 1)
        behind_dv = self._torso * (self._rest_v - MIDDLE_PX[1]) * (1 / (1 + s) - 1)
        # What is seen of the rim itself is too little to go by.
        hit = cv2.erode(hit.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        if not hit.any():  # a mesh so odd, or a head so far aside, that no ray meets it
            return View(self._rest_u, self._rest_v, np.zeros_like(self._rest_u))
        away, nearest = cv2.distanceTransformWithLabels(
            (~hit).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        du, dv = u - self._rest_u, v - self._rest_v
        # Labels number the hit places in the order of their rows.
        du_edge, dv_edge = du[hit][nearest - 1], dv[hit][nearest - 1]
        band = BAND * UNIT_PX / self._scale / GRID_STEP
        part = np.clip(away / band, 0, 1).astype(np.float32)
        weight = 1 - part**2 * (3 - 2 * part)
        soft = [cv2.GaussianBlur(edge, (0, 0), 2.5) for edge in (du_edge, dv_edge)]
        near = np.clip(away / 3, 0, 1)
        du_edge = du_edge * (1 - near) + soft[0] * near
        dv_edge = dv_edge * (1 - near) + soft[1] * near
        du = np.where(hit, du, du_edge * weight + behind_du * (1 - weight))
        dv = np.where(hit, dv, dv_edge * weight + behind_dv * (1 - weight))
        lit = np.where(hit, facing, 0).astype(np.float32)
        lit = lit * (50.0 / pose.distance_cm) ** 2
        lit = np.maximum(lit, 0.7 * self._torso * (50.0 / (pose.distance_cm + 15)) ** 2)
        return View(
            (self._rest_u + du).astype(np.float32),
            (self._rest_v + dv).astype(np.float32),
            np.asarray(cv2.GaussianBlur(lit, (0, 0), 1.5), np.float32),
        )

    def _head(self, pose: Pose) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], FloatArray]:
        """Return where each ray meets the head: u, v, whether it does, how it faces the camera."""
        yaw, pitch = self._sitter.turned_deg
        turn = rotation(replace(pose, yaw_deg=pose.yaw_deg - yaw, pitch_deg=pose.pitch_deg - pitch))
        joint = np.array(
            [pose.x_cm, pose.y_cm + self._axis[1], pose.distance_cm + AXIS_BEHIND_CM], np.float32
        )
        origin = self._axis - turn.T @ joint
        height, width = self._rays.shape[1:]
        rows, columns = self._bounds(pose)
        part = self._rays[:, rows, columns]
        direction = np.einsum("ji,jyx->iyx", turn, part)
        depths = self._depths[:, None, None]
        t = (depths - origin[2]) / direction[2]
        u, v = _to_scene(origin[0] + t * direction[0], origin[1] + t * direction[1], depths)
        behind = depths - self._relief(u, v)
        inside = behind >= 0
        inside[0] = False
        first = inside.argmax(axis=0)
        met = inside.any(axis=0)
        last = np.maximum(first - 1, 0)
        take = [np.take_along_axis(behind, i[None], 0)[0] for i in (last, first)]
        share = np.clip(take[0] / np.where(take[0] == take[1], 1, take[0] - take[1]), 0, 1)
        # A ray that came in from beside the head passes behind its rim.
        met &= take[0] > -NO_HEAD * CM / 10
        z = self._depths[last] + share * (self._depths[first] - self._depths[last])
        t = (z - origin[2]) / direction[2]
        u1, v1 = _to_scene(origin[0] + t * direction[0], origin[1] + t * direction[1], z)
        facing = self._facing(u1, v1, turn)
        shape = (height, width)
        whole = [np.zeros(shape, np.float32) for _ in range(3)]
        hit = np.zeros(shape, bool)
        for target, values in zip(whole, (u1, v1, facing), strict=True):
            target[rows, columns] = values
        hit[rows, columns] = met
        return whole[0], whole[1], hit, whole[2]

    def _bounds(self, pose: Pose) -> tuple[slice, slice]:
        """Return the rows and columns of the grid in which the head lies."""
        reach = 2.0 * UNIT_CM * self._focal_px / pose.distance_cm / GRID_STEP
        cx = (FRAME_PX[0] / 2 + self._focal_px * pose.x_cm / pose.distance_cm) / GRID_STEP
        cy = (FRAME_PX[1] / 2 + self._focal_px * pose.y_cm / pose.distance_cm) / GRID_STEP
        return (
            slice(max(0, int(cy - reach)), min(GRID_PX[1], int(cy + reach))),
            slice(max(0, int(cx - reach)), min(GRID_PX[0], int(cx + reach))),
        )

    def _relief(self, u: FloatArray, v: FloatArray) -> FloatArray:
        n, height, width = u.shape
        found = cv2.remap(
            self._sitter.relief,
            u.reshape(n * height, width) / RELIEF_STEP,
            v.reshape(n * height, width) / RELIEF_STEP,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(found, np.float32).reshape(n, height, width) * np.float32(CM)

    def _facing(self, u: FloatArray, v: FloatArray, turn: FloatArray) -> FloatArray:
        """Return the cosine between the surface's normal and the way to the camera, at least 0."""
        normals = cv2.remap(
            self._sitter.normals,
            u.astype(np.float32) / RELIEF_STEP,
            v.astype(np.float32) / RELIEF_STEP,
            cv2.INTER_LINEAR,
        )
        return np.asarray(np.clip(-(normals @ turn[2]), 0, 1), np.float32)

    def _express(
        self, u: FloatArray, v: FloatArray, pose: Pose, liveliness: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return the places with the face's parts a little moved."""
        du, dv = np.zeros_like(u), np.zeros_like(v)
        for (px, py), sigma, (mx, my), much in zip(
            self._sitter.face_parts, PART_SIGMA_PX, PART_MOVES, pose.expression, strict=True
        ):
            near = np.exp(-((u - px) ** 2 + (v - py) ** 2) / (2 * sigma**2)) * (much * liveliness)
            du += mx * near
            dv += my * near
        return u - du, v - dv


def rays(focal_px: float) -> FloatArray:
    """Return the grid's rays from the lens, 3 x 120 x 160, with depth 1."""
    columns, rows = np.meshgrid(
        (np.arange(GRID_PX[0], dtype=np.float32) + 0.5) * GRID_STEP - 0.5,
        (np.arange(GRID_PX[1], dtype=np.float32) + 0.5) * GRID_STEP - 0.5,
    )
    x, y = (columns - FRAME_PX[0] / 2) / focal_px, (rows - FRAME_PX[1] / 2) / focal_px
    return np.asarray(np.stack([x, y, np.ones_like(x)]), np.float32)


def rotation(pose: Pose) -> FloatArray:
    """Return the 3 x 3 matrix from the head's axes to the camera's."""
    yaw, pitch, roll = (math.radians(a) for a in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, np.float32)


def _to_scene(x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where the picture shows points of the head, centimetres from the mesh's middle."""
    shrink = CM * (1 + z / PICTURE_CM)
    return (
        np.asarray(MIDDLE_PX[0] + x / shrink, np.float32),
        np.asarray(MIDDLE_PX[1] + y / shrink, np.float32),
    )
