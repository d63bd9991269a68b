"""Which lines of text could be a machine-readable zone, and how to cut its lines out.

Source: ICAO Doc 9303-3, 4.4 (OCR-B size 1: 2.54 mm a character); 9303-4, -5 and -6, 4.2 (lines,
characters a line).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from devices.card_photo import GrayPicture
from devices.mrz_scan.text_lines import TextLine

ROW_HEIGHT_PX = 48
"""What the recognition model takes."""
_ROW_HEIGHT_CHARACTERS = 1.75
"""A row's height by the distance of its characters: capitals with white above and below."""
_MARGIN_CHARACTERS = 0.9
"""White before and after a line: the core of a line of text is shorter than the line."""
_CORE_LOSS_CHARACTERS = 0.7
"""How much shorter the core is than the line's number of characters."""

_LENGTH_RATIO = 0.8
_MAX_SLOPE = 0.1
_MAX_SHIFT = 0.1
"""Of the lines' middles along the lines, as a part of their length."""
_SPACING = (0.035, 0.13)
"""Distance of neighbouring lines as a part of their length: 4.2 mm by 76 mm to 6.4 mm by 76 mm, and
6.35 mm by 112 mm, seen from aslant."""
_SPACING_RATIO = 0.7
_TD2_SPACING = 0.063
"""Half-way between 6.35 mm by 91 mm (TD2) and by 112 mm (TD3)."""
_MAX_BLOCKS = 12
"""A page of text has hundreds of such pairs and triples."""


@dataclass(frozen=True)
class Block:
    """Parallel lines of text of the same length."""

    lines: tuple[TextLine, ...]
    """From top to bottom, each from left to right, if the text is the right way up."""
    formats: tuple[str, ...]
    """Document formats with so many lines, likelier first."""

    def turned(self) -> "Block":
        """Return the block as seen upside down."""
        return Block(tuple(line.reversed() for line in reversed(self.lines)), self.formats)

    def shares_lines_with(self, other: "Block") -> bool:
        """Return whether a line is part of both."""
        return any(
            np.array_equal(mine.middle, theirs.middle)
            for mine in self.lines
            for theirs in other.lines
        )


def find_blocks(lines: Sequence[TextLine]) -> list[Block]:
    """Return what could be a machine-readable zone, likelier first, the likelier way up."""
    pairs = _neighbours(lines)
    blocks: list[Block] = []
    used: set[frozenset[int]] = set()
    for middle in range(len(lines)):
        above = [other for other in range(len(lines)) if pairs.get((middle, other), 0.0) < 0]
        below = [other for other in range(len(lines)) if pairs.get((middle, other), 0.0) > 0]
        for top, bottom in itertools.product(above, below):
            ratio = -pairs[middle, top] / pairs[middle, bottom]
            if _SPACING_RATIO < ratio < 1 / _SPACING_RATIO:
                used |= {frozenset(two) for two in itertools.combinations((top, middle, bottom), 2)}
                blocks.append(_block(lines, middle, (top, middle, bottom), ("TD1",)))
    for (reference, other), spacing in pairs.items():
        if reference < other and frozenset((reference, other)) not in used:
            chosen = (reference, other) if spacing > 0 else (other, reference)
            formats = ("TD2", "TD3") if abs(spacing) > _TD2_SPACING else ("TD3", "TD2")
            blocks.append(_block(lines, reference, chosen, formats))
    blocks.sort(key=lambda block: (-len(block.lines), -block.lines[0].length_px))
    return [_likelier_way_up(block, lines) for block in blocks[:_MAX_BLOCKS]]


def _neighbours(lines: Sequence[TextLine]) -> dict[tuple[int, int], float]:
    """Return the spacing of each pair that could stand one below the other; negative: above."""
    pairs: dict[tuple[int, int], float] = {}
    for (i, line), (j, other) in itertools.permutations(enumerate(lines), 2):
        along, across = _axes(line)
        length = (line.length_px + other.length_px) / 2
        offset = other.middle - line.middle
        parallel = abs((other.end - other.start) @ across) < _MAX_SLOPE * other.length_px
        ratio = line.length_px / other.length_px
        spacing = float(offset @ across) / length
        if (
            parallel
            and _LENGTH_RATIO < ratio < 1 / _LENGTH_RATIO
            and abs(offset @ along) < _MAX_SHIFT * length
            and _SPACING[0] < abs(spacing) < _SPACING[1]
        ):
            pairs[i, j] = spacing
    return pairs


def _axes(line: TextLine) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the unit vectors along a line and from it downwards."""
    along = (line.end - line.start) / line.length_px
    return along, np.array([-along[1], along[0]])


def _block(
    lines: Sequence[TextLine], reference: int, chosen: Sequence[int], formats: tuple[str, ...]
) -> Block:
    """Return a block whose lines all run as the one does that said what is above and below."""
    along, _ = _axes(lines[reference])
    return Block(
        tuple(
            line if (line.end - line.start) @ along > 0 else line.reversed()
            for line in (lines[index] for index in chosen)
        ),
        formats,
    )


def _likelier_way_up(block: Block, lines: Sequence[TextLine]) -> Block:
    """Turn the block so that the document's other text stands above: the MRZ is at its bottom."""
    along, down = _axes(block.lines[0])
    length = block.lines[0].length_px
    side = 0.0
    for line in lines:
        offset = line.middle - block.lines[len(block.lines) // 2].middle
        if abs(offset @ along) < length / 2 and 0.15 < abs(offset @ down) / length < 0.7:
            side += float(np.sign(offset @ down)) * line.length_px
    return block.turned() if side > 0 else block


def cut_rows(picture: GrayPicture, block: Block, characters: int) -> npt.NDArray[np.uint8]:
    """Return the lines of a block, rectified, each in a picture of its own.

    Args:
        picture: what the block was found in.
        block: the lines, the way up that is to be read.
        characters: how many a line has.

    Returns:
        Line by row by column; `ROW_HEIGHT_PX` rows.
    """
    first, last = block.lines[0], block.lines[-1]
    core = characters - _CORE_LOSS_CHARACTERS
    source_pitch = (first.length_px + last.length_px) / 2 / core
    pitch = ROW_HEIGHT_PX / _ROW_HEIGHT_CHARACTERS
    line_distance = float(np.hypot(*(last.middle - first.middle))) / (len(block.lines) - 1)
    distance = line_distance / source_pitch * pitch
    left, right = _MARGIN_CHARACTERS * pitch, (_MARGIN_CHARACTERS + core) * pitch
    top, bottom = ROW_HEIGHT_PX / 2, ROW_HEIGHT_PX / 2 + distance * (len(block.lines) - 1)
    ends = np.array([first.start, first.end, last.end, last.start])
    # A bilinear warp that shrinks skips pixels: shrink by area first, as far as that is needed.
    shrink = min(1.0, 1.2 * pitch / source_pitch)
    cropped, corner = _crop(picture, ends, margin=2 * source_pitch)
    if shrink < 1:
        smaller = cv2.resize(cropped, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        cropped = np.asarray(smaller, np.uint8)
    target = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    view = cv2.getPerspectiveTransform(
        ((ends - corner) * shrink).astype(np.float32), target.astype(np.float32)
    )
    size = (round(right + left), round(bottom + ROW_HEIGHT_PX / 2))
    warped = cv2.warpPerspective(cropped, view, size, borderMode=cv2.BORDER_REPLICATE)
    flat = np.asarray(warped, np.uint8)
    tops = (round(index * distance) for index in range(len(block.lines)))
    return np.stack([_row(flat, top) for top in tops])


def _crop(
    picture: GrayPicture, points: npt.NDArray[np.float64], margin: float
) -> tuple[GrayPicture, npt.NDArray[np.float64]]:
    height, width = picture.shape
    low = np.clip(np.floor(points.min(0) - margin), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(points.max(0) + margin), low + 1, [width, height]).astype(int)
    return picture[low[1] : high[1], low[0] : high[0]], low.astype(np.float64)


def _row(flat: npt.NDArray[np.uint8], top: int) -> npt.NDArray[np.uint8]:
    row = flat[top : top + ROW_HEIGHT_PX]
    missing = ROW_HEIGHT_PX - len(row)
    return np.pad(row, ((0, missing), (0, 0)), mode="edge") if missing else row


def ways_to_read(blocks: Sequence[Block], limit: int) -> Iterator[tuple[Block, str]]:
    """Yield each block with each format it could have, both ways up, at most `limit` in all."""
    tries = (
        (way, name) for block in blocks for name in block.formats for way in (block, block.turned())
    )
    return itertools.islice(tries, limit)
