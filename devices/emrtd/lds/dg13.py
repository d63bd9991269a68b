"""DG13 of the Vietnamese citizen card: what the Latin MRZ cannot say.

Source: `6D { SEQUENCE { INTEGER 1, OID 1.0.10646.1.0.8, SET OF SEQUENCE { INTEGER n, value } } }`,
the structure seen on cards of 2021 and 2024; the state publishes no specification.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import DATA_GROUPS
from devices.tlv import Span, parse_span, parse_spans

NO_EXPIRY = "Không thời hạn"
_NO_EXPIRY_FOLDED = NO_EXPIRY.casefold()

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
_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")


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
        return (self.date_of_expiry or "").casefold() == _NO_EXPIRY_FOLDED


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
    texts = {number: _text(data, elements) for number, elements in values.items()}
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
        parents=tuple(_strings(data, values.get(13, ()))),
        spouse=tuple(_strings(data, values.get(14, ()))),
        old_id_number=texts.get(15),
        chip_id=texts.get(16),
    )


def parse_dg13_date(text: str | None) -> date | None:
    """Return the date of a `dd/mm/yyyy` field, or None if it is absent or not a full date."""
    match = _DATE.fullmatch(text or "")
    if match is None:
        return None
    try:
        return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None


def _fields(data: bytes) -> dict[int, list[Span]]:
    """Return the value elements of each numbered field."""
    if len(data) > _MAX_BYTES:
        raise FileMalformedError("DG13 is longer than any card's")
    _, start, end = parse_span(data, DATA_GROUPS[13].tag)
    _, start, end = parse_span(data, _SEQUENCE, start, end)
    content = parse_spans(data, start, end)
    if [tag for tag, _, _ in content[:3]] != [_INTEGER, _OID, _SET]:
        raise FileMalformedError("DG13 does not have its three parts")
    fields: dict[int, list[Span]] = {}
    _, start, end = content[2]
    entries = parse_spans(data, start, end)
    if not 1 <= len(entries) <= _MAX_FIELDS:
        raise FileMalformedError("DG13 holds no field or too many")
    for tag, start, end in entries:
        parts = parse_spans(data, start, end) if tag == _SEQUENCE else []
        tag, start, end = parts.pop(0) if parts else (0, 0, 0)
        if tag != _INTEGER or not 1 <= end - start <= _MAX_NUMBER_BYTES:
            raise FileMalformedError("a field of DG13 has no number")
        number = int.from_bytes(data[start:end], "big", signed=True)
        if number in fields:
            raise FileMalformedError("a field of DG13 occurs twice")
        fields[number] = parts
    return fields


def _text(data: bytes, elements: Sequence[Span]) -> str | None:
    """Return the text of a field with one string; None for an empty or nested field."""
    if len(elements) != 1 or elements[0][0] not in _STRINGS:
        return None
    return _decode(data, elements[0]) or None


def _strings(data: bytes, elements: Sequence[Span], depth: int = 0) -> list[str]:
    """Return the strings of a nested field in order: SEQ{SEQ{UTF8}, …} or SEQ{UTF8, …}."""
    if depth > _MAX_NESTING or len(elements) > _MAX_NESTED:
        raise FileMalformedError("a field of DG13 is nested too deep or too wide")
    found: list[str] = []
    for element in elements:
        tag, start, end = element
        if tag in _STRINGS:
            found.append(_decode(data, element))
        elif tag in (_SEQUENCE, _SET):
            found += _strings(data, parse_spans(data, start, end), depth + 1)
    if len(found) > _MAX_NESTED:
        raise FileMalformedError("a field of DG13 is nested too deep or too wide")
    return [text for text in found if text]


def _decode(data: bytes, element: Span) -> str:
    """Return the text in Unicode's composed form, in which names can be compared."""
    tag, start, end = element
    try:
        text = data[start:end].decode(_STRINGS[tag])
    except UnicodeDecodeError:
        raise FileMalformedError("a text of DG13 is not in its encoding") from None
    return unicodedata.normalize("NFC", text).strip()
