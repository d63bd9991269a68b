"""What a person was seen to do, step by step."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from biometrics.challenge import Step


class StepResult(StrEnum):
    """What became of one step of the challenge."""

    OK = "ok"
    EARLY = "early"
    LATE = "late"
    MISSING = "missing"
    WRONG = "wrong"
    """Another movement, or to the other side."""
    TOO_SMALL = "too-small"
    TOO_LARGE = "too-large"
    NOT_RETURNED = "not-returned"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True)
class StepPerformance:
    """How one step was done."""

    step: Step
    result: StepResult
    begun_ms: float | None = None
    reached_ms: float | None = None
    returned_ms: float | None = None
    extent: float | None = field(default=None, repr=False)
    """A turn: change of the nose offset; nearer and farther: factor of the face's size; blinks:
    how many."""
    furthest: tuple[int, ...] = ()
    """Positions in the observations of the frames by which the step is judged, furthest first."""

    def to_dict(self) -> dict[str, Any]:
        """Return what was measured, for the evidence."""
        measured = (self.begun_ms, self.reached_ms, self.returned_ms, self.extent)
        names = ("begun_ms", "reached_ms", "returned_ms", "extent")
        return {
            "step": self.step.to_dict(),
            "result": self.result.value,
            **{k: v and round(v, 4) for k, v in zip(names, measured, strict=True)},
        }


@dataclass(frozen=True)
class Performance:
    """What the whole capture showed."""

    rest: tuple[int, ...]
    """Positions in the observations of frames that show the face at rest, best first; empty if the
    person never looked ahead."""
    steps: tuple[StepPerformance, ...]
    """One for each step of the challenge, in its order."""
