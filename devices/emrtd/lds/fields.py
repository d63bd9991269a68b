"""Fields of text, lists and dates as DG11, DG12 and DG16 have them.

Source: ICAO Doc 9303-10, 4.7.11, 4.7.12 and 4.7.16.
"""

import re
import unicodedata
from collections.abc import Iterable

from devices.emrtd.errors import FileMalformedError
from devices.tlv import Tlv

MAX_PERSONS = 64
_CONTENT_SPECIFIC = 0xA0
_DATE, _DATE_AND_TIME = 8, 14


class Fields:
    """The data objects of one data group, by tag; the first of a tag counts."""

    def __init__(self, group: str, elements: Iterable[Tlv]) -> None:
        """Take the data group's name, for messages, and its data objects."""
        self._group = group
        self._elements = tuple(elements)

    def value(self, tag: int) -> bytes | None:
        """Return the bytes of a field, or None if it is absent or empty."""
        return next((e.value for e in self._elements if e.tag == tag and e.value), None)

    def text(self, tag: int) -> str | None:
        """Return the text of a field, or None if it is absent or empty.

        Raises:
            FileMalformedError: it is not UTF-8.
        """
        return self._decode(self.value(tag) or b"") or None

    def lines(self, tag: int) -> tuple[str, ...]:
        """Return the parts of a field that `<` separates; empty if it is absent."""
        parts = (self.text(tag) or "").split("<")
        return tuple(part.strip() for part in parts if part.strip())

    def name(self, tag: int) -> str | None:
        """Return a name whose parts `<` separates, with spaces instead."""
        return " ".join(self.lines(tag)) or None

    def repeated(self, tag: int) -> tuple[str, ...]:
        """Return all names with this tag, in or outside the content-specific template A0.

        Raises:
            FileMalformedError: one is not UTF-8, or there are more than 64.
            TlvMalformedError: the template is malformed.
        """
        elements = list(self._elements)
        for template in self._elements:
            if template.tag == _CONTENT_SPECIFIC:
                elements += template.children()
        found = [Fields(self._group, [e]).name(tag) for e in elements if e.tag == tag]
        if len(found) > MAX_PERSONS:
            raise FileMalformedError(f"{self._group} names too many persons")
        return tuple(name for name in found if name)

    def date(self, tag: int) -> str | None:
        """Return YYYYMMDD, unknown parts as `0` or `<`; None if the field is absent.

        The edition of 2006 has eight digits in four bytes (BCD), later ones eight characters; both
        are on real chips.

        Raises:
            FileMalformedError: it is neither.
        """
        return self._digits(tag, _DATE)

    def date_and_time(self, tag: int) -> str | None:
        """Return YYYYMMDDhhmmss, as digits in seven bytes or as characters; None if absent.

        Raises:
            FileMalformedError: it is neither.
        """
        return self._digits(tag, _DATE_AND_TIME)

    def _digits(self, tag: int, count: int) -> str | None:
        value = self.value(tag)
        if value is None:
            return None
        text = value.hex() if len(value) == count // 2 else value.decode("latin-1")
        if not re.fullmatch(rf"[0-9<]{{{count}}}", text):
            raise FileMalformedError(f"a date of {self._group} is malformed")
        return text

    def _decode(self, value: bytes) -> str:
        try:
            return unicodedata.normalize("NFC", value.decode("utf-8")).strip()
        except UnicodeDecodeError:
            raise FileMalformedError(f"a text of {self._group} is not UTF-8") from None
