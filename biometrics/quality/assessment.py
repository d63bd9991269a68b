"""From measures to a verdict: usable, or capture again, and what to do about it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from biometrics.quality.components import quality_components
from biometrics.quality.measures import MEASURES, FaceQuality
from biometrics.quality.requirements import (
    QualityRequirements,
    Requirement,
    RequirementsInvalidError,
)
from biometrics.types import Outcome

MEASURE_INVALID: Final = "quality-not-measurable"
MIN_WEIGHT: Final = 0.01


class Role(StrEnum):
    """Which side of the comparison a picture is on."""

    PROBE = "probe"
    """The live face, which can be captured again."""
    REFERENCE = "reference"
    """The chip's portrait, which cannot: judged leniently."""


@dataclass(frozen=True)
class Advice:
    """What to tell the person."""

    reason: str
    en: str
    vi: str


UNJUDGED: Final = Advice(
    MEASURE_INVALID,
    "The picture cannot be judged, please take it again",
    "Không đánh giá được ảnh, xin chụp lại",
)


@dataclass(frozen=True)
class QualityVerdict:
    """Whether a face picture is good enough to be compared. Poor quality never means no match."""

    outcome: Outcome
    """PASSED, or INDETERMINATE: capture again."""
    reasons: tuple[str, ...]
    advice: tuple[Advice, ...]
    """One for each reason, in the same order."""
    role: Role
    weight: float
    """See `quality_weight`."""
    quality: FaceQuality = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for JSON: native measures and components, nothing personal."""
        return {
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            "advice": [{"reason": a.reason, "en": a.en, "vi": a.vi} for a in self.advice],
            "role": self.role.value,
            "weight": round(self.weight, 3),
            "components": quality_components(self.quality),
            "measures": self.quality.to_dict(),
        }


def assess_quality(
    quality: FaceQuality, requirements: QualityRequirements, role: Role = Role.PROBE
) -> QualityVerdict:
    """Judge the measures of one face picture.

    A measure that is not a number passes nothing.

    Raises:
        RequirementsInvalidError: a requirement names a measure that does not exist.
    """
    advice: tuple[Advice, ...] = (UNJUDGED,)
    if quality.is_finite:
        advice = tuple(_missed(quality, requirements, role))
    return QualityVerdict(
        outcome=Outcome.INDETERMINATE if advice else Outcome.PASSED,
        reasons=tuple(a.reason for a in advice),
        advice=advice,
        role=role,
        weight=quality_weight(quality),
        quality=quality,
    )


def advise(reasons: Iterable[str], requirements: QualityRequirements) -> tuple[Advice, ...]:
    """Return what to tell the person about those of the reasons that are of quality, in order."""
    known = {r.reason: Advice(r.reason, r.en, r.vi) for r in requirements.requirements}
    known[UNJUDGED.reason] = UNJUDGED
    return tuple(known[reason] for reason in reasons if reason in known)


def quality_weight(quality: FaceQuality) -> float:
    """Return how much a probe frame counts in the average of several, 0.01 to 1.

    The geometric mean of what makes embeddings of one person differ: sharpness, pose, size, light,
    closed eyes, covers. Never 0, so that an average of poor frames still exists; no threshold hangs
    on it.
    """
    if not quality.is_finite:
        return MIN_WEIGHT
    components = quality_components(quality)
    parts = [components[name] / 100 for name in WEIGHED]
    parts.append(_sigmoid((quality.highlights - 0.4) / 0.05))
    parts.append(_sigmoid((1.0 - quality.side_light) / 0.25))
    parts.append(_sigmoid(-quality.eyes_closed_sign))
    return float(max(MIN_WEIGHT, math.prod(parts) ** (1 / len(parts))))


WEIGHED: Final = (
    *("sharpness", "head-pose-yaw", "head-pose-pitch", "inter-eye-distance"),
    *("over-exposure-prevention", "eyes-visible"),
    *("mouth-occlusion-prevention", "face-occlusion-prevention"),
)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(min(max(-x, -50.0), 50.0)))


def _missed(
    quality: FaceQuality, requirements: QualityRequirements, role: Role
) -> Iterable[Advice]:
    """Yield the advice of each reason once; covers are not guessed at in a spoilt picture."""
    told: set[str] = set()
    spoilt = False
    ordered = sorted(requirements.requirements, key=lambda r: r.clear_view)
    for requirement in ordered:
        if requirement.clear_view and spoilt:
            break
        if {requirement.reason, requirement.hidden_by} & told:
            continue
        if _refuses(requirement, quality, role):
            told.add(requirement.reason)
            spoilt = spoilt or requirement.spoils
            yield Advice(requirement.reason, requirement.en, requirement.vi)


def _refuses(requirement: Requirement, quality: FaceQuality, role: Role) -> bool:
    limit = requirement.probe if role is Role.PROBE else requirement.reference
    if requirement.measure not in MEASURES:
        raise RequirementsInvalidError(f"no measure is named {requirement.measure!r}")
    if limit is None:
        return False
    value = getattr(quality, requirement.measure)
    if requirement.refused == "below":
        return not value >= limit
    return not (abs(value) if requirement.refused == "beyond" else value) <= limit
