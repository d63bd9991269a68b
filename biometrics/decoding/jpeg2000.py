"""What a JPEG 2000 codestream would cost to decode. Source: ITU-T T.800 | ISO/IEC 15444-1, annex A.

A decoder allocates every tile, precinct and code-block that the headers announce, whether or not
data for it come: 150 bytes can announce gigabytes.
"""

import struct
from dataclasses import dataclass
from typing import Final

from biometrics.decoding.errors import (
    ImageTooComplexError,
    ImageTruncatedError,
    ImageUnreadableError,
)
from biometrics.decoding.prepared import PreparedFile

JP2_SIGNATURE: Final = b"\0\0\0\x0cjP  \r\n\x87\n"
SOC_SIZ: Final = b"\xff\x4f\xff\x51"

MAX_CODESTREAMS: Final = 4
"""A thumbnail beside the picture, and chance."""
MAX_COMPONENTS: Final = 4
MAX_TILES: Final = 256
MAX_PARTS: Final = 64 * MAX_TILES
MAX_CODE_BLOCKS: Final = 200_000
"""About half a kilobyte each; 4 million pixels in colour in blocks of 16 x 16 are 47,000."""
MAX_PACKETS: Final = 200_000
"""Layers x precincts x progressions."""

_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9
_COD, _COC, _POC = 0xFF52, 0xFF53, 0xFF5F


@dataclass(frozen=True)
class _Frame:
    """SIZ, A.5.1."""

    width: int
    height: int
    components: int
    tile_width: int
    """As wide as the picture if the tile is wider."""
    tile_height: int
    tiles: int


def prepare_jpeg2000(data: bytes) -> PreparedFile:
    """Check every codestream in a JP2 file, or the codestream that the file is.

    Raises:
        ImageTruncatedError: tiles are missing or end early.
        ImageTooComplexError: it announces more than any chip or camera writes.
        ImageUnreadableError: the markers make no codestream.
    """
    start = data.find(SOC_SIZ)
    if start < 0:
        raise ImageTruncatedError("the JPEG 2000 file ends before its picture begins")
    for _ in range(MAX_CODESTREAMS):
        try:
            _check_codestream(data, start)
        except struct.error:
            raise ImageTruncatedError("the JPEG 2000 file ends before its picture does") from None
        except (ValueError, IndexError):
            raise ImageUnreadableError("the JPEG 2000 file is damaged") from None
        start = data.find(SOC_SIZ, start + len(SOC_SIZ))
        if start < 0:
            return PreparedFile(data)
    raise ImageTooComplexError("the JPEG 2000 file holds too many pictures")


def _check_codestream(data: bytes, start: int) -> None:
    frame = _parse_size(data, start + 4)
    position, progressions, packets, blocks = start + 2, 1, 0, 0
    seen: set[int] = set()
    part_end = None
    for _ in range(MAX_PARTS):
        marker, length = struct.unpack_from(">HH", data, position)
        body = data[position + 4 : position + 2 + length]
        if marker == _SOT:
            tile, size = struct.unpack_from(">HI", body)
            part_end = position + size if size else data.rfind(b"\xff\xd9")
            if part_end > len(data):
                raise ImageTruncatedError("the JPEG 2000 file ends before its picture does")
            seen.add(tile)
        elif marker in (_COD, _COC):
            costs = _coding_costs(marker, body, frame)
            packets, blocks = max(packets, costs[0]), max(blocks, costs[1])
        elif marker == _POC:
            # A.6.6: an entry each time that the order of the packets changes.
            progressions += len(body) // 7
        if packets * progressions > MAX_PACKETS or blocks > MAX_CODE_BLOCKS:
            raise ImageTooComplexError("the JPEG 2000 file is cut into far too many pieces")
        if marker != _SOD:
            position += 2 + length
            continue
        if part_end is None or part_end < position + 2:
            raise ValueError
        position = part_end
        if position == len(data) or data[position : position + 2] == b"\xff\xd9":
            break
    else:
        raise ImageTooComplexError("the JPEG 2000 file has far too many parts")
    if len(seen) < frame.tiles:
        raise ImageTruncatedError("the JPEG 2000 file ends before its picture does")


def _parse_size(data: bytes, position: int) -> _Frame:
    """Parse SIZ at its length field; A.5.1."""
    fields = struct.unpack_from(">HHIIIIIIIIH", data, position)
    _, _, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, count = fields
    if not (right > left >= tile_left and bottom > top >= tile_top and tile_width and tile_height):
        raise ValueError
    if not 1 <= count <= MAX_COMPONENTS:
        raise ImageTooComplexError(f"the JPEG 2000 file has {count} components")
    # B.3: tiles are counted from the tiles' origin, which may lie outside the picture.
    columns = -(-(right - tile_left) // tile_width)
    rows = -(-(bottom - tile_top) // tile_height)
    if columns * rows > MAX_TILES:
        raise ImageTooComplexError(f"the JPEG 2000 file has {columns * rows} tiles")
    width, height = right - left, bottom - top
    tile = min(tile_width, width), min(tile_height, height)
    return _Frame(width, height, count, *tile, columns * rows)


def _coding_costs(marker: int, body: bytes, frame: _Frame) -> tuple[int, int]:
    """Return packets and code-blocks of the picture, if all of it is coded so.

    COD, A.6.1: style, progression, layers, transformation, then the parameters. COC, A.6.2:
    component, style, then the parameters; its layers are those of COD, which comes first.
    """
    own_precincts = body[0 if marker == _COD else 1] & 1
    layers = struct.unpack_from(">H", body, 2)[0] if marker == _COD else 1
    levels, block_width, block_height, _, _ = body[5:10] if marker == _COD else body[2:7]
    sizes = body[10 if marker == _COD else 7 :]
    packets = blocks = 0
    for level in range(levels + 1):
        shrink = min(levels - level, 32)
        width = (frame.tile_width >> shrink) + 2
        height = (frame.tile_height >> shrink) + 2
        across, down = (sizes[level] & 15, sizes[level] >> 4) if own_precincts else (15, 15)
        precincts = ((width >> across) + 1) * ((height >> down) + 1)
        # B.7: a code-block lies within its precinct, which is half as large in a sub-band.
        inner = 1 if level else 0
        columns = 1 << min(block_width % 16 + 2, max(across - inner, 0))
        rows = 1 << min(block_height % 16 + 2, max(down - inner, 0))
        packets += precincts * layers
        blocks += max(precincts, -(-width // columns) * -(-height // rows))
    return packets * frame.components * frame.tiles, blocks * frame.components * frame.tiles
