"""Fit the signs of models/quality.toml on degraded pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

RIDGE: Final = 1.0
ROUNDS: Final = 50

Appearance = Mapping[str, float]


@dataclass(frozen=True)
class Recipe:
    """What a sign is learned from. A degradation named twice counts twice."""

    present: tuple[str, ...]
    absent: tuple[str, ...]
    weighs: tuple[str, ...]


RECIPES: Final[Mapping[str, Recipe]] = {
    "eyes-closed": Recipe(
        ("eyes-closed",),
        (
            *("untouched", "clear-glasses", "beard", "head-covering"),
            *("mouth-open", "light-from-one-side"),
        ),
        (
            *("narrow_eye", "wide_eye", "lid_line", "lid_line_height"),
            *("iris_contrast", "upright_edges"),
        ),
    ),
    "dark-glasses": Recipe(
        ("dark-glasses",),
        (
            *("untouched", "clear-glasses", "beard", "head-covering"),
            *("light-from-one-side", "eyes-closed"),
        ),
        ("eye_contrast", "orbit_level", "under_eye_level"),
    ),
    "mouth-covered": Recipe(
        ("mask", "hand"),
        (
            *("untouched", "untouched", "clear-glasses", "head-covering", "mouth-open"),
            *("eyes-closed", "light-from-one-side", "low-resolution", *["beard"] * 5),
        ),
        ("lip_line", "mouth_edges", "mouth_edges_by_eyes", "presence", "nose_edges"),
    ),
    "face-covered": Recipe(
        ("half-covered",),
        (
            *("untouched", "untouched", "clear-glasses", "head-covering", "mouth-open"),
            *("eyes-closed", "light-from-one-side", "low-resolution", *["beard"] * 5),
        ),
        ("eyes_apart", "mouth_apart", "presence", "weak_eye_contrast", "eyes_uneven"),
    ),
}


def fit_signs(
    appearances: Mapping[str, Sequence[Appearance]],
) -> dict[str, tuple[float, dict[str, float]]]:
    """Fit every sign.

    Args:
        appearances: of the pictures under each degradation, `untouched` among them.

    Raises:
        ValueError: a degradation that a sign is learned from has no pictures.
    """

    def rows(names: Sequence[str]) -> list[Appearance]:
        return [row for name in names for row in appearances.get(name, ())]

    return {
        sign: fit_sign(rows(recipe.present), rows(recipe.absent), recipe.weighs)
        for sign, recipe in RECIPES.items()
    }


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
