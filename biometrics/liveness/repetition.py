"""Find frames that stand still, and stretches of a capture that come again.

A camera's noise is new in every frame and a living person is never quite still. So two frames of
one scene differ the more, the longer the time between them; frames made from one picture differ by
their noise alone, whatever lies between. That ratio knows no unit and needs no camera's noise.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.types import Image

STILL_MS: Final = 700.0
"""So long nobody sits without any movement: the least ratio of 40 rendered people was 1.4; in 600
ms it was 1.0."""
STILL_FRAMES: Final = 9
"""Of fewer the ratio is too rough."""
HANG_MS: Final = 500.0
"""A camera whose picture stays the very same for as long hangs, or is none."""
STILL_LEAST: Final = 0.97
STILL: Final = 1.008
"""Frames from the two halves of such a stretch differ by so many times as much as neighbours, no
less and no more. 40 stretches of one picture with new noise (standard deviation 0.5 to 8 gray
levels) and JPEG: 0.992 to 1.009; 32 rendered captures with such stretches of 0.7 s and more: 0.995
to 1.003 where they are nearest to 1. Where noise hides all movement, in the dark, it nears 1.
Below, what moved came back: halves 0.90 to 0.96 times as far apart as neighbours were seen in 4 of
130 rendered people."""
STILL_SPREAD: Final = 1.15
"""...and no two of them by more than this many times the median: up to 1.06 in those captures."""
LOOP_MS: Final = 700.0
LOOP_FRAMES: Final = 6
LOOP_EVEN: Final = 1.15
"""A stretch comes again if its frames differ from the former ones by noise: all as much as the
least of them, up to so many times. Rendered recordings with new noise: 1.03 to 1.07."""
LOOP_LIKE: Final = 1.7
"""...and by at most so many times as much as neighbours at rest (5th percentile). Returns of 8
rendered people: 3.1 or more."""
LOOP_MOTION: Final = 4.0
"""...and shows movement: two of its own frames differ by more than this many times as much."""
NEAR_FRAMES: Final = 2
SAME: Final = 0.02
"""Thumbnails that differ by less, RMS in gray levels, are one picture: one of 3,072 values by one
level is 0.018. Whoever alters last bits, so that no digest comes twice, gains nothing."""
MAX_PAIRS: Final = 1 << 18
"""So many differences are looked at together: 2 MiB."""
SHORTEST_MS: Final = 1.0
"""Frames nearer in time count as this far apart: no camera takes a thousand a second."""

FloatMatrix = NDArray[np.float64]


def differences(thumbnails: Sequence[Image]) -> FloatMatrix:
    """Return how far N thumbnails differ from one another: N x N, RMS in gray levels."""
    pictures = np.stack(thumbnails).reshape(len(thumbnails), -1).astype(np.float64)
    pictures -= pictures.mean(axis=0)
    squares = (pictures**2).sum(axis=1)
    apart = squares[:, None] + squares - 2 * pictures @ pictures.T
    return np.asarray(np.sqrt(np.maximum(apart / pictures.shape[1], SAME**2)))


def least_change(apart: FloatMatrix, interval_ms: float) -> float:
    """Return the least ratio of far to near differences in any even stretch of `STILL_MS`.

    Args:
        apart: what `differences` returns, of frames none of which equals the one before.
        interval_ms: from frame to frame.

    Returns:
        About 1 for a still picture with noise; infinity if the capture is shorter, or nothing in
        it is as even as noise.
    """
    frames = max(int(STILL_MS // max(interval_ms, SHORTEST_MS)) + 1, STILL_FRAMES)
    if len(apart) < frames:
        return np.inf
    earlier, later = np.triu_indices(frames, 1)
    lag = later - earlier
    is_near, is_far = lag <= NEAR_FRAMES, lag >= frames // 2
    least = math.inf
    starts, at_once = np.array(_starts(apart, frames)), max(1, MAX_PAIRS // len(lag))
    for first in range(0, len(starts), at_once):
        some = starts[first : first + at_once, None]
        pairs = apart[some + earlier, some + later]
        near, far = pairs[:, is_near].mean(axis=1), pairs[:, is_far].mean(axis=1)
        even = pairs.max(axis=1) <= STILL_SPREAD * np.median(pairs, axis=1)
        ratios = np.where(even & (far >= STILL_LEAST * near), far / near, math.inf)
        least = min(least, float(ratios.min()))
    return least


def disorder(apart: FloatMatrix) -> float:
    """Return how much neighbours differ, as a part of how much any two frames do (medians).

    Near 0 where things move steadily, 1 where any frame might follow any other; 0 where all are
    alike.
    """
    anyhow = float(np.median(apart[np.triu_indices(len(apart), 1)]))
    if apart.max() <= STILL_SPREAD * anyhow:
        return 0.0
    return float(np.median(np.diag(apart, 1))) / anyhow


def closest_return(apart: FloatMatrix, interval_ms: float) -> float:
    """Return how nearly a stretch with movement comes again, forwards or backwards.

    Returns:
        The largest difference between its frames and the former ones, as a multiple of that of
        neighbours at rest; infinity if nothing comes again that differs by noise alone.
    """
    count = len(apart)
    frames = max(LOOP_FRAMES, round(LOOP_MS / max(interval_ms, SHORTEST_MS)))
    if count < 2 * frames:
        return np.inf
    at_rest = float(np.percentile(np.diag(apart, 1), 5))
    motion = np.array([apart[a : a + frames, a : a + frames].max() for a in _starts(apart, frames)])
    moving = (motion > LOOP_MOTION * at_rest)[:, None]
    former, column = np.arange(len(motion))[:, None], np.arange(len(motion))
    comes_again = moving & (column - former >= frames)
    runs_back = moving & (count - 1 - column - former >= 2 * frames - 1)
    closest = np.inf
    for chosen, matrix in ((comes_again, apart), (runs_back, apart[:, ::-1])):
        largest = _aslant(np.maximum, matrix, frames)
        chosen &= largest <= LOOP_EVEN * _aslant(np.minimum, matrix, frames)
        closest = min(closest, float(np.where(chosen, largest, np.inf).min()))
    return closest / at_rest


def _starts(apart: FloatMatrix, frames: int) -> range:
    return range(len(apart) - frames + 1)


def _aslant(choose: np.ufunc, matrix: FloatMatrix, frames: int) -> FloatMatrix:
    """Return at i, j what is chosen of matrix[i, j], matrix[i + 1, j + 1], ..., so many."""
    chosen, reach = matrix, 1
    while reach < frames:
        step = min(reach, frames - reach)
        chosen = choose(chosen[:-step, :-step], chosen[step:, step:])
        reach += step
    return chosen
