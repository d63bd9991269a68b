"""Put the person of a small picture before a wall: little of the scene lies in the picture."""

from typing import Final

import cv2
import numpy as np

from biometrics.rig.geometry import MIDDLE_PX, UNIT_PX
from biometrics.types import FloatArray, Image

REACH: Final = (2.6, 1.9)
"""A picture that shows less beside and above the face, in eye-corner distances, is small."""
CUT_STEP: Final = 4
CUT_ROUNDS: Final = 3
FEATHER: Final = 1.2
HAIR_REACH: Final = 1.22
FACE_REACH: Final = 0.93
"""Multiples of the outline: what may, and what must be the head."""
TORSO: Final = (
    *((-0.5, 0.6), (0.5, 0.6), (0.6, 1.15), (1.5, 1.45), (2.0, 1.8), (2.3, 6.0)),
    *((-2.3, 6.0), (-2.0, 1.8), (-1.5, 1.45), (-0.6, 1.15)),
)
CHEST: Final = ((-0.35, 0.8), (0.35, 0.8), (0.9, 1.9), (0.9, 6), (-0.9, 6), (-0.9, 1.9))
"""What may, and what must be the body, in eye-corner distances from the face's middle."""
WALL_GRAY: Final = 165.0


def is_small(inside: Image) -> bool:
    """Return whether the picture ends near to the face.

    Args:
        inside: 0 where the scene lies outside of the picture, else 255.
    """
    x, y = (round(side) for side in MIDDLE_PX)
    beside, above = (round(reach * UNIT_PX) for reach in REACH)
    edges = inside[y, x - beside], inside[y, x + beside], inside[max(0, y - above), x]
    return any(edge == 0 for edge in edges)


def put_before_wall(scene: Image, inside: Image, outline: FloatArray) -> Image:
    """Return the person before a wall.

    Args:
        scene: 900 x 1200 x 3.
        inside: 0 where the scene lies outside of the picture, else 255.
        outline: N x 2, around head and hair.
    """
    size = scene.shape[1] // CUT_STEP, scene.shape[0] // CUT_STEP
    small: Image = np.asarray(cv2.resize(scene, size, interpolation=cv2.INTER_AREA), np.uint8)
    covered = cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST)
    known = np.asarray(cv2.erode(covered, np.ones((3, 3)), borderValue=0), np.uint8)
    # The corners that an alignment left black belong to no picture.
    empty = (small.max(axis=2) < 3).astype(np.uint8)
    known[cv2.dilate(cv2.erode(empty, np.ones((5, 5))), np.ones((9, 9))) > 0] = 0
    head = _head(small, known, np.asarray(outline / CUT_STEP, np.float32))
    torso = _polygon(TORSO, known.shape)
    clothes = _clothes(small, known, torso)
    body = np.where((head > 0)[..., None] & (known > 0)[..., None], small, clothes)
    alpha = cv2.GaussianBlur(np.maximum(head, torso).astype(np.float32), (0, 0), FEATHER)
    size = scene.shape[1], scene.shape[0]
    share = cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR)[..., None]
    sharp = cv2.GaussianBlur(((head > 0) & (known > 0)).astype(np.float32), (0, 0), 1.0)
    shown = cv2.resize(sharp, size)[..., None]
    whole = scene * shown + cv2.resize(body.astype(np.uint8), size) * (1 - shown)
    wall = np.linspace(1.08, 0.9, scene.shape[0], dtype=np.float32)[:, None, None] * WALL_GRAY
    return np.asarray(whole * share + wall * (1 - share), np.uint8)


def _head(small: Image, known: Image, outline: FloatArray) -> Image:
    """Return 1 where head, neck and clothes are, by their colours within where they can be."""
    middle = np.array(MIDDLE_PX) / CUT_STEP
    torso, chest = _polygon(TORSO, known.shape), _polygon(CHEST, known.shape)
    hair, face = (np.zeros_like(known) for _ in range(2))
    for mask, reach in ((hair, HAIR_REACH), (face, FACE_REACH)):
        polygon = middle + (outline - middle) * reach
        cv2.fillPoly(mask, [np.round(polygon).astype(np.int32)], 1)
    seen = known > 0
    labels = np.full(known.shape, cv2.GC_BGD, np.uint8)
    labels[seen] = cv2.GC_PR_BGD
    labels[seen & ((hair | torso) > 0)] = cv2.GC_PR_FGD
    labels[seen & ((face | chest) > 0)] = cv2.GC_FGD
    if (labels == cv2.GC_FGD).any() and (labels == cv2.GC_PR_BGD).any():
        cv2.setRNGSeed(1)
        people, places = np.zeros((1, 65)), np.zeros((1, 65))
        everything = (0, 0, 0, 0)
        cv2.grabCut(small, labels, everything, places, people, CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)) & ((hair | torso) > 0)
    smooth = cv2.medianBlur(person.astype(np.uint8), 5)
    return np.asarray(smooth, np.uint8)


def _clothes(small: Image, known: Image, torso: Image) -> Image:
    """Return an even surface of the colour that the picture shows lowest on the chest."""
    seen = (known > 0) & (_polygon(CHEST, known.shape) > 0)
    rows = np.nonzero(seen.any(axis=1))[0]
    colour = np.array([70, 66, 64])
    if len(rows):
        seen[: max(rows[0], rows[-1] - 8)] = False
        colour = np.median(small[seen], axis=0)
    shade = 1 - 0.25 * np.abs(np.linspace(-1, 1, known.shape[1]))[None, :, None]
    return np.asarray((np.ones((*torso.shape, 1)) * shade * colour).clip(8, 235), np.uint8)


def _polygon(corners: tuple[tuple[float, float], ...], shape: tuple[int, ...]) -> Image:
    """Return 1 inside of corners that are given in eye-corner distances from the middle."""
    mask = np.zeros(shape[:2], np.uint8)
    points = (np.array(MIDDLE_PX) + np.array(corners) * UNIT_PX) / CUT_STEP
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask
