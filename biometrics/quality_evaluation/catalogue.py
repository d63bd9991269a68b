"""The degradations by name, and what each must or must not be told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from biometrics.challenge import Action, Challenge, Extent, Side, Step
from biometrics.detection import FaceDetector
from biometrics.landmarks import MeshEstimator
from biometrics.quality_evaluation import covering, degradation, expression
from biometrics.quality_evaluation.degradation import Portrayal
from biometrics.rig import Rig
from biometrics.types import Image

TURN: Final = 400, 1300, 2000
"""Milliseconds: asked for, begun by, back by."""


@dataclass(frozen=True)
class Degradation:
    """One way to change a picture."""

    apply: Callable[[Portrayal, np.random.Generator], Image]
    reasons: tuple[str, ...]
    """Reason codes any of which names it rightly; empty: it must not be refused for it."""


def catalogue(detector: FaceDetector, mesh: MeshEstimator) -> Mapping[str, Degradation]:
    """Return all degradations; a turned head needs the models to be rendered."""
    rig = Rig(detector, mesh)

    def turn_head(scene: Portrayal, rng: np.random.Generator) -> Image:
        return _turn(rig, scene, rng)

    return MappingProxyType(
        {
            "under-exposed": Degradation(degradation.under_expose, ("quality-too-dark",)),
            "over-exposed": Degradation(degradation.over_expose, ("quality-too-bright",)),
            "light-from-one-side": Degradation(
                degradation.light_from_one_side, ("quality-uneven-light",)
            ),
            "coloured-light": Degradation(degradation.tint, ("quality-odd-colour",)),
            "defocused": Degradation(degradation.defocus, ("quality-blurred",)),
            "motion-blurred": Degradation(degradation.blur_by_motion, ("quality-blurred",)),
            "low-resolution": Degradation(degradation.lower_resolution, ("quality-blurred",)),
            "too-far": Degradation(
                degradation.step_back, ("quality-too-small", "face-too-small", "face-missing")
            ),
            "cut-off": Degradation(
                degradation.cut_off, ("quality-cut-off", "face-cut-off", "face-missing")
            ),
            "second-person": Degradation(
                degradation.add_bystander, ("quality-several-people", "several-faces")
            ),
            "rolled": Degradation(
                degradation.roll, ("quality-tilted", "face-tilted", "face-sideways")
            ),
            "turned": Degradation(turn_head, ("quality-turned",)),
            "eyes-closed": Degradation(expression.close_eyes, ("quality-eyes-closed",)),
            "mouth-open": Degradation(expression.open_mouth, ("quality-mouth-open",)),
            "mask": Degradation(
                covering.wear_mask,
                ("quality-mouth-covered", "quality-face-covered", "face-missing"),
            ),
            "hand": Degradation(
                covering.cover_mouth_with_hand,
                ("quality-mouth-covered", "quality-face-covered", "face-missing"),
            ),
            "dark-glasses": Degradation(
                covering.wear_dark_glasses,
                ("quality-dark-glasses", "quality-face-covered", "face-missing"),
            ),
            "half-covered": Degradation(
                covering.cover_half_with_cloth,
                (
                    "quality-face-covered",
                    "quality-mouth-covered",
                    "quality-dark-glasses",
                    "quality-uneven-light",
                    "face-missing",
                ),
            ),
            "clear-glasses": Degradation(covering.wear_clear_glasses, ()),
            "beard": Degradation(covering.grow_beard, ()),
            "head-covering": Degradation(covering.wear_head_covering, ()),
        }
    )


def _turn(rig: Rig, scene: Portrayal, rng: np.random.Generator) -> Image:
    """Return the head turned as far as a full turn goes, rendered from its own mesh.

    Raises:
        ImageError, FaceError: the rig can't use the picture.
    """
    picture = cv2.imencode(".png", scene.image)[1].tobytes()
    side = Side.LEFT if rng.random() < 0.5 else Side.RIGHT
    turn = Step(Action.TURN, *TURN, side, Extent.FULL)
    challenge = Challenge("0" * 32, (turn,), turn.until_ms + 400)
    frames = rig.perform(picture, challenge, seed=int(rng.integers(1 << 31)), jpeg=False)
    pictures = [np.asarray(frame.picture, dtype=np.uint8) for frame in frames]

    def change(image: Image) -> float:
        return float(np.abs(image.astype(np.int16) - pictures[0]).mean())

    return max(pictures, key=change)
