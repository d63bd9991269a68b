"""BER-TLV as far as a card needs it.

Source: ISO/IEC 7816-4 §5.2.2 (tag and length fields).
"""

from collections.abc import Iterator

DYNAMIC_AUTHENTICATION_DATA = 0x7C


class TlvError(ValueError):
    """The bytes are not a sequence of complete data objects."""


def encode(tag: int, *values: bytes) -> bytes:
    """Return one data object whose value is the concatenation of `values`, definite length."""
    value = b"".join(values)
    return _tag_bytes(tag) + _length_bytes(len(value)) + value


def parse(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and value of each data object of one level.

    Raises:
        TlvError: an object is incomplete or its length field longer than 4 bytes.
    """
    rest = data
    while rest:
        tag, rest = _take_tag(rest)
        length, rest = _take_length(rest)
        if length > len(rest):
            raise TlvError("a value is cut short")
        yield tag, rest[:length]
        rest = rest[length:]


def dynamic_authentication_data(data: bytes) -> dict[int, bytes]:
    """Return the objects in the data field of GENERAL AUTHENTICATE by their tag.

    Raises:
        TlvError: the field is not one complete template.

    Source: ISO/IEC 7816-4 §11.5.5 (interindustry template 7C).
    """
    match list(parse(data)):
        case [(tag, value)] if tag == DYNAMIC_AUTHENTICATION_DATA:
            return dict(parse(value))
    raise TlvError("no dynamic authentication data")


def _tag_bytes(tag: int) -> bytes:
    return tag.to_bytes((tag.bit_length() + 7) // 8, "big")


def _length_bytes(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _take_tag(data: bytes) -> tuple[int, bytes]:
    size = 1
    if data[0] & 0x1F == 0x1F:
        while size < len(data) and data[size] & 0x80:
            size += 1
        size += 1
    if not size < len(data) or size > 3:
        raise TlvError("a tag is cut short or too long")
    return int.from_bytes(data[:size], "big"), data[size:]


def _take_length(data: bytes) -> tuple[int, bytes]:
    first = data[0]
    if first < 0x80:
        return first, data[1:]
    count = first & 0x7F
    if not 1 <= count <= 4 or len(data) <= count:
        raise TlvError("a length is not definite or too long")
    return int.from_bytes(data[1 : 1 + count], "big"), data[1 + count :]
