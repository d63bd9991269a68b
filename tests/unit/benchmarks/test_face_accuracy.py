"""Figures of the accuracy stage, on scores made by hand."""

import numpy as np
import pytest

from benchmarks.result import Metric
from benchmarks.stages import face_accuracy
from biometrics.evaluation.pairs import PairList


def pair_list(mated: list[bool]) -> PairList:
    """Return pairs of picture 2i with 2i + 1, in two folds by turns."""
    count = len(mated)
    return PairList(
        file="pairs.csv",
        sha256="0" * 64,
        paths=(),
        people=np.arange(2 * count, dtype=np.int32),
        people_are_known=True,
        reference=np.arange(0, 2 * count, 2, dtype=np.int32),
        probe=np.arange(1, 2 * count, 2, dtype=np.int32),
        mated=np.array(mated),
        fold=np.array([i // 2 % 2 for i in range(count)], dtype=np.int32),
        folds=("1", "2"),
        group=np.full(count, -1, dtype=np.int32),
        groups=(),
    )


def figures(mated: list[bool], angles: list[float | None]) -> dict[str, float]:
    """Return the figures of vectors that lie `angles` apart; None is a refused picture."""
    made: dict[int, tuple[np.ndarray, ...] | None] = {}
    for pair, angle in enumerate(angles):
        made[2 * pair] = (np.array([1.0, 0.0], np.float32),)
        made[2 * pair + 1] = (
            None if angle is None else (np.array([np.cos(angle), np.sin(angle)], np.float32),)
        )
    pairs = pair_list(mated)
    found = face_accuracy._figures(
        "x", pairs, np.arange(len(pairs)), made, lambda one, other: float(one[0] @ other[0])
    )
    values = {}
    for name, metric in found.items():
        assert isinstance(metric, Metric)
        values[name] = metric.value
    return values


MATED = [True, False] * 4


def test_scores_apart_are_all_right() -> None:
    found = figures(MATED, [0.1, 1.5] * 4)
    assert found == {"face.accuracy.x": 100, "face.eer.x": 0, "face.refused.x": 0}


def test_a_refused_picture_makes_a_mated_pair_an_error() -> None:
    found = figures(MATED, [None, 1.5, *[0.1, 1.5] * 3])
    assert found["face.accuracy.x"] == pytest.approx(87.5)
    assert found["face.refused.x"] == 1
    assert found["face.eer.x"] == 0  # on the comparisons that took place


def test_a_refused_picture_of_a_non_mated_pair_is_no_match() -> None:
    found = figures(MATED, [0.1, None, *[0.1, 1.5] * 3])
    assert found["face.accuracy.x"] == 100


def test_the_threshold_comes_from_the_other_fold() -> None:
    # The second fold's scores all lie below the first one's.
    found = figures(MATED, [0.1, 0.5, 0.9, 1.3] * 2)
    assert found["face.accuracy.x"] < 100


def test_without_data_each_figure_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHINHCHU_TEST_DATA", raising=False)
    skipped = face_accuracy.measure(quick=True)
    assert {"face.accuracy.default", "face.eer.fused", "face.eer.dlib"} <= set(skipped)
    assert all("CHINHCHU_TEST_DATA" in figure.reason for figure in skipped.values())  # type: ignore
