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
_MAX_MATRIX_PEOPLE: Final = 4096
_LEAST_TAIL: Final = 0.05
"""Part of the highest non-mated scores that is looked at for an equal error rate, at least."""


def draws(people: int, replicates: int = REPLICATES) -> Iterator[Float64Array]:
    """Yield how often each of `people` people was drawn, once a replicate."""
    random = np.random.default_rng(SEED)
    chances = np.full(people, 1 / people)
    for _ in range(replicates):
        yield random.multinomial(people, chances).astype(np.float64)


class _Pairs:
    """How often pairs count in a replicate: all of them, or some of them one by one."""

    def __init__(self, people: tuple[IntArray, IntArray], count: int) -> None:
        self._first, self._second = people
        self._matrix: Float64Array | None = None
        mated = self._first == self._second
        self._mated = np.bincount(self._first[mated], minlength=count).astype(np.float64)
        if count <= _MAX_MATRIX_PEOPLE:  # a sum over pairs of people, not over millions of pairs
            places = self._first[~mated].astype(np.int64) * count + self._second[~mated]
            between = np.bincount(places, minlength=count * count)
            self._matrix = between.reshape(count, count).astype(np.float64)

    def total(self, drawn: Float64Array) -> float:
        """Return how often all pairs count together."""
        if self._matrix is None:
            return float(self.each(drawn, slice(None)).sum())
        return float(drawn @ self._mated + drawn @ self._matrix @ drawn)

    def each(self, drawn: Float64Array, rows: "slice | npt.NDArray[np.intp]") -> Float64Array:
        """Return how often each of some pairs counts."""
        first, second = self._first[rows], self._second[rows]
        return np.asarray(drawn[first] * np.where(first == second, 1.0, drawn[second]))


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
    pairs = _Pairs(people, count)
    # Only the top is ever looked at, but for the total: room for people drawn several times.
    top = _highest(scores, max(1000, int(20 * max(allowed, default=0) * scores.size)))
    found: list[list[float]] = [[] for _ in allowed]
    for drawn in draws(count):
        total, passed = pairs.total(drawn), np.cumsum(pairs.each(drawn, top))
        for part, thresholds in zip(allowed, found, strict=True):
            # The threshold lies just above the first pair that is one too many.
            beyond = int(np.searchsorted(passed, part * total, side="right"))
            thresholds.append(float(scores[top[min(beyond, top.size - 1)]]))
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
    estimate: float,
) -> tuple[float, float]:
    """Return the interval of the equal error rate.

    Args:
        mated: scores of the mated pairs.
        mated_people: the person of each.
        nonmated: scores of the non-mated pairs.
        nonmated_people: indices of both people of each.
        count: how many people there are.
        estimate: the equal error rate itself, which says how far down one must look.
    """
    pairs = _Pairs(nonmated_people, count)
    order = np.argsort(mated, kind="stable")
    genuine, thresholds = mated_people[order], mated[order]
    part = max(_LEAST_TAIL, 20 * estimate)
    top = _highest(nonmated, max(1000, int(part * nonmated.size)))
    # Of the top, how many pairs pass at each mated score taken as a threshold.
    passing = top.size - np.searchsorted(nonmated[top][::-1], thresholds, side="left")
    unseen = thresholds < nonmated[top[-1]] if top.size < nonmated.size else np.zeros(0, bool)
    rates = []
    for drawn in draws(count):
        weights, total = drawn[genuine], pairs.total(drawn)
        if not weights.sum() or not total:
            continue
        rejected = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
        passed = np.concatenate([[0.0], np.cumsum(pairs.each(drawn, top))]) / total
        accepted = np.append(passed[passing], 0.0)
        accepted[: unseen.size][unseen] = 1.0  # below the top: more than is looked at passes
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
    pairs = _Pairs(people, count)
    passing = [np.flatnonzero(scores >= threshold) for threshold in thresholds]
    rates: list[list[float]] = [[] for _ in thresholds]
    for drawn in draws(count):
        total = pairs.total(drawn)
        for place, rows in enumerate(passing):
            if total:
                rates[place].append(float(pairs.each(drawn, rows).sum()) / total)
    intervals = []
    for found in rates:
        low, high = np.percentile(found, INTERVAL_PERCENT) if found else (0.0, 1.0)
        intervals.append((float(low), float(high)))
    return intervals


def _highest(scores: Float64Array, size: int) -> "npt.NDArray[np.intp]":
    """Return the places of the highest scores, from the highest down."""
    size = min(size, scores.size)
    places = np.argpartition(-scores, size - 1)[:size]
    return places[np.argsort(-scores[places], kind="stable")]
