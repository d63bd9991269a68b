"""Intervals by drawing people again: pairs that share a person are not independent.

Each replicate draws as many people as there are, with replacement, from a fixed seed. A mated pair
counts as often as its person was drawn, a non-mated one as often as both of its people were.
Source: ISO/IEC 19795-1:2021, annex B; Bolle, Ratha and Pankanti, "Error analysis of pattern
recognition systems: the subsets bootstrap", 2004.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]

REPLICATES: Final = 200
SEED: Final = 19795
INTERVAL_PERCENT: Final = (2.5, 97.5)


def draws(people: int, replicates: int = REPLICATES) -> Iterator[Float64Array]:
    """Yield how often each of `people` people was drawn, once a replicate."""
    random = np.random.default_rng(SEED)
    chances = np.full(people, 1 / people)
    for _ in range(replicates):
        yield random.multinomial(people, chances).astype(np.float64)


def threshold_intervals(
    scores: Float64Array,
    people: tuple[IntArray, IntArray],
    count: int,
    allowed: Sequence[float],
) -> list[tuple[float, float]]:
    """Return the intervals of the thresholds that let given parts of the non-mated pairs pass.

    Args:
        scores: of the non-mated pairs.
        people: indices of both people of each pair.
        count: how many people there are.
        allowed: parts of the pairs that may lie at or above each threshold.
    """
    first, second = people
    # Only the top is ever looked at, but for the total: room for people drawn several times.
    size = min(scores.size, max(1000, int(20 * max(allowed, default=0) * scores.size)))
    top = np.argpartition(-scores, size - 1)[:size]
    top = top[np.argsort(-scores[top], kind="stable")]
    top_scores, top_first, top_second = scores[top], first[top], second[top]
    found: list[list[float]] = [[] for _ in allowed]
    for drawn in draws(count):
        total = float(drawn[first] @ drawn[second])
        passed = np.cumsum(drawn[top_first] * drawn[top_second])
        for part, thresholds in zip(allowed, found, strict=True):
            # The threshold lies just above the first pair that is one too many.
            beyond = int(np.searchsorted(passed, part * total, side="right"))
            thresholds.append(float(top_scores[min(beyond, size - 1)]))
    intervals = []
    for thresholds in found:
        low, high = np.percentile(thresholds, INTERVAL_PERCENT, method="nearest")
        intervals.append((float(low), float(high)))
    return intervals


def eer_interval(
    mated: Float64Array,
    mated_people: IntArray,
    nonmated: Float64Array,
    nonmated_people: tuple[IntArray, IntArray],
    count: int,
) -> tuple[float, float]:
    """Return the interval of the equal error rate."""
    scores = np.concatenate([mated, nonmated])
    order = np.argsort(scores, kind="stable")
    is_mated = order < mated.size
    genuine = mated_people[order[is_mated]]
    others = order[~is_mated] - mated.size
    first, second = nonmated_people[0][others], nonmated_people[1][others]
    # Each mated score is a threshold: how many non-mated scores lie below it.
    below = np.cumsum(~is_mated)[is_mated]
    rates = []
    for drawn in draws(count):
        weights = drawn[genuine]
        impostors = np.concatenate([[0.0], np.cumsum(drawn[first] * drawn[second])])
        if not weights.sum() or not impostors[-1]:
            continue
        rejected = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
        accepted = 1 - np.append(impostors[below], impostors[-1]) / impostors[-1]
        # At the i-th mated score, the mated ones before it are rejected.
        crossed = int(np.argmax(rejected >= accepted))
        # The rates are steps: where one jumps over the other, the other one is where they meet.
        before = accepted[crossed - 1] if crossed else rejected[0]
        rates.append(float(min(rejected[crossed], before)))
    if not rates:
        return 0.0, 1.0
    low, high = np.percentile(rates, INTERVAL_PERCENT)
    return float(low), float(high)


def rate_intervals(
    scores: Float64Array,
    people: tuple[IntArray, IntArray],
    count: int,
    thresholds: Sequence[float],
) -> list[tuple[float, float]]:
    """Return the intervals of the part of pairs at or above each of some thresholds.

    Args:
        scores: minus infinity where a pair has none.
        people: indices of both people of each pair; a mated pair counts as often as its person.
        count: how many people there are.
        thresholds: fixed ones, not chosen on these scores.
    """
    first, second = people
    passing = [np.flatnonzero(scores >= threshold) for threshold in thresholds]
    rates: list[list[float]] = [[] for _ in thresholds]
    for drawn in draws(count):
        total = _weight(drawn, first, second)
        for place, rows in enumerate(passing):
            if total:
                rates[place].append(_weight(drawn, first[rows], second[rows]) / total)
    intervals = []
    for found in rates:
        low, high = np.percentile(found, INTERVAL_PERCENT) if found else (0.0, 1.0)
        intervals.append((float(low), float(high)))
    return intervals


def _weight(drawn: Float64Array, first: IntArray, second: IntArray) -> float:
    """Return how often these pairs count, of which each is either mated or not."""
    weights = drawn[first]
    return float((weights * np.where(first == second, 1.0, drawn[second])).sum())
