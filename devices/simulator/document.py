"""What the machine readable zone says of the document: the `[document]` table of a profile.

Source: ICAO Doc 9303-4 §4.2 (TD3), 9303-5 §4.2 (TD1), 9303-6 §4.2 (TD2).
"""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints
from pydantic.dataclasses import dataclass

DocumentFormat = Literal["TD1", "TD2", "TD3"]

_CLOSED = ConfigDict(extra="forbid", hide_input_in_errors=True)
_OPTIONAL_DATA_LENGTH: dict[DocumentFormat, int] = {"TD1": 26, "TD2": 7, "TD3": 14}
_LONGEST_NUMBER: dict[DocumentFormat, int] = {"TD1": 22, "TD2": 14, "TD3": 9}

State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]
_Characters = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z<]*$", max_length=26)]


@dataclass(frozen=True, config=_CLOSED)
class Document:
    """A document of any issuer; by default the Vietnamese citizen card."""

    format: DocumentFormat = "TD1"
    code: Annotated[str, StringConstraints(pattern=r"^([A-Z][A-Z<]?)?$")] = ""
    """Document code; empty for ID, and P in a TD3."""
    issuer: State = "VNM"
    """Issuing state or organisation, as in the MRZ: `VNM`, `D`, `UTO` …"""
    nationality: State = "VNM"
    number: _Characters = field(default="", repr=False)
    """Document number; empty for the last nine digits of the personal number."""
    optional_data: _Characters | None = field(default=None, repr=False)
    """Optional data; None for what Vietnam writes there, the personal number."""

    def __post_init__(self) -> None:
        if len(self.number) > _LONGEST_NUMBER[self.format]:
            raise ValueError("number is longer than the MRZ has room for")
        room = _OPTIONAL_DATA_LENGTH[self.format]
        if len(self.number) > 9:
            # Doc 9303-5 §4.2.2 note j: the rest of the number, its check digit, a filler.
            room -= len(self.number) - 9 + 2
        if len(self.optional_data or "") > room:
            raise ValueError("optional_data is longer than the MRZ has room for")

    @property
    def document_code(self) -> str:
        """Return the document code, two characters."""
        return (self.code or ("P" if self.format == "TD3" else "ID")).ljust(2, "<")
