"""How a reading tells where it stands."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a reading stands."""

    phase: str
    """`access`, `read`, `active-authentication` or `chip-authentication`."""
    file: str | None
    """The file that is being read, or None."""
    done_bytes: int
    """Bytes of the file that were read."""
    total_bytes: int
    """Size of the file; 0 where the phase has no size."""
    files_done: int = 0
    """Files that were read whole, of `files_total`."""
    files_total: int = 0
    """Files that this reading wants and the chip holds; 0 before EF.SOD has told."""


ProgressListener = Callable[[Progress], None]
