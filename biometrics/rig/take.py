"""One person before one camera: a take, whose frames can be shot at any time in any order."""

import cv2
import numpy as np

from biometrics.challenge import LightPattern
from biometrics.rig.camera import Camera
from biometrics.rig.choreography import Track
from biometrics.rig.lighting import Light
from biometrics.rig.person import Place
from biometrics.rig.sitter import Sitter, tint
from biometrics.rig.stage import FRAME_PX, Stage
from biometrics.types import FloatArray, Image

OPEN: int = 32
"""Steps in which eyes close."""


class Take:
    """A sitter who moves along a track in a place under the screen's light."""

    def __init__(
        self, sitter: Sitter, track: Track, place: Place, pattern: LightPattern | None
    ) -> None:
        self.light = Light(pattern, place)
        self._sitter = sitter
        self._track = track
        self._stage = Stage(sitter, track.person, place.focal_px)
        scene = tint(sitter, place.skin, place.wall_bgr) if sitter.is_gray else sitter.scene
        self._open_scene = scene
        self._scene = scene.copy()
        self._lids: dict[int, tuple[Image, Image]] = {}

    def shoot(self, t_ms: float, gain: FloatArray, camera: Camera) -> Image:
        """Return the frame of 480 x 640 at a time, with the camera's gains for its channels."""
        pose = self._track.at(t_ms)
        self._set_eyes(round(pose.openness * OPEN))
        view = self._stage.view(pose, self._track.person.liveliness)
        dx, dy = camera.shake()
        u, v = (
            cv2.resize(part, FRAME_PX, interpolation=cv2.INTER_LINEAR) for part in (view.u, view.v)
        )
        picture = cv2.remap(
            self._scene,
            u + np.float32(dx),
            v + np.float32(dy),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        factors = self.light.factors(view.lambert, t_ms, gain)
        return camera.expose(np.asarray(picture, np.uint8), factors)

    def _set_eyes(self, step: int) -> None:
        step = min(max(step, 0), OPEN)
        if step not in self._lids:
            right, left = (lid.close(self._open_scene, step / OPEN) for lid in self._sitter.eyelids)
            self._lids[step] = (right, left)
        for lid, patch in zip(self._sitter.eyelids, self._lids[step], strict=True):
            self._scene[lid.place] = patch
