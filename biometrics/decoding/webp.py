"""The chunks of a WebP file. Source: RFC 9649, 2.3 to 2.7."""

import struct
from typing import Final

from biometrics.decoding.errors import ImageAnimatedError, ImageTruncatedError
from biometrics.decoding.exif import read_orientation
from biometrics.decoding.prepared import PreparedFile

MAX_CHUNKS: Final = 100
_ANIMATION = 0x02


def is_webp(data: bytes) -> bool:
    """Return whether the file begins as a WebP file does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def prepare_webp(data: bytes) -> PreparedFile:
    """Read the size, the animation flag and the orientation.

    Raises:
        ImageAnimatedError: an animated WebP.
        ImageTruncatedError: the file ends early.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise ImageTruncatedError("the WebP file ends before its picture does")
    position, orientation = 12, 1
    for _ in range(MAX_CHUNKS):
        if position + 8 > end:
            break
        kind, size = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : min(end, position + 8 + size)]
        if kind == b"VP8X" and body and body[0] & _ANIMATION:
            raise ImageAnimatedError("the file is an animation, not one picture")
        if kind == b"EXIF":
            orientation = read_orientation(body)
        position += 8 + size + size % 2
    return PreparedFile(data[:end], orientation)
