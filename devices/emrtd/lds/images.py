"""Encoded images of data groups: where the file ends, and how large the picture is.

A chip often holds more bytes than the image file has: zeros, FF or leftovers of another image. The
end is found by walking the file's own structure; nothing is decoded here.

Source: ITU-T T.81, annex B (JPEG); ISO/IEC 15444-1, annex A (codestream) and annex I (JP2).
"""

import re
import struct
from dataclasses import dataclass, field

from devices.emrtd.errors import FileMalformedError

JPEG, JP2, CODESTREAM = "image/jpeg", "image/jp2", "image/j2c"
_MEDIA_TYPES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", JP2),
    (b"\xff\x4f\xff\x51", CODESTREAM),
)

# T.81, B.1.1.3: start of frame; C4, C8 and CC are something else.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff+[^\x00\xff]")
# T.81, F.1.2.3: in entropy-coded data FF is followed by 00 or is part of a restart marker.
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

_START_OF_TILE_PART, _END_OF_CODESTREAM = b"\xff\x90", b"\xff\xd9"
_TILE_PART_HEADER_BYTES = 12
_SIZE_AND_OFFSET = struct.Struct(">4I")
# 15444-1, table I.2: what may follow the codestream in a JP2 file.
_METADATA_BOXES = (b"jp2i", b"xml ", b"uuid", b"uinf")

_MAX_PARTS = 10_000
_Size = tuple[int, int]
_UNKNOWN: _Size = (0, 0)


@dataclass(frozen=True)
class EncodedImage:
    """An image file of a data group, not decoded."""

    data: bytes = field(repr=False)
    """The file, what follows its end removed where the end can be found."""
    media_type: str
    """`image/jpeg`, `image/jp2` or `image/j2c` (bare codestream)."""
    width_px: int
    """Width as the file's own header has it, 1–65535 or, in JPEG 2000, up to 2³²−1."""
    height_px: int


def parse_image(data: bytes) -> EncodedImage:
    """Return the image file that `data` begins with.

    A file that is cut off is kept whole: decoders show what is there.

    Raises:
        FileMalformedError: it is neither JPEG nor JPEG 2000, or does not say how large it is.
    """
    for magic, media_type in _MEDIA_TYPES:
        if data.startswith(magic):
            (width_px, height_px), end = _WALKS[media_type](data)
            if not width_px or not height_px:
                raise FileMalformedError("an image of the chip has no size")
            return EncodedImage(data[:end], media_type, width_px, height_px)
    raise FileMalformedError("an image of the chip is neither JPEG nor JPEG 2000")


def _walk_jpeg(data: bytes) -> tuple[_Size, int]:
    """Return the size and the offset after EOI, or after all bytes where there is none."""
    size = _UNKNOWN
    position = 2
    for _ in range(_MAX_PARTS):
        # T.81, B.1.1.2: fill bytes FF may stand before a marker.
        found = _MARKER.match(data, position)
        if found is None:
            break
        marker = data[found.end() - 1]
        position = found.end()
        if marker == _END_OF_IMAGE:
            return size, position
        if marker in _STANDALONE:
            continue
        segment = data[position : position + 7]
        length = int.from_bytes(segment[:2], "big")
        if length < 2:
            break
        if marker in _START_OF_FRAME and size == _UNKNOWN and len(segment) == 7:
            # T.81, B.2.2: length, precision, number of lines, samples per line.
            size = int.from_bytes(segment[5:7], "big"), int.from_bytes(segment[3:5], "big")
        position += length
        if marker == _START_OF_SCAN:
            following = _MARKER_AFTER_SCAN.search(data, position)
            if following is None:
                break
            position = following.start()
    return size, len(data)


def _walk_jp2(data: bytes) -> tuple[_Size, int]:
    """Return the size and the offset after the last box, or after all bytes if it is cut off."""
    size, end = _UNKNOWN, len(data)
    position = 0
    for _ in range(_MAX_PARTS):
        box = _box(data, position)
        if box is None:
            break
        kind, start, stop = box
        if kind == b"jp2c" and size == _UNKNOWN:
            size, length = _walk_codestream(data[start:stop])
            position = end = stop or start + length
        elif stop is None:
            break
        elif size == _UNKNOWN:
            position = stop
        elif kind in _METADATA_BOXES:
            position = end = stop
        else:
            break
    return size, end


def _box(data: bytes, position: int) -> tuple[bytes, int, int | None] | None:
    """Return kind, start and stop of a box's contents; stop is None where the file ends first.

    Source: ISO/IEC 15444-1, I.4: length 1 is followed by a longer one, 0 means to the file's end.
    """
    head = data[position : position + 16]
    length, header = int.from_bytes(head[:4], "big"), 8
    if length == 1:
        length, header = int.from_bytes(head[8:], "big"), 16
    if len(head) < header or 0 < length < header:
        return None
    stop = position + length if 0 < length <= len(data) - position else None
    return head[4:8], position + header, stop


def _walk_codestream(data: bytes) -> tuple[_Size, int]:
    """Return the size and the offset after EOC, or after all bytes where there is none."""
    size = _codestream_size(data)
    position = 2
    for _ in range(_MAX_PARTS):
        head = data[position : position + 10]
        if head.startswith(_END_OF_CODESTREAM):
            return size, position + 2
        length = int.from_bytes(head[2:4], "big") + 2
        if head.startswith(_START_OF_TILE_PART):
            # 15444-1, A.4.2: Psot counts from the marker on; 0 means up to EOC.
            length = int.from_bytes(head[6:10], "big")
            if length == 0:
                found = data.find(_END_OF_CODESTREAM, position + _TILE_PART_HEADER_BYTES)
                return size, len(data) if found < 0 else found + 2
        if not head.startswith(b"\xff") or length < 4:
            break
        position += length
    return size, len(data)


def _codestream_size(data: bytes) -> _Size:
    """Return width and height from SIZ, the first segment (15444-1, A.5.1)."""
    segment = data[2:24]
    if len(segment) < 22 or not segment.startswith(b"\xff\x51"):
        return _UNKNOWN
    right, bottom, left, top = _SIZE_AND_OFFSET.unpack_from(segment, 6)
    return max(0, right - left), max(0, bottom - top)


_WALKS = {JPEG: _walk_jpeg, JP2: _walk_jp2, CODESTREAM: _walk_codestream}
