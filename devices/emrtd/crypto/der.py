"""A thin reader of DER: where each element of a certificate, CMS object or CRL begins and ends.

asn1crypto builds an object for every element, which costs more than the signatures that are
verified. Here an element is four numbers over the bytes as they came, and nothing is copied or
decoded before it is asked for. Only what X.509 and CMS use is known: no tag has two bytes.

Every function raises ValueError on malformed input; callers stand inside `asn1_errors`.

Source: ITU-T X.690, 8 and 10.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

from asn1crypto import core

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31
CONTEXT = 0xA0
"""Tag of the constructed element [0]; add the number for [1], [2] and so on."""

Element: TypeAlias = tuple[int, int, int, int]
"""Tag, where it begins, where its contents begin, where it ends."""

MAX_DEPTH = 32
MAX_ELEMENTS = 4096
"""Most elements that are held at once; what may be longer is read one by one."""
_MAX_OID_BYTES = 64
_CONSTRUCTED = 0x20
_CONSTRUCTED_OCTET_STRING = OCTET_STRING | _CONSTRUCTED
_INDEFINITE = 0x80
_TIME = struct.Struct("4s2s2s2s2s2s")


def read(data: bytes, at: int, end: int) -> Element:
    """Return the element at `at`, which must end by `end`."""
    start = at + 2
    if start > end:
        raise ValueError("an element is cut off")
    tag, length = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise ValueError("a tag has more than one byte")
    if length > 0x7F:
        count = length & 0x7F
        start += count
        if not 1 <= count <= 4 or start > end:
            raise ValueError("a length is indefinite, too long or cut off")
        length = int.from_bytes(data[at + 2 : start], "big")
    if length > end - start:
        raise ValueError("an element is longer than what holds it")
    return tag, at, start, start + length


def read_each(data: bytes, start: int, end: int) -> Iterator[Element]:
    """Yield the elements from `start` to `end`, however many there are."""
    while start < end:
        element = read(data, start, end)
        yield element
        start = element[3]


def children(data: bytes, element: Element, tag: int | None = None) -> list[Element]:
    """Return the elements inside a constructed element, at most 4096.

    Args:
        data: the bytes that hold it.
        element: the element.
        tag: the tag that it must have, if given.
    """
    found, _, start, end = element
    if tag is not None and found != tag:
        raise ValueError("an element has another tag than it must")
    elements: list[Element] = []
    # `read` in a loop; written out, since a verification comes here over thirty times.
    while start < end:
        content = start + 2
        if content > end:
            raise ValueError("an element is cut off")
        tag, length = data[start], data[start + 1]
        if tag & 0x1F == 0x1F:
            raise ValueError("a tag has more than one byte")
        if length > 0x7F:
            count = length & 0x7F
            content += count
            if not 1 <= count <= 4 or content > end:
                raise ValueError("a length is indefinite, too long or cut off")
            length = int.from_bytes(data[content - count : content], "big")
        stop = content + length
        elements.append((tag, start, content, stop))
        start = stop
        if len(elements) > MAX_ELEMENTS:
            raise ValueError("too many elements")
    if start > end:
        raise ValueError("an element is longer than what holds it")
    return elements


def whole(data: bytes, tag: int) -> Element:
    """Return the element that `data` is, with nothing after it."""
    element = read(data, 0, len(data))
    if element[0] != tag:
        raise ValueError("an element has another tag than it must")
    if element[3] != len(data):
        raise ValueError("something follows")
    return element


def expect(element: Element, tag: int) -> Element:
    """Return the element if it has this tag."""
    if element[0] != tag:
        raise ValueError("an element has another tag than it must")
    return element


def contents(data: bytes, element: Element, tag: int) -> bytes:
    """Return the contents of an element that must have this tag."""
    found, _, start, end = element
    if found != tag:
        raise ValueError("an element has another tag than it must")
    return data[start:end]


def encoding(data: bytes, element: Element) -> bytes:
    """Return the element as it came, with tag and length."""
    return data[element[1] : element[3]]


def integer(data: bytes, element: Element) -> int:
    """Return the value of an INTEGER."""
    value = contents(data, element, INTEGER)
    if not value:
        raise ValueError("an integer is empty")
    return int.from_bytes(value, "big", signed=True)


def bit_string(data: bytes, element: Element) -> bytes:
    """Return the value of a BIT STRING of whole bytes."""
    value = contents(data, element, BIT_STRING)
    if not value or value[0]:
        raise ValueError("a bit string is not of whole bytes")
    return value[1:]


def oid(data: bytes, element: Element) -> str:
    """Return the value of an OBJECT IDENTIFIER in dotted form."""
    return _dotted(contents(data, element, OBJECT_IDENTIFIER))


def time(data: bytes, element: Element) -> datetime:
    """Return the value of a UTCTime or GeneralizedTime."""
    if element[0] not in (UTC_TIME, GENERALIZED_TIME):
        raise ValueError("an element is no time")
    text = data[element[2] : element[3]]
    if element[0] == UTC_TIME and len(text) == 13:
        # RFC 5280, 4.1.2.5.1: years from 50 are of the twentieth century.
        text = (b"19" if text[:2] >= b"50" else b"20") + text
    if len(text) == 15 and text[14:] == b"Z" and text[:14].isdigit():
        year, month, day, hour, minute, second = _TIME.unpack_from(text)
        date = int(year), int(month), int(day)
        return datetime(*date, int(hour), int(minute), int(second), tzinfo=UTC)
    # Fractions, offsets and missing seconds, which DER does not allow but issuers write.
    kind = core.UTCTime if element[0] == UTC_TIME else core.GeneralizedTime
    value = kind.load(encode(element[0], data[element[2] : element[3]])).native
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("a time has no zone")
    return value


@lru_cache(maxsize=1024)
def _dotted(value: bytes) -> str:
    if not 0 < len(value) <= _MAX_OID_BYTES or value[-1] & 0x80:
        raise ValueError("an object identifier is malformed")
    arcs, arc = [], 0
    for byte in value:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def to_definite(data: bytes) -> bytes:
    """Return BER with every length definite and every OCTET STRING in one piece.

    What comes in DER is returned as it is.
    """
    if data[1:2] != bytes([_INDEFINITE]):
        return data
    rebuilt, end = _definite(data, 0, len(data), 0)
    if end != len(data):
        raise ValueError("something follows")
    return rebuilt


def _definite(data: bytes, at: int, end: int, depth: int) -> tuple[bytes, int]:
    """Return the element at `at` with definite lengths, and where it ends."""
    if depth > MAX_DEPTH:
        raise ValueError("elements are nested too deeply")
    if at + 2 > end:
        raise ValueError("an element is cut off")
    tag = data[at]
    is_indefinite = data[at + 1] == _INDEFINITE
    if is_indefinite and not tag & _CONSTRUCTED:
        raise ValueError("a primitive element has an indefinite length")
    if is_indefinite:
        position, stop = at + 2, end
    else:
        _, _, position, stop = read(data, at, end)
        if not tag & _CONSTRUCTED:
            return data[at:stop], stop
    parts = []
    while position < stop:
        if is_indefinite and data[position : position + 2] == b"\x00\x00":
            position += 2
            break
        part, position = _definite(data, position, stop, depth + 1)
        parts.append(part)
        if len(parts) > MAX_ELEMENTS:
            raise ValueError("too many elements")
    else:
        if is_indefinite:
            raise ValueError("an element of indefinite length does not end")
    if tag == _CONSTRUCTED_OCTET_STRING:
        pieces = [contents(part, whole(part, OCTET_STRING), OCTET_STRING) for part in parts]
        return encode(OCTET_STRING, b"".join(pieces)), position
    return encode(tag, b"".join(parts)), position


def encode(tag: int, value: bytes) -> bytes:
    """Return the encoding of an element."""
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    size = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + value
