"""The map to log-likelihood ratios, and operating points that the data show."""

import math

import numpy as np
import pytest

from biometrics.evaluation.errors import CalibrationRefusedError, ScoresInvalidError
from biometrics.evaluation.fitting import choose_points, fit_llr, people_pairs


def drawn(seed, size, mean, deviation=0.1):
    return np.random.default_rng(seed).normal(mean, deviation, size)


def cross_people(count):
    return tuple(side.astype(np.int32) for side in np.triu_indices(count, 1))


def test_normal_cosines_give_their_own_ratio():
    # Equal deviations s, means a and b: the ratio is (a - b) / s² · x - (a² - b²) / 2s².
    fitted = fit_llr(drawn(1, 100_000, 0.5)[:, None], drawn(2, 200_000, 0.0)[:, None])
    assert fitted.weights[0] == pytest.approx(50, rel=0.02)
    assert fitted.offset == pytest.approx(-12.5, rel=0.02)


@pytest.mark.parametrize("prior", [0.5, 0.05])
def test_the_number_of_pairs_and_the_prior_are_not_in_the_ratio(prior):
    mated, nonmated = drawn(3, 20_000, 0.25)[:, None], drawn(4, 20_000, 0.0)[:, None]
    few = fit_llr(mated[:2_000], nonmated, prior=prior)
    assert few.weights[0] == pytest.approx(25, rel=0.1)
    assert few(0.125 * np.ones((1, 1)))[0] == pytest.approx(0, abs=0.25)


def test_two_independent_models_add_their_ratios():
    mated = np.column_stack([drawn(5, 100_000, 0.2), drawn(6, 100_000, 0.1)])
    nonmated = np.column_stack([drawn(7, 100_000, 0.0), drawn(8, 100_000, 0.0)])
    fitted = fit_llr(mated, nonmated)
    assert fitted.weights == pytest.approx((20, 10), rel=0.05)
    assert fitted.offset == pytest.approx(-2.5, rel=0.05)


def test_separated_classes_give_finite_ratios_no_surer_than_the_data():
    fitted = fit_llr([[0.8], [0.9]], [[0.1], [0.2]])
    assert np.isfinite(fitted.weights[0])
    # One more pair than seen might be on the other side: odds of three to one at the most.
    assert fitted(np.array([[0.85]]))[0] == pytest.approx(math.log(3), abs=0.3)


@pytest.mark.parametrize(
    ("mated", "nonmated", "reason"),
    [
        ([[0.1], [0.2]], [[0.8], [0.9]], "the model mine would get the weight"),
        ([[0.5], [0.5]], [[0.5], [0.5]], "the cosines of the model mine are all the same"),
    ],
)
def test_a_fit_is_refused_by_the_name_of_its_model(mated, nonmated, reason):
    with pytest.raises(CalibrationRefusedError, match=reason):
        fit_llr(mated, nonmated, names=("mine",))


def test_a_model_that_repeats_another_is_refused():
    mated, nonmated = drawn(9, 100, 0.5), drawn(10, 100, 0.0)
    with pytest.raises(CalibrationRefusedError, match="repeat one another"):
        fit_llr(np.column_stack([mated, mated]), np.column_stack([nonmated, nonmated]))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(ScoresInvalidError):
        fit_llr([[0.5], [bad]], [[0.1], [0.2]])
    with pytest.raises(ScoresInvalidError):
        fit_llr([[0.5], [0.4]], np.empty((0, 1)))


def test_points_are_those_that_the_people_show():
    people = cross_people(500)
    scores = drawn(11, len(people[0]), 0.0, 1.0)
    points, unsupported = choose_points([9.0], scores, people)
    assert set(points) == {"fmr-1e-3", "fmr-1e-4"}
    assert "124750 different pairs of people" in unsupported["fmr-1e-5"]
    assert "299572 are needed" in unsupported["fmr-1e-5"]
    for point in points.values():
        assert point.fmr_seen <= point.fmr_upper <= point.fmr
        assert point.false_matches == np.count_nonzero(scores >= point.threshold)
        low, high = point.threshold_interval
        assert low <= point.threshold <= high
    assert points["fmr-1e-4"].threshold > points["fmr-1e-3"].threshold
    # The limit lies near, not at, the estimate: 124.75 expected, 106 shown with 95 % confidence.
    assert 100 <= points["fmr-1e-3"].false_matches <= 110


def test_many_pictures_of_few_people_show_no_more_than_the_people():
    people = tuple(np.repeat(side, 400) for side in cross_people(30))
    points, unsupported = choose_points([9.0], drawn(12, len(people[0]), 0.0), people)
    assert people_pairs(people) == 435
    assert not points
    assert set(unsupported) == {"fmr-1e-3", "fmr-1e-4", "fmr-1e-5"}


def test_ties_never_pass_more_than_the_rate():
    people = cross_people(200)
    scores = np.zeros(len(people[0]))
    scores[:5] = 1.0
    points, _ = choose_points([2.0], scores, people)
    assert points["fmr-1e-3"].false_matches == 5
    scores[:50] = 1.0  # 13 may pass, and those equal to them pass with them
    points, _ = choose_points([2.0], scores, people)
    assert points["fmr-1e-3"].threshold > 1.0
    assert points["fmr-1e-3"].false_matches == 0


def test_promises_hold_on_other_data():
    """The true rate of normal scores is known: about one draw of twenty may break the promise."""
    people, broken = cross_people(150), 0
    for seed in range(40):
        points, _ = choose_points([9.0], drawn(100 + seed, len(people[0]), 0, 1), people)
        threshold = points["fmr-1e-3"].threshold
        broken += 0.5 * math.erfc(threshold / math.sqrt(2)) > 1e-3
    assert broken <= 5
