"""Quality components, 0-100, from native measures.

Where the native measure is the standard's, so is the map (ISO/IEC 29794-5:2025; checked against
descriptions of its reference implementation OFIQ, whose components it fixes). Where we measure
something else under the standard's name, the map is ours: `OWN` says which, docs/quality.md why.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from biometrics.quality.measures import FaceQuality


def quality_components(quality: FaceQuality) -> dict[str, int]:
    """Return every component, 0-100, higher is better; 0 where a measure is not a number."""
    return {name: _whole(component(quality)) for name, component in COMPONENTS.items()}


def _whole(value: float) -> int:
    return round(min(max(value, 0.0), 100.0)) if math.isfinite(value) else 0


def _sigmoid(x: float, center: float, width: float) -> float:
    exponent = min(max((center - x) / width, -700.0), 700.0)
    return 1 / (1 + math.exp(exponent))


def _luminance_mean(q: FaceQuality) -> float:
    low, high = _sigmoid(q.luminance_mean, 0.2, 0.05), _sigmoid(q.luminance_mean, 0.8, 0.05)
    return 100 * low * (1 - high)


def _luminance_variance(q: FaceQuality) -> float:
    v = 60 * max(q.luminance_variance, 0.0)
    return 100 * math.sin(v / (v + 1) * math.pi)


def _cosine(degrees: float) -> float:
    if not math.isfinite(degrees):
        return math.nan
    return 100 * max(0.0, math.cos(math.radians(degrees))) ** 2


def _absence(sign: float) -> float:
    return 100 * (1 - _sigmoid(sign, 0.0, 1.0))


COMPONENTS: Final[Mapping[str, Callable[[FaceQuality], float]]] = MappingProxyType(
    {
        "illumination-uniformity": lambda q: 100 * max(q.illumination_uniformity, 0.0) ** 0.3,
        "luminance-mean": _luminance_mean,
        "luminance-variance": _luminance_variance,
        "under-exposure-prevention": lambda q: (
            120 * (0.832 - _sigmoid(q.under_exposure, 0.92, 0.05))
        ),
        "over-exposure-prevention": lambda q: 1 / (max(q.over_exposure, 0.0) + 0.01),
        "dynamic-range": lambda q: 12.5 * q.dynamic_range,
        "sharpness": lambda q: 100 * _sigmoid(q.sharpness, 0.4, 0.05),
        "natural-colour": lambda q: 200 * (1 - _sigmoid(q.natural_colour, 0.0, 10.0)),
        "single-face-present": lambda q: 100 * (1 - q.second_face),
        "eyes-open": lambda q: 100 * _sigmoid(q.eyes_open, 0.02, 0.01),
        "mouth-closed": lambda q: 100 * (1 - _sigmoid(q.mouth_open, 0.2, 0.06)),
        "eyes-visible": lambda q: _absence(q.dark_glasses_sign),
        "mouth-occlusion-prevention": lambda q: _absence(q.mouth_covered_sign),
        "face-occlusion-prevention": lambda q: _absence(q.face_covered_sign),
        "inter-eye-distance": lambda q: 100 * _sigmoid(q.inter_eye_distance, 70.0, 20.0),
        "head-size": lambda q: 200 * (1 - _sigmoid(abs(q.head_size - 0.45), 0.0, 0.05)),
        "leftward-crop": lambda q: 100 * _sigmoid(q.leftward_crop, 0.9, 0.1),
        "rightward-crop": lambda q: 100 * _sigmoid(q.rightward_crop, 0.9, 0.1),
        "margin-above": lambda q: 100 * _sigmoid(q.margin_above, 1.4, 0.1),
        "margin-below": lambda q: 100 * _sigmoid(q.margin_below, 1.8, 0.1),
        "head-pose-yaw": lambda q: _cosine(q.yaw),
        "head-pose-pitch": lambda q: _cosine(q.pitch),
        "head-pose-roll": lambda q: _cosine(q.roll),
    }
)
OWN: Final = frozenset(
    {"sharpness", "eyes-visible", "mouth-occlusion-prevention", "face-occlusion-prevention"}
)
"""Components whose native measure, and so whose map, is not the standard's."""
