"""A reading that broke off: what is kept of it, so that the same card can go on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from devices.errors import (
    CardRemovedError,
    DeviceError,
    PcscUnavailableError,
    ReaderFailedError,
    ReaderMissingError,
)

TORN = (CardRemovedError, ReaderFailedError, ReaderMissingError, PcscUnavailableError)
"""What a card, a reader or the PC/SC service raises that goes away, and may come back."""


@dataclass(frozen=True)
class PartialReading:
    """What was read of one chip before it was torn away; it holds personal data."""

    files: Mapping[str, bytes] = field(repr=False)
    """Whole files by name."""
    unfinished_file: str | None
    """The file that was being read, or None."""
    unfinished_bytes: bytes = field(repr=False)
    """The beginning of that file; the reading goes on after it."""
    times_ms: Mapping[str, int]
    """Phase or file to how long it took."""
    apdu_count: int
    """Command APDUs sent so far."""
    resumed: int
    """How often the reading had gone on already."""
    downgrade_reason: str | None
    """Why BAC opened the chip although it offers PACE; None if it did not."""
    started_at: datetime
    """When the reading began, UTC."""


class ReadingInterruptedError(CardRemovedError):
    """The card was removed or lost power, or the reader went away, in the middle of a reading."""

    code = "reading-interrupted"
    retryable = True

    def __init__(self, message: str, partial: PartialReading) -> None:
        super().__init__(message)
        self.partial = partial
        """Give it to `read_chip` as `resume` when the same card is back."""


class ResumeOtherCardError(DeviceError):
    """The card that should go on with an interrupted reading is another one."""

    code = "resume-other-card"
