"""Values that the face layer hands around.

Coordinates are pixels of the decoded picture, origin top left, x to the right, y down. Pictures are
not mirrored, so the subject's left eye lies at the larger x. Boxes are x1, y1, x2, y2. *Left* and
*right* are always the subject's own. A higher similarity means more alike; a higher PAD score means
more likely bona fide.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""A decoded picture: H x W x 3, BGR, 0-255."""

FloatArray: TypeAlias = NDArray[np.float32]


class Outcome(StrEnum):
    """Verdict on one question. An adverse finding is FAILED; too little to judge, INDETERMINATE."""

    PASSED = "PASSED"
    INDETERMINATE = "INDETERMINATE"
    FAILED = "FAILED"


class CheckResult(StrEnum):
    """What became of one check, in the assertion's words."""

    OK = "ok"
    FAILED = "failed"
    NOT_PERFORMED = "not_performed"
    NOT_SUPPORTED = "not_supported"


@dataclass(frozen=True)
class Box:
    """A rectangle: x1, y1, x2, y2 in pixels."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Return the width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Return the height in pixels."""
        return self.y2 - self.y1

    @property
    def center(self) -> tuple[float, float]:
        """Return the center (x, y)."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    @property
    def side(self) -> float:
        """Return the longer side in pixels."""
        return max(self.width, self.height)


@dataclass(frozen=True)
class FivePoints:
    """Eye centres, nose tip and mouth corners, (x, y) in pixels, subject's sides."""

    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    nose: tuple[float, float]
    mouth_right: tuple[float, float]
    mouth_left: tuple[float, float]

    def to_array(self) -> FloatArray:
        """Return the points as 5 x 2 in the order of the fields."""
        rows = (self.right_eye, self.left_eye, self.nose, self.mouth_right, self.mouth_left)
        return np.array(rows, dtype=np.float32)

    @property
    def interocular_px(self) -> float:
        """Return the distance between the eye centres."""
        return math.dist(self.right_eye, self.left_eye)

    @property
    def eyes_to_mouth_px(self) -> float:
        """Return the distance from the middle of the eyes to the middle of the mouth."""
        points = self.to_array()
        return float(np.linalg.norm(points[3:].mean(axis=0) - points[:2].mean(axis=0)))

    @property
    def roll_deg(self) -> float:
        """Return the angle of the eye line, 0 for an upright face, in (-180, 180]."""
        (rx, ry), (lx, ly) = self.right_eye, self.left_eye
        return math.degrees(math.atan2(ly - ry, lx - rx))

    @property
    def nose_offset(self) -> float:
        """Return how far the nose lies from the eyes' middle, along the eye line.

        In eye distances; positive when the head is turned to the subject's left.
        """
        (rx, ry), (lx, ly), (nx, ny) = self.right_eye, self.left_eye, self.nose
        ex, ey = lx - rx, ly - ry
        squared = ex * ex + ey * ey
        if squared == 0:
            return 0.0
        return ((nx - (rx + lx) / 2) * ex + (ny - (ry + ly) / 2) * ey) / squared


@dataclass(frozen=True)
class FrameSample:
    """One frame of a capture."""

    picture: "bytes | Image" = field(repr=False)
    """JPEG (or PNG, WebP) bytes as captured, or a decoded picture."""
    t_ms: float
    """Capture time in milliseconds, from any fixed start."""


@dataclass(frozen=True)
class Face:
    """One detected face."""

    box: Box
    points: FivePoints
    score: float
    """Detection score, 0-1."""


@dataclass(frozen=True)
class FaceTemplate:
    """What a comparison keeps of one face picture."""

    embeddings: Mapping[str, FloatArray] = field(repr=False)
    """Unit vectors by the name of their model."""
    weight: float = 1.0
    """How much the picture counts in a mean of several, above 0."""


@dataclass(frozen=True)
class Method:
    """One method behind a verdict, as the assertion names it."""

    id: str
    version: str


@dataclass(frozen=True)
class ComparisonVerdict:
    """Whether probe and reference show the same person."""

    outcome: Outcome
    reasons: tuple[str, ...]
    threshold: float
    """Score from which the decision is a match."""
    fmr_at_threshold: float
    """False match rate that the threshold was calibrated for."""
    model_sha256: str
    """Digest of the embedding model's published file; of several, SHA-256 of their digests."""
    probes_used: int
    score: float = field(repr=False)
    """Natural logarithm of the likelihood ratio: positive speaks for one person."""

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for JSON, with the score."""
        return {
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            "score": round(self.score, 4),
            "threshold": self.threshold,
            "fmr_at_threshold": self.fmr_at_threshold,
            "model_sha256": self.model_sha256,
            "probes_used": self.probes_used,
        }


@dataclass(frozen=True)
class PadVerdict:
    """What passive presentation-attack detection says. It never suffices to accept."""

    result: CheckResult
    outcome: Outcome
    """INDETERMINATE when not performed."""
    reasons: tuple[str, ...]
    methods: tuple[Method, ...]
    frames_used: int
    scores: dict[str, float] = field(repr=False)
    """PadScore a method id: median over the frames, 0-1, higher is more likely bona fide."""

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for JSON, with the scores."""
        return {
            "result": self.result.value,
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            "methods": [vars(method) for method in self.methods],
            "frames_used": self.frames_used,
            "scores": {name: round(score, 4) for name, score in self.scores.items()},
        }
