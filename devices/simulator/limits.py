"""What a chip cannot do, and how it says so."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import Field, Strict, StrictBool, StringConstraints

from devices.simulator.apdu import NE_EXTENDED

AskedTooMuch = Literal["6700", "6Cxx", "less", "6282"]
"""What READ BINARY answers that asks for more than the chip gives at once.

- `6700`: wrong length.
- `6Cxx`: wrong Le, xx is what may be asked for (00 for 256 and more).
- `less`: what it gives at once, and 9000.
- `6282`: what it gives at once, and the warning of a file's end although the file goes on.
"""

_HistoricalBytes = Annotated[str, StringConstraints(pattern=r"^([0-9A-Fa-f]{2}){0,15}$")]
_Count = Annotated[int, Strict(), Field(ge=16, le=NE_EXTENDED)]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Lengths, tries and times of a chip."""

    extended_length: StrictBool = True
    """False for a chip that answers extended length fields with 6700."""
    max_command_bytes: Annotated[int, Strict(), Field(ge=64, le=NE_EXTENDED)] = NE_EXTENDED
    """Longest command APDU that the chip takes in extended length; a longer one answers 6700."""
    max_response_bytes: Annotated[int, Strict(), Field(ge=64, le=NE_EXTENDED)] = NE_EXTENDED
    """Longest response APDU that the chip gives, status word included; see `asked_too_much`."""
    max_read_bytes: _Count = NE_EXTENDED
    """Most bytes that READ BINARY may ask for; see `asked_too_much`."""
    asked_too_much: AskedTooMuch = "6700"
    """What a READ BINARY beyond these two limits answers."""
    command_chaining: StrictBool = True
    """False for a chip that answers a chained command with 6884 (PACE's own chain is no such)."""
    historical_bytes: _HistoricalBytes | None = None
    """Historical bytes of the ATR, hexadecimal; None for the card capabilities that these limits
    amount to."""
    password_tries: Annotated[int, Strict(), Field(ge=1, le=15)] | None = None
    """Wrong passwords in a row before one is blocked, told as 63Cx; None for 6300 without end."""
    retry_delay_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    """How much longer an authentication takes for each wrong password before it."""

    def same_limits(self) -> dict[str, Any]:
        """Return the limits by name, for another class that has them."""
        return {limit.name: getattr(self, limit.name) for limit in fields(Limits)}
