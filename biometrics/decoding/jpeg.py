"""The segments of a JPEG file. Source: ITU-T T.81 | ISO/IEC 10918-1, annex B."""

import re
import struct
from dataclasses import dataclass, field
from typing import Final

from biometrics.decoding.errors import (
    ImageTooComplexError,
    ImageTruncatedError,
    ImageUnreadableError,
)
from biometrics.decoding.exif import read_orientation
from biometrics.decoding.prepared import PreparedFile

MAX_SEGMENTS: Final = 5_000
"""An ICC profile takes at most 255, a phone's maker notes and depth maps a few hundred."""
MAX_SCANS: Final = 64
"""Encoders write about ten. Each one, however short, costs a walk over the whole picture."""

# T.81 B.1.1.2: a marker is FF and neither 00 (stuffing) nor FF (fill); RSTm stay within a scan. The
# fill before it is not matched: `\xff+` would look at each byte of a long fill from each before it.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_SOI, _EOI, _SOS, _APP0, _APP1, _APP14, _TEM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xEE, 0x01
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE_FRAMES = {0xC2, 0xC6, 0xCA, 0xCE}
_SEQUENTIAL_HUFFMAN_FRAMES = {0xC0, 0xC1}
_TABLES = {0xC4, 0xCC, 0xDB, 0xDD}

_READ_AHEAD: Final = bytes(8)
"""libjpeg looks up to eight bytes ahead of the code it decodes."""


@dataclass
class _Coverage:
    """Which coefficients of which component have come, and to which bit."""

    progressive: bool
    components: tuple[int, ...]
    missing_bits: dict[int, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.missing_bits = {component: [16] * 64 for component in self.components}

    def add(self, scan: bytes) -> None:
        """Take a scan's header: T.81 B.2.3."""
        count = scan[0]
        chosen = scan[1 : 1 + 2 * count : 2]
        first, last, bits = scan[1 + 2 * count : 4 + 2 * count]
        if not self.progressive:
            first, last, bits = 0, 63, 0
        if last > 63 or not set(chosen) <= set(self.components):
            raise ValueError
        for component in chosen:
            for coefficient in range(first, last + 1):
                self.missing_bits[component][coefficient] = bits & 0x0F

    @property
    def complete(self) -> bool:
        return not any(any(bits) for bits in self.missing_bits.values())


def prepare_jpeg(data: bytes) -> PreparedFile:
    """Walk the segments up to the end of the first picture.

    Further pictures (MPO, a thumbnail behind the photo), profiles and comments are left out. A
    picture of one scan is handed on without its end: a decoder that finds the end early fills what
    is missing with gray and says nothing, one that waits for more data says so.

    Raises:
        ImageTruncatedError: the picture's data end early, or scans of it are missing.
        ImageTooComplexError: more segments or scans than any camera writes.
        ImageUnreadableError: the segments make no picture.
    """
    try:
        return _prepare(data)
    except (IndexError, ValueError, struct.error):
        raise ImageUnreadableError("the JPEG file is damaged") from None


def _prepare(data: bytes) -> PreparedFile:
    kept = [b"\xff\xd8"]
    orientation, scans, position = 1, 0, 2
    coverage: _Coverage | None = None
    streamed = False
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None:
            break
        marker, position = found[1][0], found.end()
        if marker == _EOI:
            break
        if marker in (_SOI, _TEM):
            continue
        body = _segment(data, position)
        segment = b"\xff" + found[1] + data[position : position + 2 + len(body)]
        position += 2 + len(body)
        if marker in _FRAMES:
            if coverage is not None:
                raise ValueError
            streamed = marker in _SEQUENTIAL_HUFFMAN_FRAMES
            coverage = _Coverage(
                marker in _PROGRESSIVE_FRAMES, tuple(body[6 : 6 + 3 * body[5] : 3])
            )
        elif marker == _APP1 and body.startswith(b"Exif\0\0") and orientation == 1:
            orientation = read_orientation(body)
        if marker == _SOS:
            if coverage is None:
                raise ValueError
            scans += 1
            coverage.add(body)
            following = _MARKER.search(data, position)
            end = following.start() if following else len(data)
            scan = data[position:end]
            kept.append(segment + (scan.rstrip(b"\xff") if following else scan))
            position = end
            if coverage.complete:
                break
            if scans == MAX_SCANS:
                raise ImageTooComplexError("the JPEG file has far too many scans")
        elif marker in _FRAMES | _TABLES or _tells_colours(marker, body):
            kept.append(segment)
    else:
        raise ImageTooComplexError("the JPEG file has far too many segments")
    whole = coverage is not None and coverage.components and coverage.complete
    if not whole or data.find(b"\xff\xd9", position) < 0:
        raise ImageTruncatedError("the JPEG file ends before its picture does")
    streamed = streamed and scans == 1
    kept.append(_READ_AHEAD if streamed else b"\xff\xd9")
    return PreparedFile(b"".join(kept), orientation, streamed)


def _segment(data: bytes, position: int) -> bytes:
    (length,) = struct.unpack_from(">H", data, position)
    body = data[position + 2 : position + length]
    if length < 2:
        raise ValueError
    if len(body) < length - 2:
        raise ImageTruncatedError("the JPEG file ends before its picture does")
    return body


def _tells_colours(marker: int, body: bytes) -> bool:
    jfif = marker == _APP0 and body.startswith(b"JFIF\0")
    return jfif or (marker == _APP14 and body.startswith(b"Adobe"))
