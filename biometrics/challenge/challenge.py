"""A challenge as a value, and as JSON."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from biometrics.challenge.light import Colour, LightPattern
from biometrics.challenge.steps import Action, Extent, Side, Step
from biometrics.errors import BiometricsError

VERSION: Final = 2
MAX_STEPS: Final = 8
ID_PATTERN: Final = re.compile(r"[0-9a-f]{32}")


class ChallengeInvalidError(BiometricsError):
    """A challenge is malformed, or asks for what nobody can do in its time."""

    code: ClassVar[str] = "challenge-invalid"


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
        if not isinstance(self.id, str) or not ID_PATTERN.fullmatch(self.id):
            raise ChallengeInvalidError("the challenge's id is not 128 bits in hexadecimal")
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise ChallengeInvalidError(f"a challenge has 1 to {MAX_STEPS} steps")

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
        try:
            if data["version"] != VERSION or len(data["steps"]) > MAX_STEPS:
                raise ChallengeInvalidError("the challenge is of an unknown version or too long")
            steps = tuple(
                Step(
                    Action(step["action"]),
                    step["at_ms"],
                    step["begin_by_ms"],
                    step["until_ms"],
                    Side(step["side"]) if "side" in step else None,
                    Extent(step["extent"]) if "extent" in step else None,
                    step.get("count"),
                )
                for step in data["steps"]
            )
            light = data["light"]
            pattern = light and LightPattern(tuple(map(Colour, light["colours"])), light["slot_ms"])
            return cls(data["id"], steps, data["duration_ms"], pattern)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ChallengeInvalidError("this is no challenge") from None
