"""X.501 names of issuers and subjects, compared as RFC 5280 says.

Source: RFC 5280, 7.1 (comparison), 4.1.2.4 (attributes); ICAO Doc 9303-12, 7.1.1.1 (profile).
"""

import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

from devices.emrtd.crypto import der

_COUNTRY = "2.5.4.6"
_COMMON_NAME = "2.5.4.3"
_SERIAL_NUMBER = "2.5.4.5"
_CHANGED_BY_ROLLOVER = (_COMMON_NAME, _SERIAL_NUMBER)
_LABELS = {
    _COUNTRY: "C",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    _COMMON_NAME: "CN",
    _SERIAL_NUMBER: "serialNumber",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
}
_ENCODINGS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


@dataclass(frozen=True, eq=False)
class Name:
    """A distinguished name; two are equal if RFC 5280 says so, in whatever encoding they came."""

    encoded: bytes = field(repr=False)
    """The name as in the certificate."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Name):
            return NotImplemented
        return self.encoded == other.encoded or self._prepared == other._prepared

    def __hash__(self) -> int:
        return hash(self._prepared)

    def __str__(self) -> str:
        """Return the name for people: `CN=…, O=…, C=…`."""
        known = [(_LABELS.get(oid), text) for oid, text in reversed(self.attributes)]
        return ", ".join(f"{label}={text}" for label, text in known if label)

    @cached_property
    def attributes(self) -> tuple[tuple[str, str], ...]:
        """Object identifier and text of each attribute, in order.

        A malformed name has one attribute, its own bytes: it equals no other.
        """
        try:
            return _attributes(self.encoded)
        except ValueError:
            return (("", self.encoded.hex()),)

    @cached_property
    def country(self) -> str | None:
        """The countryName in capitals, or None."""
        found = (text.strip().upper() for oid, text in self.attributes if oid == _COUNTRY)
        return next(found, None) or None

    def is_same_authority(self, other: "Name") -> bool:
        """Return whether both name one authority, before and after a change of its key.

        A new key may come with another serial number or common name.
        """
        return self == other or self._lasting == other._lasting

    @property
    def _lasting(self) -> frozenset[tuple[str, str]]:
        return frozenset(pair for pair in self._prepared if pair[0] not in _CHANGED_BY_ROLLOVER)

    @cached_property
    def _prepared(self) -> tuple[tuple[str, str], ...]:
        """RFC 4518, 2: case folded, compatibility characters composed, white space collapsed."""
        return tuple(
            (oid, " ".join(unicodedata.normalize("NFKC", text).casefold().split()))
            for oid, text in self.attributes
        )


def _attributes(data: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(
        _attribute(data, attribute)
        for relative in der.children(data, der.whole(data, der.SEQUENCE))
        for attribute in der.children(data, relative, der.SET)
    )


def _attribute(data: bytes, element: der.Element) -> tuple[str, str]:
    kind, value = der.children(data, element, der.SEQUENCE)
    raw = data[value[2] : value[3]]
    encoding = _ENCODINGS.get(value[0])
    # Issuers put letters beyond ASCII into PrintableString; the bytes still tell names apart.
    text = raw.decode(encoding, "backslashreplace") if encoding else raw.hex()
    return der.oid(data, kind), text
