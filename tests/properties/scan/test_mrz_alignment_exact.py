"""The alignment is the likeliest of all, by counting all."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.mrz_scan.alignment import align
from devices.mrz_scan.recognition import ALPHABET


def _likeliest(probabilities: np.ndarray, characters: str, count: int) -> float:
    """Return the probability of the likeliest path over blank and `characters`."""
    columns = [0, *(1 + ALPHABET.index(c) for c in characters)]
    best = 0.0
    for path in itertools.product(columns, repeat=len(probabilities)):
        if sum(1 for c, _ in itertools.groupby(path) if c) == count:
            best = max(best, float(np.prod([probabilities[t, c] for t, c in enumerate(path)])))
    return best


def _of_text(probabilities: np.ndarray, text: str) -> float:
    """Return the probability of the likeliest path that collapses to `text`."""
    best = 0.0
    columns = [0, *(1 + ALPHABET.index(c) for c in sorted(set(text)))]
    for path in itertools.product(columns, repeat=len(probabilities)):
        if "".join(ALPHABET[c - 1] for c, _ in itertools.groupby(path) if c) == text:
            best = max(best, float(np.prod([probabilities[t, c] for t, c in enumerate(path)])))
    return best


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(0, 2))
def test_no_line_of_that_length_is_likelier(seed: int, count: int, spare: int) -> None:
    rng = np.random.default_rng(seed)
    characters = "<A7"
    steps = 2 * count - 1 + spare  # room for a blank between equal characters
    probabilities = np.full((steps, 1 + len(ALPHABET)), 1e-12, np.float32)
    used = [0, *(1 + ALPHABET.index(c) for c in characters)]
    probabilities[:, used] = rng.dirichlet([0.3] * 4, steps) + 1e-6
    allowed = np.array([[c in characters for c in ALPHABET]] * count)
    line = align(probabilities, allowed)
    assert len(line.text) == len(line.confidences) == count
    assert np.isclose(
        _of_text(probabilities, line.text), _likeliest(probabilities, characters, count), rtol=1e-4
    )
