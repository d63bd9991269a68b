"""Scores that are missing, equal, or no numbers: no rate comes out of them."""

import math

import numpy as np
import pytest

from biometrics.evaluation.error_rates import (
    best_threshold,
    cross_validate,
    det_curve,
    equal_error_rate,
    false_matches,
    false_non_matches,
)
from biometrics.evaluation.errors import ScoresInvalidError
from biometrics.evaluation.llr_cost import cllr, cllr_min


@pytest.mark.parametrize("call", [det_curve, cllr, cllr_min])
@pytest.mark.parametrize(
    ("mated", "nonmated"),
    [
        ([], [0.1]),
        ([0.1], []),
        ([], []),
        ([math.nan], [0.1]),
        ([0.1], [math.nan, 0.2]),
        ([math.inf], [0.1]),
        ([0.1], [-math.inf]),
        ([[0.1]], [0.1]),
    ],
)
def test_nothing_and_no_number_are_refused(call, mated, nonmated):
    with pytest.raises(ScoresInvalidError) as caught:
        call(mated, nonmated)
    assert caught.value.code == "scores-invalid"


@pytest.mark.parametrize("call", [false_matches, false_non_matches])
def test_a_class_without_pairs_has_no_rate(call):
    with pytest.raises(ScoresInvalidError):
        call([], 0.5)
    with pytest.raises(ScoresInvalidError):
        call([math.nan], 0.5)


@pytest.mark.parametrize(
    ("scores", "mated"),
    [
        ([0.1, 0.2], [True, True]),
        ([0.1, 0.2], [False, False]),
        ([0.1, math.nan], [False, True]),
        ([0.1, math.inf], [False, True]),
        ([-math.inf, -math.inf], [False, True]),
    ],
)
def test_no_threshold_from_one_class_or_no_number(scores, mated):
    with pytest.raises(ScoresInvalidError):
        best_threshold(scores, mated)


def test_a_fold_whose_others_hold_one_class_is_refused():
    with pytest.raises(ScoresInvalidError):
        cross_validate([0.1, 0.9, 0.8], [False, True, True], [0, 1, 1], ["a", "b"])


def test_equal_scores_tell_nothing():
    curve = det_curve([0.5] * 10, [0.5] * 100)
    assert equal_error_rate(curve)[0] == 0.5
    assert cllr_min([0.5] * 10, [0.5] * 100) == pytest.approx(1)


def test_millions_of_scores_take_seconds():
    random = np.random.default_rng(1)
    mated, nonmated = random.normal(3, 1, 2_000), random.normal(-3, 1, 4_500_000)
    curve = det_curve(mated, nonmated)
    assert 0 < equal_error_rate(curve)[0] < 0.01
    assert 0 < cllr_min(mated, nonmated) <= cllr(mated, nonmated)
