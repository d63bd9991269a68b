"""Elementary files of the eMRTD: identifiers, tags and names.

Source: ICAO Doc 9303-10, 8th edition, Table 38 (file identifiers) and 4.6.
"""

from dataclasses import dataclass

EMRTD_AID = bytes.fromhex("A0000002471001")


@dataclass(frozen=True)
class ElementaryFile:
    """One file of the chip."""

    name: str
    """The standard's name; the key of the file in the evidence."""
    fid: int
    """File identifier, two bytes."""
    sfi: int
    """Short EF identifier, 1–30."""
    tag: int
    """Tag of the data object that the file holds."""


CARD_ACCESS = ElementaryFile("EF.CardAccess", 0x011C, 0x1C, 0x31)
CARD_SECURITY = ElementaryFile("EF.CardSecurity", 0x011D, 0x1D, 0x30)
COM = ElementaryFile("EF.COM", 0x011E, 0x1E, 0x60)
SOD = ElementaryFile("EF.SOD", 0x011D, 0x1D, 0x77)
ATR_INFO = ElementaryFile("EF.ATR/INFO", 0x2F01, 0x01, 0x47)
"""A row of data objects, of which the tag is one; not part of the evidence."""
DIRECTORY = ElementaryFile("EF.DIR", 0x2F00, 0x1E, 0x61)
"""A row of data objects of this tag; not part of the evidence."""

_DATA_GROUP_TAGS = (
    *(0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68),
    *(0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70),
)
DATA_GROUPS = {
    number: ElementaryFile(f"EF.DG{number}", 0x0100 + number, number, tag)
    for number, tag in enumerate(_DATA_GROUP_TAGS, start=1)
}
DATA_GROUP_BY_TAG = {file.tag: number for number, file in DATA_GROUPS.items()}

BY_NAME = {
    file.name: file for file in (CARD_ACCESS, CARD_SECURITY, COM, SOD, *DATA_GROUPS.values())
}
