"""A keyed permutation: from an assertion's number its index, which does not tell the number.

A Feistel network is a bijection whatever its round function: from numbers that are given out once
come indices that are given out once, without drawing again, however full the list is. The round
function is a keyed hash, so that without the key the indices are as good as drawn at random.

Source: Luby and Rackoff 1988; ten rounds as FF1 has them on domains as small (NIST SP 800-38G).
"""

import hmac
from dataclasses import dataclass, field

ROUNDS = 10
KEY_BYTES = 32


@dataclass(frozen=True)
class Permutation:
    """A permutation of the numbers below `size`."""

    key: bytes = field(repr=False)
    size: int
    """A power of four: both halves of a number have as many bits."""

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES or self.size < 4 or self.size != 1 << 2 * self._half:
            raise ValueError("a permutation has a key of 32 bytes and a size that is a power of 4")

    def index(self, number: int) -> int:
        """Return the index of a number (raises `ValueError` out of range)."""
        left, right = self._halves(number)
        for step in range(ROUNDS):
            left, right = right, left ^ self._round(step, right)
        return left << self._half | right

    def number(self, index: int) -> int:
        """Return the number whose index this is (raises `ValueError` out of range)."""
        left, right = self._halves(index)
        for step in reversed(range(ROUNDS)):
            left, right = right ^ self._round(step, left), left
        return left << self._half | right

    @property
    def _half(self) -> int:
        """Bits of half a number."""
        return (self.size.bit_length() - 1) // 2

    def _halves(self, number: int) -> tuple[int, int]:
        if not 0 <= number < self.size:
            raise ValueError("out of range")
        return number >> self._half, number & (1 << self._half) - 1

    def _round(self, step: int, half: int) -> int:
        digest = hmac.digest(self.key, bytes([step]) + half.to_bytes(8), "sha256")
        return int.from_bytes(digest[:8]) & (1 << self._half) - 1
