"""Which characters may stand where in the machine-readable zones of three document formats.

Source: ICAO Doc 9303-5, 4.2.2 (TD1); 9303-6, 4.2.2 (TD2); 9303-4, 4.2.2 (TD3).
"""

import string
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from devices.mrz_scan.recognition import ALPHABET

UNREAD: Final = "*"
"""A position of the name, or the second of the document code: no check digit covers it, and OCR-B's
D looks like its O. It is given as filler."""
GIVEN: Final = "D"
"""The D of the citizen card's document code, which the rest of its MRZ proves."""
MIXED: Final = "x"
"""A position where letters and digits may stand."""

_CHARACTERS = {
    "a": "ACIP",
    "b": string.ascii_uppercase + "<",
    "n": string.digits,
    "m": string.digits + "<",
    "s": "MF<",
    UNREAD: string.ascii_uppercase + "<",
    GIVEN: GIVEN,
    MIXED: ALPHABET,
}


@dataclass(frozen=True)
class Layout:
    """The lines of a format that hold anything under a check digit."""

    format: str
    """TD1, TD2 or TD3."""
    kinds: tuple[str, ...]
    """A line each, a letter a position: which characters may stand there."""
    unread: int = field(default=0)
    """Characters of the lines below, which hold the name alone."""

    @property
    def line_length(self) -> int:
        """Characters a line."""
        return len(self.kinds[0])

    @cached_property
    def allowed(self) -> tuple[npt.NDArray[np.bool_], ...]:
        """A line each: position by 37, whether that character of `ALPHABET` may stand there."""
        return tuple(
            np.array([[c in _CHARACTERS[kind] for c in ALPHABET] for kind in line])
            for line in self.kinds
        )


_TD1_LINE_2 = "mmmmmm" + "n" + "s" + "mmmmmm" + "n" + "bbb" + "x" * 11 + "n"
_TWO_LINES = "x" * 9 + "m" + "bbb" + "mmmmmm" + "n" + "s" + "mmmmmm" + "n"

LAYOUTS: Final = {
    "TD1": Layout("TD1", ("a" + UNREAD + "bbb" + "x" * 9 + "m" + "x" * 15, _TD1_LINE_2), unread=30),
    "TD2": Layout("TD2", ("a" + UNREAD + "bbb" + UNREAD * 31, _TWO_LINES + "x" * 7 + "n")),
    "TD3": Layout("TD3", ("a" + UNREAD + "bbb" + UNREAD * 39, _TWO_LINES + "x" * 14 + "m" + "n")),
}
CITIZEN_CARD: Final = Layout(
    "TD1", ("a" + GIVEN + "bbb" + "n" * 9 + "n" + "n" * 12 + "mmm", _TD1_LINE_2), unread=30
)
"""The Vietnamese citizen card: TD1 with digits only in line 1 after the issuer."""
