"""DG16: persons to notify in an emergency.

Source: ICAO Doc 9303-10, 4.7.16.
"""

from dataclasses import dataclass, field

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import DATA_GROUPS
from devices.emrtd.lds.fields import MAX_PERSONS, Fields
from devices.tlv import parse_tlv

_TEMPLATES = range(0xA0, 0xC0)


@dataclass(frozen=True)
class PersonToNotify:
    """One person; None or empty where the chip leaves a field out."""

    date_recorded: str | None = field(repr=False)
    """YYYYMMDD."""
    name: str | None = field(repr=False)
    telephone: str | None = field(repr=False)
    address: tuple[str, ...] = field(repr=False)
    """Parts of the address, in the order of the chip."""


def parse_dg16(data: bytes) -> tuple[PersonToNotify, ...]:
    """Return the persons to notify, at least one; each has a template A1, A2 and so on.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, names no person or more than
            64, a text is not UTF-8, or a date is none.
    """
    elements = parse_tlv(data, DATA_GROUPS[16].tag).children()
    templates = [element for element in elements if element.tag in _TEMPLATES]
    if not 1 <= len(templates) <= MAX_PERSONS:
        raise FileMalformedError("DG16 names no person or too many")
    persons = (Fields("DG16", template.children()) for template in templates)
    return tuple(
        PersonToNotify(
            date_recorded=fields.date(0x5F50),
            name=fields.name(0x5F51),
            telephone=fields.text(0x5F52),
            address=fields.lines(0x5F53),
        )
        for fields in persons
    )
