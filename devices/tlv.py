"""BER-TLV with definite lengths, bounded so that no card can make it work for long.

Source: ISO/IEC 7816-4:2020, 5.2; ITU-T X.690, 8.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from devices.errors import TlvMalformedError

MAX_TAG_BYTES = 3
MAX_LENGTH_BYTES = 4
MAX_ELEMENTS = 4096

Span: TypeAlias = tuple[int, int, int]
"""Tag, where the value begins and where it ends: a data object in the bytes as they came."""


@dataclass(frozen=True)
class Tlv:
    """One data object."""

    tag: int
    """The tag field as a big-endian number: 0x61, 0x5F1F, 0x7F49."""
    value: bytes = field(repr=False)
    """The value field."""

    def children(self) -> tuple["Tlv", ...]:
        """Return the data objects that the value consists of.

        Raises:
            TlvMalformedError: the value is not a sequence of data objects.
        """
        return parse_tlvs(self.value)

    def child(self, tag: int) -> "Tlv":
        """Return the first data object inside with this tag.

        Raises:
            TlvMalformedError: it is missing or the value is not a sequence of data objects.
        """
        return find_tlv(self.children(), tag)


def parse_header(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """Return tag, header length and value length, both in bytes, of the object at `offset`.

    The value itself need not be there, so this also reads the first bytes of a file.

    Raises:
        TlvMalformedError: the header is cut off, too long, or of indefinite length.
    """
    position = offset
    if position >= len(data):
        raise TlvMalformedError("a data object ends before its tag")
    tag = data[position]
    position += 1
    if tag & 0x1F == 0x1F:
        while True:
            if position >= len(data) or position - offset >= MAX_TAG_BYTES:
                raise TlvMalformedError("a tag is cut off or too long")
            tag = tag << 8 | data[position]
            position += 1
            if not tag & 0x80:
                break
    if position >= len(data):
        raise TlvMalformedError("a data object ends before its length")
    length = data[position]
    position += 1
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= MAX_LENGTH_BYTES:
            raise TlvMalformedError("a length is indefinite or too long")
        if position + count > len(data):
            raise TlvMalformedError("a length is cut off")
        length = int.from_bytes(data[position : position + count], "big")
        position += count
    return tag, position - offset, length


def parse_spans(data: bytes, start: int, end: int) -> list[Span]:
    """Return where the data objects are that `data` consists of from `start` to `end`.

    Nothing is copied: this is for the files that every verification parses.

    Raises:
        TlvMalformedError: an object is malformed or cut off, or there are more than 4096.
    """
    spans: list[Span] = []
    while start < end:
        if len(spans) == MAX_ELEMENTS:
            raise TlvMalformedError("too many data objects")
        tag, value = data[start], start + 2
        # Most tags and lengths have one byte; the rest is for `parse_header`.
        if tag & 0x1F == 0x1F or value > end or (length := data[start + 1]) > 0x7F:
            tag, header, length = parse_header(data, start)
            value = start + header
        start = value + length
        if start > end:
            raise TlvMalformedError("a data object is longer than the bytes that hold it")
        spans.append((tag, value, start))
    return spans


def parse_span(data: bytes, tag: int, start: int = 0, end: int | None = None) -> Span:
    """Return where the one data object is that `data` is from `start` to `end`.

    Raises:
        TlvMalformedError: it is not exactly one well-formed object, or has another tag.
    """
    found, header, length = parse_header(data, start)
    if found != tag:
        raise TlvMalformedError(f"expected tag {tag:X}, found {found:X}")
    value = start + header
    if value + length != (len(data) if end is None else end):
        raise TlvMalformedError("a data object's length does not match its bytes")
    return found, value, value + length


def find_span(spans: Iterable[Span], tag: int) -> Span:
    """Return the first of `spans` with this tag.

    Raises:
        TlvMalformedError: there is none.
    """
    for span in spans:
        if span[0] == tag:
            return span
    raise TlvMalformedError(f"the data object with tag {tag:X} is missing")


def parse_tlvs(data: bytes) -> tuple[Tlv, ...]:
    """Return the data objects that `data` consists of; nothing may be left over.

    Raises:
        TlvMalformedError: an object is malformed or cut off, or there are more than 4096.
    """
    return tuple(Tlv(tag, data[value:end]) for tag, value, end in parse_spans(data, 0, len(data)))


def parse_tlv(data: bytes, tag: int | None = None) -> Tlv:
    """Return the one data object that `data` is.

    Args:
        data: the whole object.
        tag: the tag that it must have, if given.

    Raises:
        TlvMalformedError: it is not exactly one well-formed object, or has another tag.
    """
    found, header, length = parse_header(data)
    if tag is not None and found != tag:
        raise TlvMalformedError(f"expected tag {tag:X}, found {found:X}")
    if header + length != len(data):
        raise TlvMalformedError("a data object's length does not match its bytes")
    return Tlv(found, data[header:])


def find_tlv(elements: Iterable[Tlv], tag: int) -> Tlv:
    """Return the first of `elements` with this tag.

    Raises:
        TlvMalformedError: there is none.
    """
    for element in elements:
        if element.tag == tag:
            return element
    raise TlvMalformedError(f"the data object with tag {tag:X} is missing")


def encode_tlv(tag: int, value: bytes) -> bytes:
    """Return the encoding of one data object, with the shortest length field."""
    head = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")
    if len(value) < 0x80:
        return head + bytes([len(value)]) + value
    size = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return head + bytes([0x80 | len(size)]) + size + value
