"""DG13 of the Vietnamese citizen card: what the Latin MRZ cannot say.

Source: `6D { SEQUENCE { INTEGER 1, OID 1.0.10646.1.0.8, SET OF SEQUENCE { INTEGER n, value } } }`,
the structure seen on cards of 2021 and 2024; the state publishes no specification.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import DATA_GROUPS
from devices.tlv import Tlv, parse_tlv

NO_EXPIRY = "Không thời hạn"

_INTEGER, _OID, _SEQUENCE, _SET = 0x02, 0x06, 0x30, 0x31
# X.690, 8.23: what a text may be written as; TeletexString holds Latin-1 wherever it is met.
_STRINGS = {
    0x0C: "utf-8",  # UTF8String
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # TeletexString
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
_MAX_BYTES = 64 << 10
_MAX_FIELDS = 64
_MAX_NUMBER_BYTES = 4
_MAX_NESTING = 4
_MAX_NESTED = 64


@dataclass(frozen=True)
class Dg13:
    """The fields of DG13; None where the card leaves one out."""

    id_number: str | None = field(repr=False)
    """Personal identification number, twelve digits."""
    name: str | None = field(repr=False)
    """Full name with diacritics."""
    date_of_birth: str | None = field(repr=False)
    """As on the card: dd/mm/yyyy."""
    sex: str | None = field(repr=False)
    """`Nam` or `Nữ`."""
    nationality: str | None = field(repr=False)
    ethnicity: str | None = field(repr=False)
    religion: str | None = field(repr=False)
    place_of_origin: str | None = field(repr=False)
    place_of_residence: str | None = field(repr=False)
    identifying_marks: str | None = field(repr=False)
    date_of_issue: str | None = field(repr=False)
    """As on the card: dd/mm/yyyy."""
    date_of_expiry: str | None = field(repr=False)
    """As on the card: dd/mm/yyyy, or `Không thời hạn` for a card without expiry."""
    parents: tuple[str, ...] = field(repr=False)
    """Names, father first; empty if the card names none."""
    spouse: tuple[str, ...] = field(repr=False)
    old_id_number: str | None = field(repr=False)
    """The nine-digit number of an earlier card."""
    chip_id: str | None = field(repr=False)

    @property
    def never_expires(self) -> bool:
        """Whether the card says that it has no expiry, in capitals or not."""
        return (self.date_of_expiry or "").casefold() == NO_EXPIRY.casefold()


def parse_dg13(data: bytes) -> Dg13:
    """Return the fields of DG13, in whatever order they stand.

    Fields with other numbers and data after the set are passed over. A field is absent (None, or
    empty) where its value is missing, is another type than text, or is several texts where one
    belongs: such a card says nothing that could be understood. A text that is not in its own
    encoding makes the file malformed.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, is longer than
            64 KiB, repeats a field, holds more than 64 fields or more than 64 elements in one.
    """
    values = _fields(data)
    texts = {number: _text(elements) for number, elements in values.items()}
    return Dg13(
        id_number=texts.get(1),
        name=texts.get(2),
        date_of_birth=texts.get(3),
        sex=texts.get(4),
        nationality=texts.get(5),
        ethnicity=texts.get(6),
        religion=texts.get(7),
        place_of_origin=texts.get(8),
        place_of_residence=texts.get(9),
        identifying_marks=texts.get(10),
        date_of_issue=texts.get(11),
        date_of_expiry=texts.get(12),
        parents=tuple(_strings(values.get(13, ()))),
        spouse=tuple(_strings(values.get(14, ()))),
        old_id_number=texts.get(15),
        chip_id=texts.get(16),
    )


def parse_dg13_date(text: str | None) -> date | None:
    """Return the date of a `dd/mm/yyyy` field, or None if it is absent or not a full date."""
    match = re.fullmatch(r"([0-9]{2})/([0-9]{2})/([0-9]{4})", text or "")
    if match is None:
        return None
    try:
        return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None


def _fields(data: bytes) -> dict[int, tuple[Tlv, ...]]:
    """Return the value elements of each numbered field."""
    if len(data) > _MAX_BYTES:
        raise FileMalformedError("DG13 is longer than any card's")
    content = parse_tlv(parse_tlv(data, DATA_GROUPS[13].tag).value, _SEQUENCE).children()
    if [element.tag for element in content[:3]] != [_INTEGER, _OID, _SET]:
        raise FileMalformedError("DG13 does not have its three parts")
    fields: dict[int, tuple[Tlv, ...]] = {}
    entries = content[2].children()
    if not 1 <= len(entries) <= _MAX_FIELDS:
        raise FileMalformedError("DG13 holds no field or too many")
    for entry in entries:
        parts = entry.children() if entry.tag == _SEQUENCE else ()
        is_numbered = bool(parts) and parts[0].tag == _INTEGER
        if not is_numbered or not 1 <= len(parts[0].value) <= _MAX_NUMBER_BYTES:
            raise FileMalformedError("a field of DG13 has no number")
        number = int.from_bytes(parts[0].value, "big", signed=True)
        if number in fields:
            raise FileMalformedError("a field of DG13 occurs twice")
        fields[number] = parts[1:]
    return fields


def _text(elements: tuple[Tlv, ...]) -> str | None:
    """Return the text of a field with one string; None for an empty or nested field."""
    if len(elements) != 1 or elements[0].tag not in _STRINGS:
        return None
    return _decode(elements[0]) or None


def _strings(elements: tuple[Tlv, ...], depth: int = 0) -> list[str]:
    """Return the strings of a nested field in order: SEQ{SEQ{UTF8}, …} or SEQ{UTF8, …}."""
    if depth > _MAX_NESTING or len(elements) > _MAX_NESTED:
        raise FileMalformedError("a field of DG13 is nested too deep or too wide")
    found: list[str] = []
    for element in elements:
        if element.tag in _STRINGS:
            found.append(_decode(element))
        elif element.tag in (_SEQUENCE, _SET):
            found += _strings(element.children(), depth + 1)
    if len(found) > _MAX_NESTED:
        raise FileMalformedError("a field of DG13 is nested too deep or too wide")
    return [text for text in found if text]


def _decode(element: Tlv) -> str:
    """Return the text in Unicode's composed form, in which names can be compared."""
    try:
        text = element.value.decode(_STRINGS[element.tag])
    except UnicodeDecodeError:
        raise FileMalformedError("a text of DG13 is not in its encoding") from None
    return unicodedata.normalize("NFC", text).strip()
