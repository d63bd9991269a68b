"""How good log-likelihood ratios are: Cllr, and its least value under any monotone map.

Source: Brümmer and du Preez, "Application-independent evaluation of speaker detection", Computer
Speech & Language 20, 2006, eq. 1 and section 4.
"""

import math

import numpy as np
import numpy.typing as npt

from biometrics.evaluation.error_rates import check_scores


def cllr(mated: npt.ArrayLike, nonmated: npt.ArrayLike) -> float:
    """Return the cost in bits of natural log-likelihood ratios: 0 is perfect, 1 says nothing.

    Raises:
        ScoresInvalidError: one class is empty, or a ratio is not a finite number.
    """
    genuine, impostor = check_scores(mated, "mated"), check_scores(nonmated, "non-mated")
    missed = np.logaddexp(0, -genuine).mean()
    accepted = np.logaddexp(0, impostor).mean()
    return float(missed + accepted) / (2 * math.log(2))


def cllr_min(mated: npt.ArrayLike, nonmated: npt.ArrayLike) -> float:
    """Return the cost that is left after the best monotone map, by pool adjacent violators.

    Raises:
        ScoresInvalidError: one class is empty, or a score is not a finite number.
    """
    genuine, impostor = check_scores(mated, "mated"), check_scores(nonmated, "non-mated")
    cost = 0.0
    for mated_count, nonmated_count in _pools(genuine, impostor):
        # Within a pool the posterior at equal priors is m / (m + n), m and n as parts of a class.
        m, n = mated_count / genuine.size, nonmated_count / impostor.size
        cost += m * math.log2(1 + n / m) if m else 0.0
        cost += n * math.log2(1 + m / n) if n else 0.0
    return cost / 2


def _pools(genuine: npt.NDArray[np.float64], impostor: npt.NDArray[np.float64]) -> list[list[int]]:
    """Return (mated, non-mated) counts of the isotonic regression's pools, by rising score."""
    levels, mated_counts = np.unique(genuine, return_counts=True)
    # Between two mated levels all non-mated scores fall into one pool; at a level, ties pool.
    ordered = np.sort(impostor)
    low = np.searchsorted(ordered, levels, side="left")
    high = np.searchsorted(ordered, levels, side="right")
    pools: list[list[int]] = []
    done = 0
    for mated_count, start, end in zip(mated_counts, low, high, strict=True):
        _push(pools, 0, int(start) - done)
        _push(pools, int(mated_count), int(end - start))
        done = int(end)
    _push(pools, 0, impostor.size - done)
    return pools


def _push(pools: list[list[int]], mated: int, nonmated: int) -> None:
    """Add a pool, and merge from the end while the part of mated pairs does not rise."""
    if not mated and not nonmated:
        return
    pools.append([mated, nonmated])
    while len(pools) > 1:
        (m1, n1), (m2, n2) = pools[-2:]
        if m1 * (m2 + n2) < m2 * (m1 + n1):
            return
        pools[-2:] = [[m1 + m2, n1 + n2]]
