"""A card that plays a transcript: it answers the recorded commands, in order, and no others."""

from collections.abc import Iterable

from devices.errors import CardRemovedError, ReplayMismatchError


class ReplayTransport:
    """A `CardTransport` over recorded command and response pairs."""

    def __init__(self, exchanges: Iterable[tuple[bytes, bytes]], name: str = "replay") -> None:
        """Take the pairs of command and response APDU, byte for byte."""
        self.name = name
        self.atr = b""
        self._exchanges = list(exchanges)
        self._next = 0

    @property
    def remaining(self) -> int:
        """Number of exchanges that were not played yet."""
        return len(self._exchanges) - self._next

    def transmit(self, command: bytes) -> bytes:
        """Return the recorded answer to `command`.

        Raises:
            ReplayMismatchError: the transcript holds another command here.
            CardRemovedError: the transcript is at its end.
        """
        if not self.remaining:
            raise CardRemovedError("the transcript is at its end")
        expected, answer = self._exchanges[self._next]
        if command != expected:
            raise ReplayMismatchError(f"command {self._next + 1} differs from the transcript")
        self._next += 1
        return answer

    def close(self) -> None:
        """Do nothing: there is no card to let go of."""
