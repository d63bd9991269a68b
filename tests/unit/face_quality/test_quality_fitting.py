"""Signs are fitted as logistic regression should."""

import math

import numpy as np
import pytest

from biometrics.quality_evaluation.fitting import RECIPES, fit_sign, fit_signs


def sample(rng, n, mean):
    return [{"x": float(x), "noise": float(z)} for x, z in rng.normal((mean, 0), 1, (n, 2))]


def test_it_finds_the_log_likelihood_ratio_of_two_normal_classes():
    rng = np.random.default_rng(1)
    offset, weights = fit_sign(sample(rng, 4000, 1), sample(rng, 4000, -1), ["x", "noise"])
    # Unit variance, means 1 and -1: the ratio's logarithm is 2x.
    assert weights["x"] == pytest.approx(2, abs=0.15)
    assert weights["noise"] == pytest.approx(0, abs=0.1)
    assert offset == pytest.approx(0, abs=0.1)


def test_classes_count_alike_however_many_there_are():
    rng = np.random.default_rng(2)
    offset, weights = fit_sign(sample(rng, 300, 1), sample(rng, 6000, -1), ["x"])
    assert offset / weights["x"] == pytest.approx(0, abs=0.2)


def test_the_unit_of_a_number_does_not_matter():
    rng = np.random.default_rng(3)
    present, absent = sample(rng, 200, 1), sample(rng, 200, -1)
    _, weights = fit_sign(present, absent, ["x"])
    scaled = [[{"x": 1000 * row["x"]} for row in rows] for rows in (present, absent)]
    assert fit_sign(*scaled, ["x"])[1]["x"] == pytest.approx(weights["x"] / 1000, rel=1e-6)


def test_classes_that_do_not_overlap_still_give_finite_weights():
    offset, weights = fit_sign([{"x": 1.0}] * 5, [{"x": -1.0}] * 5, ["x"])
    assert math.isfinite(offset)
    assert 0 < weights["x"] < 100


def test_an_empty_class_or_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="pictures"):
        fit_sign([], [{"x": 1.0}], ["x"])
    with pytest.raises(ValueError, match="pictures"):
        fit_sign([{"x": 1.0}], [], ["x"])
    with pytest.raises(ValueError, match="finite"):
        fit_sign([{"x": math.nan}], [{"x": 1.0}], ["x"])
    with pytest.raises(ValueError, match="pictures"):
        fit_signs({"untouched": [{"x": 1.0}]})


def test_no_sign_is_learned_from_what_it_should_not_find():
    for recipe in RECIPES.values():
        assert not set(recipe.present) & set(recipe.absent)
        assert {"clear-glasses", "beard", "head-covering"} <= set(recipe.absent)
