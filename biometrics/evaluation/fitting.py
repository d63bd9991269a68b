"""Fit the map from cosines to a log-likelihood ratio, and choose operating points.

The threshold of an operating point is the lowest at which the calibration data still *show* the
promised false match rate: its one-sided 95 % upper limit, not its estimate, lies at or below the
rate. The plain quantile would break the promise on about every second set of data, and a wrong pass
harms a citizen; whoever is turned away by the small difference meets an officer, not a refusal. The
limit is computed as if each pair of *people* were one trial: pairs of pictures of the same two
people say nearly the same. Where not even an error-free run would show a rate (rule of three), the
point is not written but listed with the reason.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from biometrics.calibration import CalibratedPoint
from biometrics.evaluation.bootstrap import threshold_intervals
from biometrics.evaluation.error_rates import check_scores
from biometrics.evaluation.errors import CalibrationRefusedError
from biometrics.evaluation.intervals import largest_count, upper_limit

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]

OPERATING_POINTS: Final[Mapping[str, float]] = {
    "fmr-1e-3": 1e-3,
    "fmr-1e-4": 1e-4,
    "fmr-1e-5": 1e-5,
}
PRIOR: Final = 0.5
THRESHOLD_STEP: Final = 1e-4
"""Thresholds are rounded up to this many nats, so that a file does not depend on a last digit."""
_MAX_STEPS: Final = 100
_TOLERANCE: Final = 1e-10


@dataclass(frozen=True)
class LlrMap:
    """The natural log-likelihood ratio of a pair: offset + weights · cosines."""

    offset: float
    weights: tuple[float, ...]

    def __call__(self, cosines: npt.ArrayLike) -> Float64Array:
        """Return the ratio of each row of N x k cosines."""
        return np.asarray(np.asarray(cosines, dtype=np.float64) @ self.weights + self.offset)


def fit_llr(
    mated: npt.ArrayLike,
    nonmated: npt.ArrayLike,
    *,
    prior: float = PRIOR,
    names: tuple[str, ...] | None = None,
) -> LlrMap:
    """Fit the map by logistic regression in which both classes weigh by `prior`, not by number.

    The labels are softened by one half-seen pair a class (Platt's targets), so that cosines which
    separate the classes without error still give finite ratios, no surer than the data are many.

    Args:
        mated: N x k cosines of mated pairs.
        nonmated: M x k cosines of non-mated pairs.
        prior: weight of the mated pairs, between 0 and 1.
        names: the models of the columns, for the refusal.

    Raises:
        ScoresInvalidError: a class is empty, or a cosine is not a finite number.
        CalibrationRefusedError: the cosines do not vary or repeat one another, or more similarity
            in one model would speak against the same person.

    Source: Brümmer and du Preez 2006, section 6 (prior-weighted); Platt, "Probabilistic outputs for
    support vector machines", 1999, section 2.2 (targets).
    """
    genuine, impostor = _columns(mated, "mated"), _columns(nonmated, "non-mated")
    if genuine.shape[1] != impostor.shape[1]:
        raise CalibrationRefusedError("mated and non-mated pairs have cosines of different models")
    names = names or tuple(f"number {column + 1}" for column in range(genuine.shape[1]))
    n, m = len(genuine), len(impostor)
    values = np.concatenate([genuine, impostor])
    center, spread = values.mean(axis=0), values.std(axis=0)
    for name, width in zip(names, spread, strict=True):
        if not width > 1e-9:
            raise CalibrationRefusedError(f"the cosines of the model {name} are all the same")
    design = np.column_stack([np.ones(n + m), (values - center) / spread])
    targets = np.repeat([(n + 1) / (n + 2), 1 / (m + 2)], [n, m])
    weights = np.repeat([prior / n, (1 - prior) / m], [n, m])
    logit_prior = math.log(prior / (1 - prior))
    solution = _minimise(design, targets, weights, logit_prior)
    slopes = solution[1:] / spread
    for name, slope in zip(names, slopes, strict=True):
        if not slope > 0:
            raise CalibrationRefusedError(
                f"the model {name} would get the weight {slope:.3g}: more similarity must never "
                "speak against the same person; leave it out of the comparison"
            )
    offset = float(solution[0] - slopes @ center)
    return LlrMap(round(offset, 6), tuple(round(float(slope), 6) for slope in slopes))


def choose_points(
    mated: npt.ArrayLike,
    nonmated: npt.ArrayLike,
    people: tuple[IntArray, IntArray],
    rates: Mapping[str, float] | None = None,
) -> tuple[dict[str, CalibratedPoint], dict[str, str]]:
    """Return the operating points that log-likelihood ratios support, and why others are not.

    Args:
        mated: ratios of mated pairs.
        nonmated: ratios of non-mated pairs.
        people: indices of both people of each non-mated pair.
        rates: the false match rates promised, by name; `OPERATING_POINTS` if not given.

    Raises:
        ScoresInvalidError: a class is empty, or a ratio is not a finite number.
    """
    wanted = OPERATING_POINTS if rates is None else rates
    genuine = check_scores(mated, "mated")
    impostor = check_scores(nonmated, "non-mated")
    trials = people_pairs(people)
    count = int(max(people[0].max(), people[1].max())) + 1
    descending = np.sort(impostor)[::-1]
    unsupported, errors = {}, {}
    for name, rate in wanted.items():
        most = largest_count(trials, rate)
        if most is None:
            needed = math.ceil(math.log(0.05) / math.log1p(-rate))
            unsupported[name] = (
                f"{trials} different pairs of people cannot show a false match rate of {rate:g}: "
                f"at least {needed} are needed (rule of three)"
            )
        else:
            errors[name] = most
    allowed = [most / trials for most in errors.values()]
    intervals = threshold_intervals(impostor, people, count, allowed)
    points = {}
    for (name, most), part, (low, high) in zip(errors.items(), allowed, intervals, strict=True):
        threshold = _just_above(float(descending[math.floor(part * impostor.size)]))
        passed = int(np.count_nonzero(impostor >= threshold))
        points[name] = CalibratedPoint(
            threshold=threshold,
            fmr=wanted[name],
            threshold_interval=(_just_above(low), _just_above(high)),
            false_matches=passed,
            fmr_seen=passed / impostor.size,
            fmr_upper=upper_limit(most, trials),
            fnmr_seen=float(np.count_nonzero(genuine < threshold)) / genuine.size,
        )
    return points, unsupported


def people_pairs(people: tuple[IntArray, IntArray]) -> int:
    """Return how many different pairs of people there are."""
    first, second = (side.astype(np.int64) for side in people)
    low, high = np.minimum(first, second), np.maximum(first, second)
    return len(np.unique(low << 32 | high))


def _just_above(score: float) -> float:
    """Return the next step above a score, which then lies below the threshold."""
    step = math.floor(score / THRESHOLD_STEP) + 1
    above = round(step * THRESHOLD_STEP, 6)
    return above if above > score else round((step + 1) * THRESHOLD_STEP, 6)


def _columns(cosines: npt.ArrayLike, what: str) -> Float64Array:
    values = np.asarray(cosines, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, None]
    check_scores(values.ravel(), what)
    return values


def _minimise(
    design: Float64Array, targets: Float64Array, weights: Float64Array, logit_prior: float
) -> Float64Array:
    """Return the coefficients of least cost by Newton's method with halved steps.

    The prior's log-odds are added within the cost, so the coefficients give the ratio alone.
    """

    def cost(coefficients: Float64Array) -> float:
        logits = design @ coefficients + logit_prior
        return float(weights @ (np.logaddexp(0, logits) - targets * logits))

    coefficients = np.zeros(design.shape[1])
    current = cost(coefficients)
    for _ in range(_MAX_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ coefficients + logit_prior, -500, 500)))
        gradient = design.T @ (weights * (chance - targets))
        hessian = (design * (weights * chance * (1 - chance))[:, None]).T @ design
        if np.linalg.cond(hessian) > 1e12:
            raise CalibrationRefusedError("the models' cosines repeat one another")
        step = np.linalg.solve(hessian, gradient)
        length = 1.0
        while cost(coefficients - length * step) > current and length > 1e-8:
            length /= 2
        coefficients = coefficients - length * step
        previous, current = current, cost(coefficients)
        if abs(gradient @ step) < _TOLERANCE or previous == current:
            return coefficients
    raise CalibrationRefusedError("the fit does not settle")
