"""DG12: additional details of the document.

Source: ICAO Doc 9303-10, 4.7.12.
"""

from dataclasses import dataclass, field

from devices.emrtd.files import DATA_GROUPS
from devices.emrtd.lds.fields import Fields
from devices.tlv import parse_tlv


@dataclass(frozen=True)
class Dg12:
    """The fields of DG12; None or empty where the chip leaves one out."""

    issuing_authority: str | None
    date_of_issue: str | None = field(repr=False)
    """YYYYMMDD; unknown parts as `0` or `<`."""
    other_persons: tuple[str, ...] = field(repr=False)
    """Names of other persons on the document."""
    endorsements: str | None = field(repr=False)
    """Endorsements and observations."""
    tax_or_exit_requirements: str | None = field(repr=False)
    image_of_front: bytes | None = field(repr=False)
    """An image as the chip has it, not looked into."""
    image_of_rear: bytes | None = field(repr=False)
    """An image as the chip has it, not looked into."""
    personalisation_time: str | None = field(repr=False)
    """YYYYMMDDhhmmss."""
    personalisation_system: str | None
    """Serial number of the system that personalised the document."""


def parse_dg12(data: bytes) -> Dg12:
    """Return the fields of DG12; unknown fields and the tag list are passed over.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, a text is not UTF-8, or a
            date is none.
    """
    fields = Fields("DG12", parse_tlv(data, DATA_GROUPS[12].tag).children())
    return Dg12(
        issuing_authority=fields.text(0x5F19),
        date_of_issue=fields.date(0x5F26),
        other_persons=fields.repeated(0x5F1A),
        endorsements=fields.text(0x5F1B),
        tax_or_exit_requirements=fields.text(0x5F1C),
        image_of_front=fields.value(0x5F1D),
        image_of_rear=fields.value(0x5F1E),
        personalisation_time=fields.date_and_time(0x5F55),
        personalisation_system=fields.text(0x5F56),
    )
