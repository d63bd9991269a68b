"""Error rates of comparison scores. Terms: ISO/IEC 19795-1:2021, ISO/IEC 2382-37.

Higher scores mean more alike; a pair matches where its score is at or above the threshold, so equal
scores are always decided alike. Scores must be finite: a pair without a score (failure to acquire)
is counted by the caller and never enters here as a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biometrics.evaluation.errors import ScoresInvalidError
from biometrics.evaluation.intervals import Proportion

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DetCurve:
    """The detection error trade-off: every pair of rates that some threshold gives.

    Sorted by threshold: `fmr` never rises, `fnmr` never falls. The first point accepts every pair,
    the last one none (its threshold is infinite).
    """

    thresholds: Float64Array
    fmr: Float64Array
    fnmr: Float64Array


@dataclass(frozen=True)
class FoldAccuracy:
    """Accuracy on one fold at the threshold chosen on the others."""

    fold: str
    threshold: float
    correct: Proportion


@dataclass(frozen=True)
class CrossValidation:
    """Accuracy over all folds, each judged at a threshold that the others chose."""

    folds: tuple[FoldAccuracy, ...]

    @property
    def mean(self) -> float:
        """Return the mean of the folds' accuracies."""
        return float(np.mean([self._value(fold) for fold in self.folds]))

    @property
    def standard_error(self) -> float:
        """Return the standard error of the mean over the folds."""
        values = [self._value(fold) for fold in self.folds]
        return float(np.std(values, ddof=1) / np.sqrt(len(values)))

    @property
    def correct(self) -> Proportion:
        """Return all pairs that were judged correctly."""
        return Proportion(
            sum(fold.correct.count for fold in self.folds),
            sum(fold.correct.total for fold in self.folds),
        )

    @staticmethod
    def _value(fold: FoldAccuracy) -> float:
        return fold.correct.count / fold.correct.total


def check_scores(scores: npt.ArrayLike, what: str) -> Float64Array:
    """Return the scores as a flat array of finite numbers.

    Raises:
        ScoresInvalidError: there is none, or one is not a finite number.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise ScoresInvalidError(f"there are no {what} comparisons: no rate can be computed")
    if not np.isfinite(values).all():
        raise ScoresInvalidError(f"a {what} score is not a finite number")
    return values


def false_matches(nonmated: npt.ArrayLike, threshold: float) -> Proportion:
    """Return the false match rate: non-mated pairs at or above the threshold."""
    values = check_scores(nonmated, "non-mated")
    return Proportion(int(np.count_nonzero(values >= threshold)), values.size)


def false_non_matches(mated: npt.ArrayLike, threshold: float) -> Proportion:
    """Return the false non-match rate: mated pairs below the threshold."""
    values = check_scores(mated, "mated")
    return Proportion(int(np.count_nonzero(values < threshold)), values.size)


def det_curve(mated: npt.ArrayLike, nonmated: npt.ArrayLike) -> DetCurve:
    """Return the DET curve of two samples of scores.

    Raises:
        ScoresInvalidError: one is empty, or holds what is not a finite number.
    """
    genuine = np.sort(check_scores(mated, "mated"))
    impostor = np.sort(check_scores(nonmated, "non-mated"))
    seen = np.unique(np.concatenate([genuine, impostor]))
    thresholds = np.append(seen, np.inf)
    rejected_genuine = np.searchsorted(genuine, thresholds, side="left")
    rejected_impostor = np.searchsorted(impostor, thresholds, side="left")
    return DetCurve(
        thresholds,
        (impostor.size - rejected_impostor) / impostor.size,
        rejected_genuine / genuine.size,
    )


def equal_error_rate(curve: DetCurve) -> tuple[float, float]:
    """Return the equal error rate and its threshold.

    Between the two neighbouring thresholds where the rates cross, both are taken as straight lines;
    where they meet at a threshold, that is the rate.
    """
    crossed = int(np.argmax(curve.fnmr >= curve.fmr))  # the last point always is
    threshold = float(curve.thresholds[crossed])
    gap_after = float(curve.fnmr[crossed] - curve.fmr[crossed])
    if crossed == 0 or gap_after == 0:
        return float(curve.fnmr[crossed]), threshold
    before = crossed - 1
    gap_before = float(curve.fmr[before] - curve.fnmr[before])
    part = gap_before / (gap_before + gap_after)
    rate = curve.fnmr[before] + part * (curve.fnmr[crossed] - curve.fnmr[before])
    return float(rate), threshold if np.isfinite(threshold) else float(curve.thresholds[before])


def fnmr_at_fmr(curve: DetCurve, fmr: float) -> tuple[float, float]:
    """Return the lowest FNMR whose FMR is at most `fmr` on the very same scores, and its threshold.

    For a look at the scores alone: a threshold chosen on the data that it is reported on is no
    operating point.
    """
    index = int(np.argmax(curve.fmr <= fmr))  # the last point's is 0
    return float(curve.fnmr[index]), float(curve.thresholds[index])


def best_threshold(scores: npt.ArrayLike, mated: npt.ArrayLike) -> float:
    """Return the threshold at which most pairs are judged correctly.

    It lies in the middle of the gap between two scores, of the widest one where several are equally
    good. Scores of minus infinity are pairs without a score: never a match.
    """
    values, is_mated = np.asarray(scores, dtype=np.float64), np.asarray(mated, dtype=bool)
    if np.isnan(values).any() or np.isposinf(values).any():
        raise ScoresInvalidError("a score is not a number")
    levels = np.unique(values[np.isfinite(values)])
    if not levels.size or is_mated.all() or not is_mated.any():
        raise ScoresInvalidError("a threshold needs scores of mated and of non-mated pairs")
    # Number the ways to cut: below every score, between two neighbours, above every score.
    genuine, impostor = np.sort(values[is_mated]), np.sort(values[~is_mated])
    accepted = genuine.size - np.searchsorted(genuine, levels, side="left")
    rejected = np.searchsorted(impostor, levels, side="left")
    correct = np.append(accepted + rejected, impostor.size)
    edges = np.concatenate([[levels[0] - 1], levels, [levels[-1] + 1]])
    best = np.flatnonzero(correct == correct.max())
    widths = edges[best + 1] - edges[best]
    chosen = best[int(np.argmax(widths))]
    middle = float(edges[chosen] + edges[chosen + 1]) / 2
    # Two neighbouring floats have no middle of their own: the upper one is the same cut.
    return middle if middle > edges[chosen] else float(edges[chosen + 1])


def cross_validate(
    scores: npt.ArrayLike,
    mated: npt.ArrayLike,
    folds: npt.ArrayLike,
    names: Sequence[str],
) -> CrossValidation:
    """Return the accuracy on each fold at the threshold that is best on all the others.

    Args:
        scores: one a pair; minus infinity for a pair without a score, which is no match.
        mated: one a pair, true where both pictures show one person.
        folds: one a pair, an index into `names`.
        names: the folds' names.

    Raises:
        ScoresInvalidError: fewer than two folds hold pairs, the others of a fold hold no mated or
            no non-mated pair, or a score is not a number.
    """
    values, is_mated = np.asarray(scores, dtype=np.float64), np.asarray(mated, dtype=bool)
    fold_of = np.asarray(folds)
    present = np.unique(fold_of)
    if present.size < 2:
        raise ScoresInvalidError("with one fold there are no other folds to choose a threshold on")
    judged = []
    for fold in present:
        inside = fold_of == fold
        threshold = best_threshold(values[~inside], is_mated[~inside])
        right = (values[inside] >= threshold) == is_mated[inside]
        correct = Proportion(int(np.count_nonzero(right)), int(right.size))
        judged.append(FoldAccuracy(names[int(fold)], threshold, correct))
    return CrossValidation(tuple(judged))
