"""Make what is held before the camera from a sitter's scene."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from biometrics.rig.choreography import Pose
from biometrics.rig.eyelids import Eyelids
from biometrics.rig.geometry import FRAME_PX, MIDDLE_PX, UNIT_CM, UNIT_PX
from biometrics.rig.held import Artefact
from biometrics.rig.lighting import Light
from biometrics.rig.person import Person, Place
from biometrics.rig.sitter import Sitter
from biometrics.rig.take import Act, Scenery, coloured
from biometrics.types import Image

MARGIN_PX: Final = 14
EYES_BEHIND_CM: Final = 1.5
"""How far behind the paper the eyes are that look through its holes."""
HOLE: Final = 2.2
"""Height of a hole by that of the open eye with its lids."""


def printed(sitter: Sitter, light: Light, scale: float, rng: np.random.Generator) -> Artefact:
    """Return a photograph on paper, cut out around the head and shoulders.

    Args:
        sitter: whom it shows.
        light: of the place, for the colours of a gray picture.
        scale: size of the printed face by that of a real one.
        rng: draws the cut and the ink.
    """
    across, up, down = rng.uniform((1.6, 1.6, 1.6), (2.4, 2.2, 2.3)) * UNIT_PX
    picture, middle = _crop(coloured(sitter, light), across, up, down)
    ink = picture.astype(np.float32)
    ink = 128 + (ink - 128) * rng.uniform(0.75, 0.95) + rng.uniform(-8, 8)
    ink += rng.normal(0, rng.uniform(1, 4), (*ink.shape[:2], 1))
    paper = np.asarray(ink.clip(12, 240), np.uint8)
    edge = MARGIN_PX if rng.random() < 0.5 else 2
    white = cv2.copyMakeBorder(
        paper, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(232, 234, 236)
    )
    surface = np.asarray(white, np.uint8)
    return Artefact(
        picture=lambda _t_ms, _pose: surface,
        middle_px=(middle[0] + edge, middle[1] + edge),
        px_per_cm=UNIT_PX / UNIT_CM / scale,
        scale=scale,
    )


def bent(paper: Artefact, radius_cm: float) -> Artefact:
    """Return the paper bent about an upright cylinder; the face is drawn in its scale."""
    return replace(paper, radius_cm=radius_cm * paper.scale)


def screen(sitter: Sitter, light: Light, scale: float, rng: np.random.Generator) -> Artefact:
    """Return a tablet or a laptop that shows the picture.

    Args:
        sitter: whom it shows.
        light: of the place, for the colours of a gray picture.
        scale: size of the shown face by that of a real one.
        rng: draws the device.
    """
    height = rng.uniform(1.7, 2.3) * UNIT_PX
    picture, middle = _crop(coloured(sitter, light), height * 1.33, height, height)
    surface, edge = _framed(picture, rng)
    return _lit(
        Artefact(
            picture=lambda _t_ms, _pose: surface,
            middle_px=(middle[0] + edge, middle[1] + edge),
            px_per_cm=UNIT_PX / UNIT_CM / scale,
            scale=scale,
        ),
        rng,
    )


def shown(
    act: Act, person: Person, place: Place, scale: float, rng: np.random.Generator
) -> Artefact:
    """Return a screen that shows a recording.

    Args:
        act: what was recorded.
        person: who was recorded.
        place: where.
        scale: size of the shown face by that of a real one.
        rng: draws the device.
    """
    px_per_cm = place.focal_px / person.distance_cm
    x, y = (side / 2 + px_per_cm * cm for side, cm in zip(FRAME_PX, person.place_cm, strict=True))
    edge = int(rng.integers(12, 30))
    colour = _bezel(rng)

    def picture(t_ms: float, _pose: Pose) -> Image:
        frame = act.shoot(t_ms)
        framed = cv2.copyMakeBorder(
            frame, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=colour
        )
        return np.asarray(framed, np.uint8)

    artefact = Artefact(
        picture=picture,
        middle_px=(x + edge, y + edge),
        px_per_cm=px_per_cm / scale,
        scale=scale,
    )
    return _lit(artefact, rng)


def cut_out_eyes(paper: Artefact, sitter: Sitter, light: Light) -> Artefact:
    """Return the paper with holes, behind which eyes blink that lie a little deeper."""
    surface = paper.picture(0.0, Pose(0, 0, 0, 0, 0, 1, 1, (0, 0, 0, 0)))
    scenery = Scenery(sitter, coloured(sitter, light))
    shift = np.array(paper.middle_px) - MIDDLE_PX
    holes = [_hole(lid, shift, surface.shape[:2]) for lid in sitter.eyelids]

    def picture(_t_ms: float, pose: Pose) -> Image:
        scene = scenery.at(pose.openness)
        made = surface.copy()
        yaw, pitch = np.tan(np.radians([pose.yaw_deg, pose.pitch_deg]))
        deeper = EYES_BEHIND_CM * UNIT_PX / UNIT_CM * np.array([yaw, pitch])
        for place, mask, origin in holes:
            height, width = mask.shape[:2]
            matrix = np.array([[1, 0, origin[0] - deeper[0]], [0, 1, origin[1] + deeper[1]]])
            eye = cv2.warpAffine(
                scene,
                matrix,
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            )
            rim = 1 - 0.6 * 4 * mask * (1 - mask)
            made[place] = (made[place] * (1 - mask) + eye * mask) * rim
        return made

    return replace(paper, picture=picture)


def waxen(sitter: Sitter, rng: np.random.Generator) -> Sitter:
    """Return a mask of the sitter: a smoother surface, not quite as deep."""
    smooth = cv2.bilateralFilter(sitter.scene, 7, rng.uniform(15, 40), 5)
    depth = np.float32(rng.uniform(0.85, 1.0))
    relief = np.where(sitter.relief < UNIT_PX * 9, sitter.relief * depth, sitter.relief)
    return replace(
        sitter, scene=np.asarray(smooth, np.uint8), relief=np.asarray(relief, np.float32)
    )


def _crop(scene: Image, across: float, up: float, down: float) -> tuple[Image, tuple[float, float]]:
    """Return a part of the scene around the face, and where the face's middle lies in it."""
    left, top = round(MIDDLE_PX[0] - across), max(0, round(MIDDLE_PX[1] - up))
    part = scene[top : round(MIDDLE_PX[1] + down), left : round(MIDDLE_PX[0] + across)]
    return np.ascontiguousarray(part), (MIDDLE_PX[0] - left, MIDDLE_PX[1] - top)


def _framed(picture: Image, rng: np.random.Generator) -> tuple[Image, int]:
    edge = int(rng.integers(10, 32))
    framed = cv2.copyMakeBorder(
        picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=_bezel(rng)
    )
    return np.asarray(framed, np.uint8), edge


def _bezel(rng: np.random.Generator) -> tuple[int, int, int]:
    gray = int(rng.choice([12, 20, 40, 215]))
    return gray, gray, gray


def _lit(artefact: Artefact, rng: np.random.Generator) -> Artefact:
    return replace(
        artefact,
        glow=rng.uniform(0.8, 1.4),
        pitch_cm=rng.uniform(0.009, 0.026),
        moire=rng.uniform(0.03, 0.2),
    )


def _hole(
    lid: Eyelids, shift: np.ndarray, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], np.ndarray, tuple[float, float]]:
    """Return a hole's place on the paper, its soft shape, and its origin in the scene."""
    rim = lid.left + np.array([0, len(lid.upper)])
    middle_y = float((lid.upper + lid.lower).mean() / 2)
    inner = np.flatnonzero(lid.lower - lid.upper > 0.5) + lid.left
    rim = inner[[0, -1]] if len(inner) else rim
    half_x = float(rim[1] - rim[0]) * 0.7
    half_y = max(float((lid.lower - lid.upper).max()) * HOLE, half_x * 0.45)
    left, top = round(rim.mean() - half_x) - 2, round(middle_y - half_y) - 2
    width, height = round(2 * half_x) + 4, round(2 * half_y) + 4
    mask = np.zeros((height, width), np.float32)
    axes = (round(half_x), round(half_y))
    cv2.ellipse(mask, (width // 2, height // 2), axes, 0, 0, 360, 1.0, -1)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.0), np.float32)[..., None]
    x, y = left + round(float(shift[0])), top + round(float(shift[1]))
    return (slice(y, y + height), slice(x, x + width)), mask, (float(left), float(top))
