"""DG11: additional personal details.

Source: ICAO Doc 9303-10, 4.7.11.
"""

from dataclasses import dataclass, field

from devices.emrtd.files import DATA_GROUPS
from devices.emrtd.lds.fields import Fields
from devices.tlv import parse_tlv


@dataclass(frozen=True)
class Dg11:
    """The fields of DG11; None or empty where the chip leaves one out."""

    full_name: str | None = field(repr=False)
    """In the national characters, primary identifier first, separated by spaces."""
    other_names: tuple[str, ...] = field(repr=False)
    personal_number: str | None = field(repr=False)
    date_of_birth: str | None = field(repr=False)
    """YYYYMMDD; unknown parts as `0` or `<`."""
    place_of_birth: tuple[str, ...] = field(repr=False)
    """Parts of the place, in the order of the chip."""
    permanent_address: tuple[str, ...] = field(repr=False)
    """Parts of the address, in the order of the chip."""
    telephone: str | None = field(repr=False)
    profession: str | None = field(repr=False)
    title: str | None = field(repr=False)
    personal_summary: str | None = field(repr=False)
    proof_of_citizenship: bytes | None = field(repr=False)
    """An image as the chip has it, not looked into."""
    other_travel_documents: tuple[str, ...] = field(repr=False)
    """Numbers of other valid travel documents."""
    custody_information: str | None = field(repr=False)


def parse_dg11(data: bytes) -> Dg11:
    """Return the fields of DG11; unknown fields and the tag list are passed over.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, a text is not UTF-8, or the
            date of birth is none.
    """
    fields = Fields("DG11", parse_tlv(data, DATA_GROUPS[11].tag).children())
    return Dg11(
        full_name=fields.name(0x5F0E),
        other_names=fields.repeated(0x5F0F),
        personal_number=fields.text(0x5F10),
        date_of_birth=fields.date(0x5F2B),
        place_of_birth=fields.lines(0x5F11),
        permanent_address=fields.lines(0x5F42),
        telephone=fields.text(0x5F12),
        profession=fields.text(0x5F13),
        title=fields.text(0x5F14),
        personal_summary=fields.text(0x5F15),
        proof_of_citizenship=fields.value(0x5F16),
        other_travel_documents=fields.lines(0x5F17),
        custody_information=fields.text(0x5F18),
    )
