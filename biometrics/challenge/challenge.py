"""A challenge as a value, and as JSON."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from biometrics.challenge.errors import ChallengeInvalidError, is_whole, require
from biometrics.challenge.light import LightPattern
from biometrics.challenge.steps import MAX_TIME_MS, Step

__all__ = ["Challenge", "ChallengeInvalidError"]

VERSION: Final = 2
MAX_STEPS: Final = 8
MIN_REST_MS: Final = 300
"""At its beginning every capture shows the person at rest: all else is measured against that."""
ID_PATTERN: Final = re.compile(r"[0-9a-f]{32}")
KEYS: Final = frozenset({"version", "id", "steps", "duration_ms", "light"})


@dataclass(frozen=True)
class Challenge:
    """Steps to be done one after another, and the light meanwhile."""

    id: str
    """Nonce, 128 bits in hexadecimal."""
    steps: tuple[Step, ...]
    duration_ms: int
    """From the first frame to the last."""
    light: LightPattern | None = None
    """None where the person chose to go without."""

    def __post_init__(self) -> None:
        """Check that the parts fit together.

        Raises:
            ChallengeInvalidError: they do not.
        """
        require(
            isinstance(self.id, str) and ID_PATTERN.fullmatch(self.id) is not None,
            "the challenge's id is not 128 bits in hexadecimal",
        )
        require(
            isinstance(self.steps, tuple) and all(isinstance(step, Step) for step in self.steps),
            "the challenge's steps are no steps",
        )
        require(1 <= len(self.steps) <= MAX_STEPS, f"a challenge has 1 to {MAX_STEPS} steps")
        require(self.steps[0].at_ms >= MIN_REST_MS, "the challenge begins without rest")
        require(
            all(earlier.until_ms <= later.at_ms for earlier, later in pairwise(self.steps)),
            "the challenge's steps overlap or are out of order",
        )
        require(
            is_whole(self.duration_ms)
            and self.steps[-1].until_ms <= self.duration_ms <= MAX_TIME_MS,
            "the challenge is shorter than its steps, or too long",
        )
        require(
            self.light is None
            or (
                isinstance(self.light, LightPattern) and self.light.duration_ms >= self.duration_ms
            ),
            "the light ends before the challenge",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the challenge for JSON."""
        return {
            "version": VERSION,
            "id": self.id,
            "steps": [step.to_dict() for step in self.steps],
            "duration_ms": self.duration_ms,
            "light": self.light and self.light.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Any) -> "Challenge":
        """Read what `to_dict` wrote.

        Raises:
            ChallengeInvalidError: it is anything else.
        """
        require(
            isinstance(data, dict) and data.keys() == KEYS,
            "a challenge has a version, an id, steps, a duration and a light, no more",
        )
        version, steps, light = data["version"], data["steps"], data["light"]
        require(is_whole(version) and version == VERSION, "the challenge is of an unknown version")
        require(
            isinstance(steps, list) and len(steps) <= MAX_STEPS,
            f"a challenge has 1 to {MAX_STEPS} steps",
        )
        return cls(
            data["id"],
            tuple(Step.from_dict(step) for step in steps),
            data["duration_ms"],
            None if light is None else LightPattern.from_dict(light),
        )
