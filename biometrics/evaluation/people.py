"""Who is who in a pair list: by its columns, by file names that agree with it, or by its pairs."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from biometrics.evaluation.errors import PairListInvalidError

IntArray = npt.NDArray[np.int32]

_NUMBERED: Final = re.compile(r"(?s)(?P<person>.+)_[0-9]+\.[A-Za-z0-9]+")
"""`Name_0001.jpg`, the way in which LFW and many others number the pictures of a person."""


def identify(
    pictures: Sequence[str],
    named: Sequence[str] | None,
    reference: IntArray,
    probe: IntArray,
    mated: npt.NDArray[np.bool_],
    file: str,
) -> tuple[bool, IntArray]:
    """Return whether people are known, and the person of each picture as a number.

    People are those that the list names; else those of file names as `Name_0001.jpg`, if no pair
    contradicts them; else pictures are joined by mated pairs, and people are not known: two
    pictures that no mated pair joins may still show one person.

    Raises:
        PairListInvalidError: by mated pairs, both pictures of a non-mated pair show one person.
    """
    if named is not None:
        return True, _numbered(named)
    joined = _join(len(pictures), reference[mated], probe[mated])
    if (joined[reference[~mated]] == joined[probe[~mated]]).any():
        raise PairListInvalidError(
            f"{file}: two pictures are non-mated, but mated pairs join them to one person"
        )
    matches = [_NUMBERED.fullmatch(name) for name in pictures]
    if all(matches):
        guessed = _numbered([match["person"] for match in matches if match])
        if np.array_equal(guessed[reference] == guessed[probe], mated):
            return True, guessed
    return False, joined


def _numbered(names: Sequence[str]) -> IntArray:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int32)


def _join(count: int, first: IntArray, second: IntArray) -> IntArray:
    """Return the connected components of pictures that mated pairs join, numbered from 0."""
    root = list(range(count))

    def find(index: int) -> int:
        while root[index] != index:
            root[index] = root[root[index]]
            index = root[index]
        return index

    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        root[find(a)] = find(b)
    return _numbered([str(find(index)) for index in range(count)])
