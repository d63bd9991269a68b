"""Fit what models/quality.toml holds: the signs' weights, and limits at a chosen refusal rate."""

from collections.abc import Mapping, Sequence

import numpy as np

from biometrics.types import FloatArray

RIDGE = 1.0
ROUNDS = 50

Appearance = Mapping[str, float]


def fit_sign(
    present: Sequence[Appearance], absent: Sequence[Appearance], names: Sequence[str]
) -> tuple[float, dict[str, float]]:
    """Fit a sign by logistic regression; both classes count alike, however many there are.

    Args:
        present: appearances of pictures that show what the sign is for.
        absent: appearances of pictures that don't.
        names: which numbers may be weighed.

    Returns:
        Offset and weights, in the units of the numbers.

    Raises:
        ValueError: a class is empty, or a number is not finite.
    """
    if not present or not absent:
        raise ValueError("a sign needs pictures with it and pictures without")
    rows = np.array([[a[name] for name in names] for a in [*present, *absent]], dtype=np.float64)
    if not np.isfinite(rows).all():
        raise ValueError("an appearance holds a number that is not finite")
    target = np.r_[np.ones(len(present)), np.zeros(len(absent))]
    share = np.r_[
        np.full(len(present), 0.5 / len(present)), np.full(len(absent), 0.5 / len(absent))
    ]
    share *= len(rows)
    mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
    x = np.c_[(rows - mean) / spread, np.ones(len(rows))]
    ridge = RIDGE * np.diag(np.r_[np.ones(len(names)), 0.0])
    w = np.zeros(x.shape[1])
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-(x @ w).clip(-50, 50)))
        curve = (x * (p * (1 - p) * share + 1e-9)[:, None]).T @ x + ridge
        w += np.linalg.solve(curve, x.T @ ((target - p) * share) - ridge @ w)
    weights = w[:-1] / spread
    return float(w[-1] - weights @ mean), dict(zip(names, weights.tolist(), strict=True))


def limit_at(values: FloatArray, refused_rate: float, *, above: bool) -> float:
    """Return the limit beyond which `refused_rate` of good pictures' values lie."""
    return float(np.quantile(values, 1 - refused_rate if above else refused_rate))
