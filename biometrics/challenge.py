"""The active challenge: turns in an order that the server chose and nobody could foresee."""

import random
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any, ClassVar, Final

from biometrics.errors import BiometricsError

VERSION: Final = 1
LENGTHS: Final = (2, 3)
MAX_TURNS: Final = 8
ID_PATTERN: Final = re.compile(r"[0-9a-f]{32}")


class ChallengeInvalidError(BiometricsError):
    """A serialised challenge is malformed."""

    code: ClassVar[str] = "challenge-invalid"


class Turn(StrEnum):
    """A turn of the head to the subject's own side."""

    LEFT = "left"
    RIGHT = "right"


ORDERS: Final = tuple(
    order for length in LENGTHS for order in product(Turn, repeat=length) if len(set(order)) == 2
)
"""Every order of two or three turns in which both sides occur."""


@dataclass(frozen=True)
class Challenge:
    """Turns to be done one after another, the face to the front before and between them."""

    id: str
    """Nonce, 128 bits in hexadecimal."""
    turns: tuple[Turn, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not ID_PATTERN.fullmatch(self.id):
            raise ChallengeInvalidError("the challenge's id is not 128 bits in hexadecimal")
        if not 1 <= len(self.turns) <= MAX_TURNS:
            raise ChallengeInvalidError(f"a challenge has 1 to {MAX_TURNS} turns")

    @classmethod
    def random(cls, rng: random.Random | None = None) -> "Challenge":
        """Choose an order and a nonce.

        Args:
            rng: a seeded generator for tests only; by default the system's cryptographic one.
        """
        rng = rng or secrets.SystemRandom()
        return cls(f"{rng.getrandbits(128):032x}", rng.choice(ORDERS))

    def to_dict(self) -> dict[str, Any]:
        """Return the challenge for JSON."""
        return {"version": VERSION, "id": self.id, "turns": [turn.value for turn in self.turns]}

    @classmethod
    def from_dict(cls, data: Any) -> "Challenge":
        """Read what `to_dict` wrote.

        Raises:
            ChallengeInvalidError: it is anything else.
        """
        if not isinstance(data, dict) or data.keys() != {"version", "id", "turns"}:
            raise ChallengeInvalidError("a challenge has a version, an id and turns, no more")
        if data["version"] != VERSION or not isinstance(data["turns"], list):
            raise ChallengeInvalidError("the challenge is of an unknown version or has no turns")
        if len(data["turns"]) > MAX_TURNS:
            raise ChallengeInvalidError(f"a challenge has 1 to {MAX_TURNS} turns")
        try:
            turns = tuple(Turn(turn) for turn in data["turns"])
        except ValueError:
            raise ChallengeInvalidError("a turn is neither left nor right") from None
        return cls(data["id"], turns)
