"""One step of a challenge."""

from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any, Final

from biometrics.challenge.errors import ChallengeInvalidError, is_whole, require

MAX_TIME_MS: Final = 60_000
MIN_BEGIN_MS: Final = 300
"""So much time at least to begin: simple reactions take 200 to 300 ms."""
MAX_BLINKS: Final = 3


class Action(StrEnum):
    """What the person does; every action ends with the return to rest."""

    TURN = "turn"
    """Turn the head to a side."""
    NEARER = "nearer"
    """Bring the face nearer to the camera."""
    FARTHER = "farther"
    """Take the face away from the camera."""
    BLINK = "blink"
    """Close and open both eyes."""


class Side(StrEnum):
    """The subject's own side."""

    LEFT = "left"
    RIGHT = "right"


class Extent(StrEnum):
    """How far a head is turned."""

    HALF = "half"
    FULL = "full"


@dataclass(frozen=True)
class Step:
    """One movement and the window in which it must happen."""

    action: Action
    at_ms: int
    """When the prompt is shown; no earlier may the movement begin."""
    begin_by_ms: int
    until_ms: int
    """By then the person is at rest again."""
    side: Side | None = None
    """Of a turn only."""
    extent: Extent | None = None
    """Of a turn only."""
    count: int | None = None
    """Of blinks only, 1 to 3."""

    def __post_init__(self) -> None:
        """Check the step by itself.

        Raises:
            ChallengeInvalidError: a type, a time or a detail does not fit.
        """
        require(isinstance(self.action, Action), "a step's action is unknown")
        times = (self.at_ms, self.begin_by_ms, self.until_ms)
        require(all(map(is_whole, times)), "a step's times are not whole milliseconds")
        require(self.at_ms >= 0 and self.until_ms <= MAX_TIME_MS, "a step's times are out of range")
        require(
            self.at_ms + MIN_BEGIN_MS <= self.begin_by_ms <= self.until_ms,
            "a step's window is too short or out of order",
        )
        turn, blink = self.action is Action.TURN, self.action is Action.BLINK
        require(
            isinstance(self.side, Side) and isinstance(self.extent, Extent)
            if turn
            else self.side is None and self.extent is None,
            "a turn has a side and an extent, and no other step has",
        )
        require(
            is_whole(self.count) and 1 <= (self.count or 0) <= MAX_BLINKS
            if blink
            else self.count is None,
            f"a blink step has a count of 1 to {MAX_BLINKS}, and no other step has",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the step for JSON, without what its action does not have."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @classmethod
    def from_dict(cls, data: Any) -> "Step":
        """Read what `to_dict` wrote.

        Raises:
            ChallengeInvalidError: it is anything else.
        """
        require(isinstance(data, dict) and data.keys() <= KEYS, "a step has unknown details")
        require(None not in data.values(), "a step has a detail without value")
        require(data.keys() >= REQUIRED_KEYS, "a step lacks its action or a time")
        try:
            named = {
                "action": Action(data["action"]),
                "side": Side(data["side"]) if "side" in data else None,
                "extent": Extent(data["extent"]) if "extent" in data else None,
            }
        except (ValueError, TypeError):
            raise ChallengeInvalidError("a step's action, side or extent is unknown") from None
        return cls(**{**data, **named})


KEYS: Final = frozenset(field.name for field in fields(Step))
REQUIRED_KEYS: Final = frozenset(f.name for f in fields(Step) if f.default is MISSING)
