"""Where the card's nonces and ephemeral keys come from."""

import secrets
from typing import Protocol


class Randomness(Protocol):
    """A source of fresh values; tests pin worked examples with a scripted one."""

    def octets(self, count: int) -> bytes:
        """Return `count` fresh bytes."""

    def scalar(self, order: int) -> int:
        """Return a fresh private key in 1 … order - 1."""


class SystemRandomness:
    """The operating system's generator."""

    def octets(self, count: int) -> bytes:
        """Return `count` unpredictable bytes."""
        return secrets.token_bytes(count)

    def scalar(self, order: int) -> int:
        """Return an unpredictable private key in 1 … order - 1."""
        return 1 + secrets.randbelow(order - 1)
