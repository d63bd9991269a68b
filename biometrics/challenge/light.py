"""The coloured light that the screen throws on the face."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from biometrics.challenge.errors import ChallengeInvalidError, is_whole, require

MIN_SLOT_MS: Final = 500
MAX_SLOT_MS: Final = 5_000
MAX_SLOTS: Final = 128


class Colour(StrEnum):
    """What fills the screen."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    WHITE = "white"


@dataclass(frozen=True)
class LightPattern:
    """Colours one after another from the first frame on; white when they are over.

    No colour follows itself, and a slot lasts 500 ms at least, so that nothing flashes more than
    once a second. Source: WCAG 2.2, 2.3.1 (three flashes or below threshold).
    """

    colours: tuple[Colour, ...]
    slot_ms: int = MIN_SLOT_MS

    def __post_init__(self) -> None:
        """Check the pattern by itself.

        Raises:
            ChallengeInvalidError: it is empty, too long, too fast, or repeats a colour at once.
        """
        colours = self.colours
        require(isinstance(colours, tuple), "the light's colours are no sequence")
        require(1 <= len(colours) <= MAX_SLOTS, f"a light has 1 to {MAX_SLOTS} colours")
        require(all(isinstance(c, Colour) for c in colours), "a colour of the light is unknown")
        require(
            is_whole(self.slot_ms) and MIN_SLOT_MS <= self.slot_ms <= MAX_SLOT_MS,
            f"a colour lasts {MIN_SLOT_MS} to {MAX_SLOT_MS} ms",
        )
        require(all(a is not b for a, b in pairwise(colours)), "a colour follows itself")

    @property
    def duration_ms(self) -> int:
        """Return how long the colours last together."""
        return len(self.colours) * self.slot_ms

    def colour_at(self, t_ms: float) -> Colour:
        """Return what the screen shows at a time."""
        is_on = 0 <= t_ms < self.duration_ms
        return self.colours[int(t_ms // self.slot_ms)] if is_on else Colour.WHITE

    def to_dict(self) -> dict[str, Any]:
        """Return the pattern for JSON."""
        return {"colours": [colour.value for colour in self.colours], "slot_ms": self.slot_ms}

    @classmethod
    def from_dict(cls, data: Any) -> "LightPattern":
        """Read what `to_dict` wrote.

        Raises:
            ChallengeInvalidError: it is anything else.
        """
        require(
            isinstance(data, dict) and data.keys() == {"colours", "slot_ms"},
            "a light has colours and their time, no more",
        )
        colours = data["colours"]
        require(isinstance(colours, list) and len(colours) <= MAX_SLOTS, "the light is too long")
        try:
            named = tuple(Colour(colour) for colour in colours)
        except (ValueError, TypeError):
            raise ChallengeInvalidError("a colour of the light is unknown") from None
        return cls(named, data["slot_ms"])
