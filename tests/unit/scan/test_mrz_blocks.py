"""Lines that belong together, whichever way each of them was found to run."""

import itertools

import numpy as np
import pytest

from devices.mrz_scan.blocks import ROW_HEIGHT_PX, cut_rows, find_blocks, ways_to_read
from devices.mrz_scan.text_lines import TextLine


def _line(y: float, *, turn_deg: float = 0.0, backwards: bool = False, x: float = 0.0) -> TextLine:
    angle = np.radians(turn_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    ends = [turn @ np.array([x + offset, y]) + 1000 for offset in (-300, 300)]
    return TextLine(*(reversed(ends) if backwards else ends))


@pytest.mark.parametrize("turn_deg", [0, 30, 90, 135, 180, 271])
@pytest.mark.parametrize("backwards", list(itertools.product([False, True], repeat=3)))
def test_three_lines_are_never_mirrored(turn_deg: int, backwards: tuple[bool, ...]) -> None:
    lines = [
        _line(y, turn_deg=turn_deg, backwards=flag)
        for y, flag in zip((0, 40, 80), backwards, strict=True)
    ]
    (block,) = find_blocks(lines)
    assert block.formats == ("TD1",)
    first, last = block.lines[0], block.lines[-1]
    along, down = first.end - first.start, last.middle - first.middle
    assert along[0] * down[1] - along[1] * down[0] > 0
    assert all((line.end - line.start) @ along > 0 for line in block.lines)
    again = block.turned().turned()
    assert np.array_equal(again.lines[0].start, first.start)


@pytest.mark.parametrize("backwards", list(itertools.product([False, True], repeat=2)))
def test_two_lines_are_one_block(backwards: tuple[bool, ...]) -> None:
    lines = [_line(y, backwards=flag) for y, flag in zip((0, 40), backwards, strict=True)]
    (block,) = find_blocks(lines)
    assert block.formats == ("TD2", "TD3")
    (closer,) = find_blocks([_line(0), _line(34)])
    assert closer.formats == ("TD3", "TD2")


@pytest.mark.parametrize("backwards", [False, True])
def test_the_other_text_stands_above(backwards: bool) -> None:
    zone = [_line(y, backwards=backwards) for y in (0, 40, 80)]
    for y, upside_down in ((-150, False), (230, True)):
        other = TextLine(np.array([900.0, 1000 + y]), np.array([1050.0, 1000 + y]))
        (block,) = find_blocks([*zone, other])
        assert (block.lines[0].end[0] < block.lines[0].start[0]) == upside_down


def test_what_is_no_zone() -> None:
    assert find_blocks([]) == []
    assert find_blocks([_line(0)]) == []
    assert find_blocks([_line(0), _line(300)]) == []  # too far apart
    assert find_blocks([_line(0), _line(40, turn_deg=20)]) == []
    assert find_blocks([_line(0), _line(40, x=400)]) == []


def test_a_page_of_text_is_bounded() -> None:
    blocks = find_blocks([_line(8 * n) for n in range(60)])
    assert 0 < len(blocks) <= 12
    assert len(list(ways_to_read(blocks, 6))) == 6


@pytest.mark.parametrize("shift", [0, -900, 5000])
def test_rows_that_leave_the_picture(shift: float) -> None:
    lines = [_line(y + shift) for y in (0, 40, 80)]
    (block,) = find_blocks(lines)
    rows = cut_rows(np.full((1100, 1100), 200, np.uint8), block, 30)
    assert rows.shape[:2] == (3, ROW_HEIGHT_PX)
