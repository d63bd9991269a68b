"""The likeliest line of a known number of characters, and how sure each of them is."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from devices.mrz_scan.models import FloatArray
from devices.mrz_scan.recognition import ALPHABET

TWINS = ("O0", "I1")
"""Characters whose shapes in OCR-B the model cannot tell apart for certain."""

_FLOOR = 1e-9
_STAY, _FROM_BLANK, _FROM_CHARACTER = range(3)


@dataclass(frozen=True)
class AlignedLine:
    """A line of characters laid along the model's steps."""

    text: str = field(repr=False)
    confidences: tuple[float, ...]
    """A character each: the probability that the model gives it or its twin, 0 to 1."""


def align(probabilities: FloatArray, allowed: npt.NDArray[np.bool_]) -> AlignedLine:
    """Return the likeliest line with as many characters as `allowed` has rows.

    Viterbi over connectionist temporal classification, with the number of characters known: a run
    of equal characters (the fillers) cannot lose or gain one unnoticed.

    Args:
        probabilities: step by 1 + 37, blank first.
        allowed: position by 37, the characters that may stand there. Where the one of O and 0 may,
            and the other not, it takes the other's probability too; so for I and 1: the format has
            decided what the shapes cannot.

    Returns:
        The line; with confidences of 0 where there are too few steps for any.
    """
    folded = _with_twins(probabilities[:, 1:], allowed)
    blank = np.log(np.maximum(probabilities[:, 0], _FLOOR))
    path = _likeliest_path(blank, np.where(allowed, np.log(np.maximum(folded, _FLOOR)), -np.inf))
    if path is None:
        return AlignedLine("<" * len(allowed), (0.0,) * len(allowed))
    text, confidences = "", []
    for position in range(len(allowed)):
        (held,) = np.nonzero(path[:, 0] == position)
        character = path[held[0], 1]
        text += ALPHABET[character]
        confidences.append(float(folded[held, position, character].max()))
    return AlignedLine(text, tuple(confidences))


def _with_twins(
    probabilities: FloatArray, allowed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return step by position by 37: probabilities, with those of forbidden twins added."""
    folded = np.repeat(probabilities[:, None].astype(np.float64), len(allowed), axis=1)
    for pair in TWINS:
        one, other = (ALPHABET.index(character) for character in pair)
        for here, there in ((one, other), (other, one)):
            takes = allowed[:, here] & ~allowed[:, there]
            folded[:, takes, here] += probabilities[:, None, there]
    return folded


def _likeliest_path(
    blank: npt.NDArray[np.float64], emit: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp] | None:
    """Return position and character of each step, position -1 for the blank; None: there is no way.

    Args:
        blank: log probability by step.
        emit: log probability by step, position and character; -inf where it may not stand.
    """
    steps, positions, characters = emit.shape
    every = np.arange(positions)
    in_blank = np.full(positions + 1, -np.inf)  # by the number of characters before
    in_blank[0] = blank[0]
    in_character = np.full((positions, characters), -np.inf)
    in_character[0] = emit[0, 0]
    ways = np.full((3, positions, characters), -np.inf)
    way = np.zeros((steps, positions, characters), np.int8)
    best = np.zeros((steps, positions), np.intp)
    second = np.zeros((steps, positions), np.intp)
    blank_stays = np.zeros((steps, positions + 1), np.bool_)
    for step in range(1, steps):
        best[step] = in_character.argmax(1)
        top = in_character[every, best[step]]
        rest = in_character.copy()
        rest[every, best[step]] = -np.inf
        second[step] = rest.argmax(1)
        ways[_STAY] = in_character
        ways[_FROM_BLANK] = in_blank[:-1, None]
        # Two equal characters need a blank between them; different ones do not.
        ways[_FROM_CHARACTER, 1:] = top[:-1, None]
        ways[_FROM_CHARACTER, every[1:], best[step, :-1]] = rest.max(1)[:-1]
        way[step] = ways.argmax(0)
        ended = np.concatenate([[-np.inf], top])
        blank_stays[step] = in_blank >= ended
        in_blank = blank[step] + np.maximum(in_blank, ended)
        in_character = emit[step] + ways.max(0)

    path = np.full((steps, 2), -1, np.intp)
    position, character = positions - 1, int(in_character[-1].argmax())
    blanks = in_blank[positions] >= in_character[-1, character]
    if max(in_blank[positions], in_character[-1, character]) == -np.inf:
        return None
    for step in range(steps - 1, -1, -1):
        if blanks:
            if step and not blank_stays[step, position + 1]:
                blanks, character = False, int(best[step, position])
            continue
        path[step] = position, character
        taken = way[step, position, character]
        if step and taken != _STAY:
            position -= 1
            blanks = taken == _FROM_BLANK
            if not blanks:
                first = int(best[step, position])
                character = first if first != character else int(second[step, position])
    return path
