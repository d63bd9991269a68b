"""What reader and card have in common: one exchange of APDU bytes."""

from typing import Protocol


class CardTransport(Protocol):
    """A card that answers APDUs, wherever it is: on a reader, simulated, or replayed."""

    name: str
    """The reader's name, as people know it."""
    atr: bytes
    """Answer to reset; empty if the transport has none."""

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU and return the response APDU, status word included.

        Raises:
            devices.errors.DeviceError: the card is gone or the reader failed; never for a status
                word, which is an answer.
        """
        ...

    def close(self) -> None:
        """Let go of the card; a second call does nothing."""
        ...
