"""What the characters of a line are, by the recognition model.

Source: Graves et al. 2006, "Connectionist temporal classification": for each step along the line
the model gives the probability of every character of its vocabulary and of none (the blank).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from devices.mrz_scan.errors import ScannerUnusableError
from devices.mrz_scan.models import FloatArray, OcrModel

ALPHABET: Final = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The characters of the MRZ.

Source: ICAO Doc 9303-3, 4.3.
"""

_VOCABULARY = "character"
"""Key of the model's metadata: the vocabulary, a character a line; the blank comes before it."""


class TextRecogniser:
    """Reads lines that are cut out of a picture."""

    def __init__(self, model: bytes) -> None:
        """Load the recognition model.

        Raises:
            ScannerUnusableError: it cannot be loaded, or its vocabulary lacks a character.
        """
        self._model = OcrModel(model)
        vocabulary = self._model.metadata(_VOCABULARY).split("\n")
        if not set(ALPHABET) <= set(vocabulary):
            raise ScannerUnusableError("the recognition model does not know the MRZ's characters")
        self._size = 1 + len(vocabulary)
        self._columns = [
            [1 + vocabulary.index(shape) for shape in _shapes(character) if shape in vocabulary]
            for character in ALPHABET
        ]

    def read(self, rows: npt.NDArray[np.uint8]) -> FloatArray:
        """Return the probabilities of blank and alphabet.

        Args:
            rows: line by row by column, 48 rows each.

        Returns:
            Line by step by 1 + 37: the blank, then `ALPHABET`, a letter with its small form. What
            the model gives to all else is left out, so a step may sum to less than 1.

        Raises:
            ScannerUnusableError: the model does not answer as it should.
        """
        probabilities = self._model.run(rows)
        if probabilities.ndim != 3 or probabilities.shape[2] < self._size:
            raise ScannerUnusableError("the recognition model answers in another shape")
        blank = probabilities[:, :, 0]
        sums = [probabilities[:, :, columns].sum(axis=2) for columns in self._columns]
        return np.stack([blank, *sums], axis=2)


def _shapes(character: str) -> set[str]:
    """Return what the model may call a character: an MRZ has no small letters and no quotes."""
    return {"<", "〈", "«", "《", "く"} if character == "<" else {character, character.lower()}
