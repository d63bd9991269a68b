"""One step of a challenge."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
    """Of blinks only."""

    def to_dict(self) -> dict[str, Any]:
        """Return the step for JSON, without what its action does not have."""
        return {name: value for name, value in vars(self).items() if value is not None}
