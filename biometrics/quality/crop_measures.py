"""Measure what may spoil a comparison. Thresholds on these come with data, not before."""

from typing import Final

import cv2
import numpy as np

from biometrics.types import Face, Image, Quality

DARK: Final = 4
BRIGHT: Final = 251


def measure_quality(aligned: Image, face: Face) -> Quality:
    """Measure one face.

    Args:
        aligned: the 112 x 112 BGR crop of `biometrics.alignment.align`.
        face: the detection that the crop was made from.
    """
    gray = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)
    return Quality(
        interocular_px=face.points.interocular_px,
        sharpness=float(cv2.Laplacian(gray, cv2.CV_64F).var()),
        mean_luminance=float(gray.mean()),
        clipped_fraction=float(np.mean((gray <= DARK) | (gray >= BRIGHT))),
        roll_deg=face.points.roll_deg,
        nose_offset=face.points.nose_offset,
    )
