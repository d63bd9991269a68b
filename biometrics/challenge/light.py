"""The coloured light that the screen throws on the face."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
    slot_ms: int = 500

    def colour_at(self, t_ms: float) -> Colour:
        """Return what the screen shows at a time."""
        slot = int(t_ms // self.slot_ms)
        return self.colours[slot] if 0 <= slot < len(self.colours) else Colour.WHITE

    def to_dict(self) -> dict[str, Any]:
        """Return the pattern for JSON."""
        return {"colours": [colour.value for colour in self.colours], "slot_ms": self.slot_ms}
