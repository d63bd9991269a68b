"""Statistics against published and hand-worked values."""

import math

import numpy as np
import pytest

from biometrics.evaluation import bootstrap
from biometrics.evaluation.error_rates import (
    best_threshold,
    cross_validate,
    det_curve,
    equal_error_rate,
    false_matches,
    false_non_matches,
    fnmr_at_fmr,
)
from biometrics.evaluation.errors import ScoresInvalidError
from biometrics.evaluation.intervals import (
    Proportion,
    largest_count,
    upper_limit,
    wilson_interval,
)
from biometrics.evaluation.llr_cost import cllr, cllr_min


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I,
        # method 3 (Wilson without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_of_newcombe(count, total, low, high):
    assert wilson_interval(count, total) == pytest.approx((low, high), abs=5e-5)


def test_rule_of_three():
    assert Proportion(0, 300).interval == pytest.approx((0, 0.01))
    assert Proportion(300, 300).interval == pytest.approx((0.99, 1))
    assert Proportion(0, 2).interval == (0, 1)
    assert upper_limit(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300), rel=1e-9)


def test_no_trial_is_no_rate():
    empty = Proportion(0, 0)
    assert empty.value is None
    assert empty.interval == (0, 1)
    assert empty.to_dict()["interval"] is None
    with pytest.raises(ValueError, match="no proportion"):
        Proportion(2, 1)


@pytest.mark.parametrize(
    # One-sided exact limits of a binomial are tabulated as upper 95 % limits of 90 % two-sided
    # Clopper-Pearson intervals: 1 of 10 and 5 of 10.
    ("count", "total", "limit"),
    [(1, 10, 0.3942), (5, 10, 0.7776), (10, 10, 1.0)],
)
def test_exact_upper_limit(count, total, limit):
    assert upper_limit(count, total) == pytest.approx(limit, abs=5e-5)


@pytest.mark.parametrize(("total", "rate"), [(3000, 1e-3), (94_395, 1e-4), (10_000_000, 1e-4)])
def test_largest_count_is_the_last_one_within_the_limit(total, rate):
    most = largest_count(total, rate)
    assert upper_limit(most, total) <= rate < upper_limit(most + 1, total)


def test_a_rate_beyond_the_rule_of_three_is_not_shown():
    assert largest_count(2994, 1e-3) is None
    assert largest_count(2995, 1e-3) == 0
    assert largest_count(0, 0.5) is None


def test_rates_at_a_threshold_count_ties_as_matches():
    assert false_matches([0.1, 0.4, 0.4, 0.2], 0.4).count == 2
    assert false_non_matches([0.4, 0.39], 0.4).count == 1


def test_equal_error_rate_of_normal_scores():
    # Two unit normals d apart cross at the normal deviate of -d/2.
    random = np.random.default_rng(1)
    mated, nonmated = random.normal(2, 1, 200_000), random.normal(-2, 1, 200_000)
    rate, threshold = equal_error_rate(det_curve(mated, nonmated))
    assert rate == pytest.approx(0.02275, abs=1e-3)
    assert threshold == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("mated", "nonmated", "rate"),
    [
        ([3, 4], [1, 2], 0.0),
        ([1, 2], [3, 4], 1.0),
        ([1, 3], [0, 2], 0.5),
        ([1, 3, 4, 5], [0, 0, 0, 2], 0.25),
        ([1, 1], [1, 1], 0.5),
        ([1], [1], 0.5),
    ],
)
def test_equal_error_rate_by_hand(mated, nonmated, rate):
    assert equal_error_rate(det_curve(mated, nonmated))[0] == pytest.approx(rate)


def test_fnmr_at_fmr_by_hand():
    curve = det_curve([0.5, 0.7, 0.9, 1.0], [0.1, 0.2, 0.3, 0.6])
    assert fnmr_at_fmr(curve, 0.25) == (0.0, 0.5)
    assert fnmr_at_fmr(curve, 0.2) == (0.25, 0.7)
    assert fnmr_at_fmr(curve, 0.0) == (0.25, 0.7)


def test_best_threshold_lies_in_the_widest_of_the_best_gaps():
    assert best_threshold([0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1]) == pytest.approx(0.4)
    # Cutting above 0.2 and above 0.7 each costs one pair; the second gap is the wider one.
    chosen = best_threshold([0.1, 0.2, 0.3, 0.7, 0.95], [0, 0, 1, 0, 1])
    assert chosen == pytest.approx(0.825)


def test_neighbouring_numbers_are_still_told_apart():
    low = 0.3
    high = math.nextafter(low, 1)
    threshold = best_threshold([low, high], [False, True])
    assert low < threshold <= high


def test_each_fold_is_judged_by_the_others():
    scores = [0.1, 0.9, 0.5, 0.95]
    mated = [False, True, False, True]
    found = cross_validate(scores, mated, [0, 0, 1, 1], ["a", "b"])
    # Fold a learns 0.725 from b and judges both rightly; b learns 0.5 from a, and its 0.5 matches.
    assert [fold.correct.count for fold in found.folds] == [2, 1]
    assert found.mean == pytest.approx(0.75)
    # Two values 0.5 apart: their standard deviation is 0.5 / sqrt(2), over sqrt(2) again.
    assert found.standard_error == pytest.approx(0.25)
    assert found.correct.count == 3


def test_a_pair_without_template_is_no_match():
    found = cross_validate(
        [0.1, 0.9, 0.2, 0.8, -math.inf],
        [False, True, False, True, True],
        [0, 0, 1, 1, 1],
        ["a", "b"],
    )
    assert [fold.correct.count for fold in found.folds] == [2, 2]


def test_one_fold_cannot_validate_itself():
    with pytest.raises(ScoresInvalidError, match="one fold"):
        cross_validate([0.1, 0.9], [False, True], [0, 0], ["a"])


def test_cost_of_ratios_that_say_nothing_is_one_bit():
    assert cllr([0.0, 0.0], [0.0]) == pytest.approx(1)
    assert cllr_min([1.0, 1.0], [1.0]) == pytest.approx(1)


def test_cost_of_perfect_ratios_is_nothing():
    assert cllr([700.0], [-700.0]) == pytest.approx(0)
    assert cllr_min([3.0, 4.0], [1.0, 2.0]) == 0


def test_least_cost_by_hand():
    # Pools by rising score: (0 mated, 1 non), (1, 1), (1, 0): only the middle one costs a bit each.
    assert cllr_min([1.0, 2.0], [0.0, 1.0]) == pytest.approx(0.5)
    # The best map of scores in the wrong order is a constant.
    assert cllr_min([0.0, 1.0], [2.0, 3.0]) == pytest.approx(1)


def test_calibrated_normal_ratios_cost_their_least():
    # Ratios N(+m, 2m) and N(-m, 2m) are calibrated: the log-likelihood ratio of itself.
    random, mean = np.random.default_rng(2), 4.0
    mated = random.normal(mean, math.sqrt(2 * mean), 50_000)
    nonmated = random.normal(-mean, math.sqrt(2 * mean), 50_000)
    assert cllr(mated, nonmated) == pytest.approx(cllr_min(mated, nonmated), abs=2e-3)
    assert cllr(2 * mated, 2 * nonmated) > cllr(mated, nonmated) + 0.01


def test_people_drawn_again_give_wider_intervals_than_pairs():
    # One person in ten always fails, with 20 pairs each: 200 pairs say what 10 people say.
    people = np.repeat(np.arange(10, dtype=np.int32), 20)
    scores = np.where(people == 0, 0.0, 1.0)
    ((low, high),) = bootstrap.rate_intervals(scores, (people, people), 10, [0.5])
    wilson = wilson_interval(180, 200)
    assert low < wilson[0]
    assert high > wilson[1]


def test_intervals_do_not_depend_on_the_run():
    people = np.arange(30, dtype=np.int32)
    first, second = (side.astype(np.int32) for side in np.triu_indices(30, 1))
    scores = np.random.default_rng(3).normal(0, 1, len(first))
    mated = np.random.default_rng(4).normal(3, 1, 30)
    twice = [
        (
            bootstrap.threshold_intervals(scores, (first, second), 30, [0.1, 0.01]),
            bootstrap.eer_interval(mated, people, scores, (first, second), 30, 0.1),
        )
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
    (wide_low, wide_high), (low, high) = twice[0][0]
    assert wide_low <= np.quantile(scores, 0.9) <= wide_high
    assert low >= wide_low
    assert high >= wide_high


def test_many_people_are_counted_as_few_are(monkeypatch):
    """Sums over pairs of people, and over pairs one by one, give the same intervals."""
    random = np.random.default_rng(5)
    first, second = random.integers(0, 25, (2, 3000), dtype=np.int32)
    scores = random.normal(0, 1, 3000)
    keep = first != second
    mated, owners = random.normal(3, 1, 60), random.integers(0, 25, 60, dtype=np.int32)

    def intervals():
        people = first[keep], second[keep]
        return [
            bootstrap.rate_intervals(scores, (first, second), 25, [0.0, 1.0]),
            bootstrap.threshold_intervals(scores[keep], people, 25, [0.1]),
            [bootstrap.eer_interval(mated, owners, scores[keep], people, 25, 0.07)],
        ]

    together = intervals()
    monkeypatch.setattr(bootstrap, "_MAX_MATRIX_PEOPLE", 0)
    for ours, theirs in zip(together, intervals(), strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_an_interval_does_not_depend_on_how_far_down_one_looks():
    random = np.random.default_rng(6)
    first, second = (side.astype(np.int32) for side in np.triu_indices(150, 1))
    scores = random.normal(-3, 1, len(first))
    mated, owners = random.normal(3, 1, 300), random.integers(0, 150, 300, dtype=np.int32)
    looks = [
        bootstrap.eer_interval(mated, owners, scores, (first, second), 150, estimate)
        for estimate in (0.0, 0.002, 1.0)
    ]
    assert looks[0] == looks[1] == looks[2]
    assert 0 < looks[0][1] < 0.02
