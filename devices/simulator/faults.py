"""Faults that a simulated card can be told to show."""

from dataclasses import dataclass
from typing import Literal

from devices.simulator.lds import APPLICATION_FILES, MASTER_FILES

FaultKind = Literal["tear", "wrong-mac", "naked-6700", "truncated-file"]
"""What goes wrong.

- `tear`: the card leaves the field instead of answering the command; every command after it fails
  until the card is reset.
- `wrong-mac`: one bit of the MAC of a protected response is wrong (an unprotected one is intact).
- `naked-6700`: the card answers 6700 without protection and without looking at the command; its
  send sequence counter stands still.
- `truncated-file`: the second half of a file is missing.
"""


@dataclass(frozen=True)
class Fault:
    """One fault at one place."""

    kind: FaultKind
    at_apdu: int | None = None
    """Number of the command, counted from 1 since the card was made; not for a truncated file."""
    file: str | None = None
    """Name of the truncated file, such as `EF.DG2`."""

    def __post_init__(self) -> None:
        if self.kind == "truncated-file":
            if self.file not in MASTER_FILES | APPLICATION_FILES:
                raise ValueError("a truncated file needs the name of a file")
        elif self.at_apdu is None or self.at_apdu < 1:
            raise ValueError(f"{self.kind} needs the number of a command")
