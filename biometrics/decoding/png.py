"""The chunks of a PNG file. Source: W3C Portable Network Graphics (third edition), 5 and 8."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from biometrics.decoding.errors import (
    ImageAnimatedError,
    ImageTooComplexError,
    ImageTruncatedError,
    ImageUnreadableError,
)
from biometrics.decoding.exif import read_orientation
from biometrics.decoding.prepared import PreparedFile

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS: Final = 20_000
"""Data in chunks of 4 KiB up to the byte limit need about 8,000."""

_DECODED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
# 8.1: Adam7's seven passes as x and y start, x and y step.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def prepare_png(data: bytes) -> PreparedFile:
    """Walk the chunks and keep those that make the picture.

    Raises:
        ImageAnimatedError: an animated PNG.
        ImageTruncatedError: the file ends early.
        ImageTooComplexError: more chunks than any encoder writes.
    """
    kept, orientation = [SIGNATURE], 1
    for kind, chunk in _chunks(data):
        if kind == b"acTL":
            raise ImageAnimatedError("the file is an animation, not one picture")
        if kind == b"eXIf":
            orientation = read_orientation(chunk[8:-4])
        elif kind in _DECODED:
            kept.append(chunk)
    return PreparedFile(b"".join(kept), orientation)


def check_png_is_filled(prepared: PreparedFile) -> None:
    """Check that the compressed data hold every row: a decoder leaves missing ones black.

    Args:
        prepared: what `prepare_png` returned; its size is checked and its pixels are decoded.

    Raises:
        ImageTruncatedError: rows are missing.
    """
    chunks = list(_chunks(prepared.data))
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1][8:21])
    bits = depth * _SAMPLES[colour]
    expected = _row_bytes(width, height, bits, interlaced=bool(interlace))
    inflate, held = zlib.decompressobj(), 0
    for kind, chunk in chunks:
        rest = chunk[8:-4] if kind == b"IDAT" else b""
        while rest and held < expected and not inflate.eof:
            held += len(inflate.decompress(rest, 1 << 20))
            rest = inflate.unconsumed_tail
    held += len(inflate.flush()) if held < expected else 0
    if held < expected:
        raise ImageTruncatedError("the PNG file's data end before its picture does")


def _row_bytes(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    total = 0
    for x, y, dx, dy in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - x) // dx), -(-(height - y) // dy)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)  # 9.2: a filter byte a row
    return total


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and whole chunk (length, kind, data, CRC) up to IEND."""
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if position + 12 > len(data):
            raise ImageTruncatedError("the PNG file ends before its picture does")
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 12 + length
        if end > len(data):
            raise ImageTruncatedError("the PNG file ends before its picture does")
        kind = data[position + 4 : position + 8]
        if position == len(SIGNATURE) and (kind, length) != (b"IHDR", 13):
            raise ImageUnreadableError("the PNG file is damaged")
        yield kind, data[position:end]
        if kind == b"IEND":
            return
        position = end
    raise ImageTooComplexError("the PNG file has far too many chunks")
