"""A look over CBOR before it is decoded, so that a few bytes cannot become much memory.

An empty map is one byte on the wire and a hundred in Python, and tags let a decoder build numbers,
dates and references. Evidence needs none of that.

Source: RFC 8949, 3 (encoding) and 4.2.1 (deterministic encoding: definite lengths).
"""

MAX_ITEMS = 4096
_BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 2, 3, 4, 5, 6, 7
_FALSE_TRUE_NULL = (20, 21, 22)


def check_structure(data: bytes) -> None:
    """Check that `data` is one data item of plain kinds, of definite length, with few items in it.

    Raises:
        ValueError: it is cut off, something follows, it has more than 4096 items, or one of them is
            a tag, a float or of indefinite length.
    """
    offset = items = 0
    expected = 1
    while expected:
        items += 1
        if items > MAX_ITEMS or offset >= len(data):
            raise ValueError("too many items, or cut off")
        major, information = data[offset] >> 5, data[offset] & 0x1F
        offset += 1
        argument = information
        if 24 <= information <= 27:
            size = 1 << (information - 24)
            argument = int.from_bytes(data[offset : offset + size], "big")
            offset += size
        is_plain_value = major != _SIMPLE or information in _FALSE_TRUE_NULL
        if information > 27 or major == _TAG or not is_plain_value:
            raise ValueError("an item of a kind that does not belong here")
        if major in (_BYTES, _TEXT):
            offset += argument
        expected += {_ARRAY: argument, _MAP: 2 * argument}.get(major, 0) - 1
    if offset != len(data):
        raise ValueError("cut off, or something follows")
