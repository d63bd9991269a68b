"""The card holder: the `[person]` table of a profile.

Source: the data of the citizen card's chip (fields of DG13).
"""

import re
from dataclasses import field
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, Strict
from pydantic.dataclasses import dataclass

from devices.simulator.mrz import name_field

NO_EXPIRY = "Không thời hạn"

_CLOSED = ConfigDict(extra="forbid", hide_input_in_errors=True)
_MAX_TEXT = 400


def matching(pattern: str, wanted: str) -> AfterValidator:
    """Return a check that the whole of a text matches a pattern."""

    def validate(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"must be {wanted}")
        return value

    return AfterValidator(validate)


def _name(value: str) -> str:
    name_field(value)
    return value


Day = Annotated[date, Strict(), Field(ge=date(1900, 1, 1), lt=date(2100, 1, 1))]
Text = Annotated[str, Field(max_length=_MAX_TEXT)]
Name = Annotated[str, Field(max_length=_MAX_TEXT), AfterValidator(_name)]


@dataclass(frozen=True, config=_CLOSED, kw_only=True)
class Person:
    """The card holder; an invented one."""

    number: Annotated[str, matching(r"(\d{12})?", "12 digits or empty")] = field(
        default="", repr=False
    )
    """Vietnamese personal identification number; without one there is no DG13."""
    full_name: Name = field(repr=False)
    """With diacritics, family name first; a comma ends a family name of several words."""
    date_of_birth: Day = field(repr=False)
    sex: Literal["Nam", "Nữ", "X"] = field(repr=False)
    date_of_issue: Day = field(repr=False)
    date_of_expiry: Day | Literal["Không thời hạn"] = field(repr=False)
    chip_id: Annotated[
        str, matching(r"([0-9A-Z]{16})?", "16 digits or capital letters, or empty")
    ] = field(default="", repr=False)
    nationality: Text = field(default="Việt Nam", repr=False)
    ethnicity: Text = field(default="Kinh", repr=False)
    religion: Text = field(default="Không", repr=False)
    place_of_origin: Text = field(default="", repr=False)
    place_of_residence: Text = field(default="", repr=False)
    identifying_marks: Text = field(default="", repr=False)
    father: Text = field(default="", repr=False)
    mother: Text = field(default="", repr=False)
    spouse: Text = field(default="", repr=False)
    """Empty if there is none."""
    old_number: Annotated[str, matching(r"(\d{9})?", "9 digits or empty")] = field(
        default="", repr=False
    )
    """Number of the older identity card; empty if there was none."""
    portrait: str | None = field(default=None, repr=False)
    """Path of a picture, relative to the profile's folder; a card without one has no DG2."""

    def __post_init__(self) -> None:
        if self.date_of_issue < self.date_of_birth:
            raise ValueError("date_of_issue must not be before date_of_birth")
        if self.expiry is not None and self.expiry <= self.date_of_issue:
            raise ValueError("date_of_expiry must be after date_of_issue")

    @property
    def expiry(self) -> date | None:
        """Return the date of expiry, None for a card without one."""
        return self.date_of_expiry if isinstance(self.date_of_expiry, date) else None
