"""Lines of a known number of characters from the model's steps."""

import numpy as np
import pytest

from devices.mrz_scan.alignment import align
from devices.mrz_scan.errors import ScannerUnusableError
from devices.mrz_scan.formats import CITIZEN_CARD, LAYOUTS
from devices.mrz_scan.models import OcrModel
from devices.mrz_scan.recognition import ALPHABET

ANY = [True] * len(ALPHABET)
DIGITS = [c.isdigit() for c in ALPHABET]
LETTERS = [c.isalpha() or c == "<" for c in ALPHABET]


def spikes(text: str, sure: float = 0.99) -> np.ndarray:
    """Return what a model would give for `text`, `.` for the blank: a step a character."""
    steps = np.full((len(text), 1 + len(ALPHABET)), (1 - sure) / len(ALPHABET), np.float32)
    for step, character in enumerate(text):
        steps[step, 0 if character == "." else 1 + ALPHABET.index(character)] = sure
    return steps


def test_equal_neighbours_need_a_blank() -> None:
    line = align(spikes(".A.A<.<.<11."), np.array([ANY] * 6))
    assert line.text == "AA<<<1"
    assert min(line.confidences) > 0.9


def test_a_lost_filler_is_doubted_not_invented() -> None:
    line = align(spikes(".A.<..<.B."), np.array([ANY] * 5))
    assert len(line.text) == 5
    assert min(line.confidences) < 0.1


def test_the_format_decides_between_twins() -> None:
    line = align(spikes(".0.1.O.I."), np.array([LETTERS, LETTERS, DIGITS, DIGITS]))
    assert line.text == "OI01"
    assert min(line.confidences) > 0.9
    assert align(spikes(".0.O."), np.array([ANY, ANY])).text == "0O"


def test_what_may_not_stand_there_is_doubted() -> None:
    line = align(spikes(".7.8."), np.array([LETTERS, DIGITS]))
    assert line.confidences[0] < 0.1
    assert line.confidences[1] > 0.9


def test_fewer_steps_than_characters_is_no_reading() -> None:
    line = align(spikes("A"), np.array([ANY] * 4))
    assert line.confidences == (0.0,) * 4


def test_nothing_read_is_printable() -> None:
    assert "AB" not in repr(align(spikes(".A.B."), np.array([ANY, ANY])))


def test_layouts_have_the_lengths_of_their_formats() -> None:
    lengths = {"TD1": 90, "TD2": 72, "TD3": 88}
    for layout in (*LAYOUTS.values(), CITIZEN_CARD):
        assert len("".join(layout.kinds)) + layout.unread == lengths[layout.format]
        assert {len(line) for line in layout.kinds} == {layout.line_length}


@pytest.mark.parametrize("model", [b"", b"no model", b"\x08\x07" * 100])
def test_a_file_that_is_no_model(model: bytes) -> None:
    with pytest.raises(ScannerUnusableError):
        OcrModel(model)
