"""One person before one camera: a take, whose frames can be shot at any time in any order."""

from typing import Final, Protocol

import cv2
import numpy as np

from biometrics.rig.camera import Camera
from biometrics.rig.choreography import Track
from biometrics.rig.geometry import FRAME_PX
from biometrics.rig.lighting import Light
from biometrics.rig.sitter import Sitter, tint
from biometrics.rig.stage import Stage
from biometrics.types import Image

LID_STEPS: Final = 24


class Act(Protocol):
    """What happens before a camera, or what is fed in its place."""

    def shoot(self, t_ms: float) -> Image:
        """Return the frame of 480 x 640 at a time."""


class Scenery:
    """A sitter's scene, whose eyes close."""

    def __init__(self, sitter: Sitter, scene: Image) -> None:
        self._sitter = sitter
        self._open = scene
        self._scene = scene.copy()
        self._lids: dict[int, tuple[Image, Image]] = {}

    def at(self, openness: float) -> Image:
        """Return the scene with the eyes as open as said; valid until the next call."""
        step = min(max(round(openness * LID_STEPS), 0), LID_STEPS)
        if step not in self._lids:
            right, left = (lid.close(self._open, step / LID_STEPS) for lid in self._sitter.eyelids)
            self._lids[step] = (right, left)
        for lid, patch in zip(self._sitter.eyelids, self._lids[step], strict=True):
            self._scene[lid.place] = patch
        return self._scene


class Take:
    """A sitter who moves along a track in a place under the screen's light."""

    def __init__(
        self,
        sitter: Sitter,
        track: Track,
        light: Light,
        camera: Camera,
        *,
        liveliness: float | None = None,
    ) -> None:
        self._track = track
        self._light = light
        self._camera = camera
        self._stage = Stage(sitter, track.person, light.place.focal_px)
        self._scenery = Scenery(sitter, coloured(sitter, light))
        self._liveliness = track.person.liveliness if liveliness is None else liveliness

    def shoot(self, t_ms: float) -> Image:
        """Return the frame of 480 x 640 at a time."""
        pose = self._track.at(t_ms)
        view = self._stage.view(pose, self._liveliness)
        dx, dy = self._camera.shake()
        u, v = cv2.resize(view.u, FRAME_PX), cv2.resize(view.v, FRAME_PX)
        picture = cv2.remap(
            self._scenery.at(pose.openness),
            u + np.float32(dx),
            v + np.float32(dy),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        factors = self._light.factors(view.lambert, t_ms)
        return self._camera.expose(np.asarray(picture, np.uint8), factors)


def coloured(sitter: Sitter, light: Light) -> Image:
    """Return the sitter's scene, with colours where the picture is gray."""
    if not sitter.is_gray:
        return sitter.scene
    return tint(sitter, light.place.skin, light.place.wall_bgr)
