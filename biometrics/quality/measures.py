"""All measures of one face picture, under the names of ISO/IEC 29794-5:2025."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np

from biometrics.landmarks import Mesh
from biometrics.quality import focus, geometry, light
from biometrics.quality.appearance import describe_appearance
from biometrics.quality.requirements import QualityRequirements
from biometrics.quality.view import FaceView
from biometrics.types import Face, Image


@dataclass(frozen=True)
class FaceQuality:
    """Native measures of one face picture. Numbers about the picture; nothing identifies anyone."""

    luminance_mean: float
    """Mean level of the face, 0-1."""
    luminance_variance: float
    """Variance of the face's level, 0-0.25."""
    under_exposure: float
    """Part of the face at levels up to 25 of 255."""
    over_exposure: float
    """Part of the face at levels from 247 of 255."""
    dynamic_range: float
    """Entropy of the face's levels, 0-8 bits."""
    highlights: float
    """98th percentile of the face's levels, 0-1."""
    illumination_uniformity: float
    """Overlap of both cheeks' histograms, 0-1."""
    side_light: float
    """How much darker one side of the face is, in halvings of the level."""
    natural_colour: float
    """How far the cheeks' colour is from any skin's, in CIELAB units; 0 for a gray picture."""
    sharpness: float
    """Part of the detail in the aligned crop that a further blur takes away, 0-1."""
    inter_eye_distance: float
    """Pixels between the eyes, corrected for yaw."""
    head_size: float
    """From between the eyes to the chin (T), by the picture's height."""
    leftward_crop: float
    """Room from the picture's left border to the nearer eye, in eye distances."""
    rightward_crop: float
    """Room from the other eye to the picture's right border, in eye distances."""
    margin_above: float
    """Room above the eyes, by T."""
    margin_below: float
    """Room below the eyes, by T."""
    outside: float
    """Part of the mesh that lies outside the picture, 0-1."""
    yaw: float
    """Degrees, positive to the subject's left."""
    pitch: float
    """Degrees, positive with the chin towards the chest."""
    roll: float
    """Degrees, positive towards the picture's right."""
    eyes_open: float
    """Widest gap between the lids of the narrower eye, by T."""
    mouth_open: float
    """Widest gap between the inner lips, by T."""
    second_face: float
    """Area of the largest other face in the picture, by this one's; 0 if there is none."""
    eyes_closed_sign: float
    """Log-odds by models/quality.toml that both lids are down."""
    dark_glasses_sign: float
    """Log-odds that dark lenses hide the eyes."""
    mouth_covered_sign: float
    """Log-odds that a mask or a hand is before the mouth."""
    face_covered_sign: float
    """Log-odds that a large part of the face is hidden."""
    appearance: Mapping[str, float] = field(default_factory=dict, repr=False)
    """What the signs were summed from; for their calibration."""

    def to_dict(self) -> dict[str, float | None]:
        """Return the native measures for JSON, rounded; None for what is not a number."""
        values = {name: getattr(self, name) for name in MEASURES}
        return {n: round(v, 4) if math.isfinite(v) else None for n, v in values.items()}

    @property
    def is_finite(self) -> bool:
        """Return whether every measure is a number."""
        return all(math.isfinite(getattr(self, name)) for name in MEASURES)


MEASURES: Final = tuple(e.name for e in fields(FaceQuality) if e.name != "appearance")
"""Names of the native measures."""
_NOTHING: Final[dict[str, Any]] = dict.fromkeys(MEASURES, math.nan)
NOT_MEASURABLE: Final = FaceQuality(**_NOTHING)
"""What a mesh that holds no numbers gives."""


def measure_face_quality(
    aligned: Image,
    size: tuple[int, int],
    face: Face,
    mesh: Mesh,
    requirements: QualityRequirements,
    others: Sequence[Face] = (),
) -> FaceQuality:
    """Measure one face; `NOT_MEASURABLE`, which passes nothing, if there is no mesh to measure by.

    Args:
        aligned: the 112 x 112 BGR crop of `biometrics.alignment.align`.
        size: width and height of the picture that the face was found in, pixels.
        face: its detection, the points that the crop was made from.
        mesh: its mesh, in the same picture.
        requirements: the signs' weights.
        others: every other face that was found in the picture.
    """
    if not np.isfinite(mesh.points).all():
        return NOT_MEASURABLE
    view = FaceView.of(aligned, face, mesh)
    width, height = size
    left, right, above, below = geometry.margins(face, mesh, width, height)
    appearance = describe_appearance(view, face, mesh)
    signs = {name: sign.sum_up(appearance) for name, sign in requirements.signs.items()}
    area = max(face.box.width * face.box.height, 1e-6)
    return FaceQuality(
        luminance_mean=light.luminance_mean(view),
        luminance_variance=light.luminance_variance(view),
        under_exposure=light.under_exposure(view),
        over_exposure=light.over_exposure(view),
        dynamic_range=light.dynamic_range(view),
        highlights=light.highlights(view),
        illumination_uniformity=light.illumination_uniformity(view),
        side_light=light.side_light(view),
        natural_colour=light.natural_colour(view),
        sharpness=focus.sharpness(view),
        inter_eye_distance=geometry.inter_eye_distance_px(face, mesh),
        head_size=geometry.eyes_to_chin_px(mesh) / max(height, 1),
        leftward_crop=left,
        rightward_crop=right,
        margin_above=above,
        margin_below=below,
        outside=geometry.outside_fraction(mesh, width, height),
        yaw=geometry.yaw_deg(mesh),
        pitch=geometry.pitch_deg(mesh),
        roll=face.points.roll_deg,
        eyes_open=geometry.eyes_open(mesh),
        mouth_open=geometry.mouth_open(mesh),
        second_face=max((o.box.width * o.box.height for o in others), default=0.0) / area,
        eyes_closed_sign=signs["eyes-closed"],
        dark_glasses_sign=signs["dark-glasses"],
        mouth_covered_sign=signs["mouth-covered"],
        face_covered_sign=signs["face-covered"],
        appearance=appearance,
    )
