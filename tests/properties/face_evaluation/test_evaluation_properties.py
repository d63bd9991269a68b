"""What holds for any scores: monotone curves, estimates in their intervals, no role for order."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from biometrics.evaluation import bootstrap
from biometrics.evaluation.error_rates import (
    best_threshold,
    det_curve,
    equal_error_rate,
    false_matches,
    false_non_matches,
    fnmr_at_fmr,
)
from biometrics.evaluation.errors import CalibrationRefusedError
from biometrics.evaluation.fitting import choose_points, fit_llr
from biometrics.evaluation.intervals import Proportion, largest_count, upper_limit
from biometrics.evaluation.llr_cost import cllr, cllr_min

# Few values, so that ties are common, and any.
values = st.one_of(st.integers(-3, 3).map(float), st.floats(-50, 50))
samples = st.lists(values, min_size=1, max_size=40)


@given(samples, samples)
def test_the_curve_is_monotone_and_each_point_is_true(mated, nonmated):
    curve = det_curve(mated, nonmated)
    assert (np.diff(curve.thresholds) > 0).all()
    assert (np.diff(curve.fmr) <= 0).all()
    assert (np.diff(curve.fnmr) >= 0).all()
    assert (curve.fmr[0], curve.fnmr[0]) == (1, 0)
    assert (curve.fmr[-1], curve.fnmr[-1]) == (0, 1)
    for threshold, fmr, fnmr in zip(curve.thresholds, curve.fmr, curve.fnmr, strict=True):
        assert false_matches(nonmated, threshold).value == fmr
        assert false_non_matches(mated, threshold).value == fnmr


@given(samples, samples)
def test_the_equal_error_rate_lies_between_the_rates_around_it(mated, nonmated):
    curve = det_curve(mated, nonmated)
    rate, _ = equal_error_rate(curve)
    after = int(np.argmax(curve.fnmr >= curve.fmr))
    before = max(0, after - 1)
    assert curve.fnmr[before] - 1e-12 <= rate <= curve.fnmr[after] + 1e-12
    assert curve.fmr[after] - 1e-12 <= rate <= curve.fmr[before] + 1e-12


@given(samples, samples, st.floats(0, 1))
def test_fnmr_at_fmr_is_the_least_that_keeps_the_rate(mated, nonmated, fmr):
    curve = det_curve(mated, nonmated)
    fnmr, threshold = fnmr_at_fmr(curve, fmr)
    assert false_matches(nonmated, threshold).value <= fmr
    assert fnmr == curve.fnmr[curve.fmr <= fmr].min()


@given(samples, samples)
def test_no_cut_is_better_than_the_best(mated, nonmated):
    scores = np.array(mated + nonmated)
    is_mated = np.repeat([True, False], [len(mated), len(nonmated)])

    def correct(threshold):
        return int(((scores >= threshold) == is_mated).sum())

    found = correct(best_threshold(scores, is_mated))
    assert found == max(correct(t) for t in [*np.unique(scores), np.inf])


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_contain_their_estimate(counts):
    part = Proportion(*counts)
    low, high = part.interval
    assert 0 <= low <= part.value <= high <= 1
    assert part.value <= upper_limit(*counts) <= 1


@given(st.integers(1, 10**7), st.floats(1e-6, 0.5))
@settings(deadline=None)  # up to millions of trials, on a machine that others use too
def test_what_a_rate_leaves_room_for_shows_it(total, rate):
    most = largest_count(total, rate)
    if most is None:
        assert upper_limit(0, total) > rate * (1 - 1e-9)
    else:
        assert most / total <= rate
        assert upper_limit(most, total) <= rate * (1 + 1e-9)
        assert upper_limit(most + 1, total) >= rate * (1 - 1e-9)


@given(samples, samples, st.randoms(use_true_random=False))
def test_the_order_of_pairs_says_nothing(mated, nonmated, random):
    shuffled = random.sample(mated, len(mated)), random.sample(nonmated, len(nonmated))
    ours, theirs = det_curve(mated, nonmated), det_curve(*shuffled)
    np.testing.assert_array_equal(ours.fmr, theirs.fmr)
    np.testing.assert_array_equal(ours.fnmr, theirs.fnmr)
    assert cllr_min(mated, nonmated) == cllr_min(*shuffled)


@given(samples, samples)
def test_no_monotone_map_costs_less_than_the_least(mated, nonmated):
    least = cllr_min(mated, nonmated)
    assert 0 <= least <= 1 + 1e-12
    genuine, impostor = np.array(mated), np.array(nonmated)
    for scale, shift in ((1, 0), (0.1, 0.3), (5, -2), (0, 0)):
        assert least <= cllr(scale * genuine + shift, scale * impostor + shift) + 1e-9
    # Stretching the scores leaves the least cost where it is.
    assert least == cllr_min(np.arctan(genuine / 100), np.arctan(impostor / 100)) or (
        len(np.unique(np.arctan(np.concatenate([genuine, impostor]) / 100)))
        < len(np.unique(np.concatenate([genuine, impostor])))
    )


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=30),
    st.lists(st.floats(-1, 1), min_size=2, max_size=30),
)
def test_a_fit_is_refused_or_rises_and_is_finite(mated, nonmated):
    try:
        fitted = fit_llr(np.array(mated)[:, None], np.array(nonmated)[:, None])
    except CalibrationRefusedError:
        return
    assert fitted.weights[0] >= 0
    assert np.isfinite(fitted.offset)
    low, high = fitted([[-1.0], [1.0]])
    assert low <= high


@settings(deadline=None, max_examples=20)
@given(st.integers(80, 120), st.integers(0, 2**32 - 1), st.sampled_from([0.5, 1e-2, 1e-3]))
def test_points_keep_what_they_promise_on_their_own_data(people, seed, rate):
    pairs = tuple(side.astype(np.int32) for side in np.triu_indices(people, 1))
    # Coarse scores, so that many tie.
    scores = np.random.default_rng(seed).normal(0, 1, len(pairs[0])).round(1)
    points, unsupported = choose_points([5.0], scores, pairs, {"p": rate})
    assume(points)
    point = points["p"]
    assert not unsupported
    assert false_matches(scores, point.threshold).value <= rate
    assert point.threshold_interval[0] <= point.threshold_interval[1]


@settings(deadline=None, max_examples=20)
@given(st.integers(5, 40), st.integers(0, 2**32 - 1))
def test_drawing_people_again_stays_within_the_rates(people, seed):
    random = np.random.default_rng(seed)
    first, second = (side.astype(np.int32) for side in np.triu_indices(people, 1))
    scores = random.normal(0, 1, len(first))
    mated = random.normal(1, 1, people)
    owners = np.arange(people, dtype=np.int32)
    low, high = bootstrap.eer_interval(mated, owners, scores, (first, second), people, 0.3)
    assert 0 <= low <= high <= 1
    for low, high in bootstrap.rate_intervals(scores, (first, second), people, [-9.0, 0.0, 9.0]):
        assert 0 <= low <= high <= 1
