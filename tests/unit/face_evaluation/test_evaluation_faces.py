"""Encoding, comparing and reporting, over drawn embeddings."""

import json

import numpy as np
import pytest

from biometrics.calibration import dump_calibration, load_calibration
from biometrics.detection import FaceMissingError, SeveralFacesError
from biometrics.evaluation import plots
from biometrics.evaluation.calibrating import make_calibration
from biometrics.evaluation.degradation import Degradation
from biometrics.evaluation.errors import PlotsUnavailableError
from biometrics.evaluation.faces import compare_all, compare_listed, encode_pictures, find_centres
from biometrics.evaluation.fitting import choose_points
from biometrics.evaluation.report import Evaluated, build_report
from biometrics.evaluation.subjects import encode_middle, paint_bystanders
from biometrics.types import Box, Face, FivePoints

PEOPLE = 40
MODELS = [("one", "a" * 64), ("two", "b" * 64)]


def run(pairs, encode, *, all_pairs=True, degradation=None, threads=1):
    encoded = encode_pictures(
        pairs, encode, all_pairs=all_pairs, degradation=degradation, threads=threads
    )
    compare = compare_all if all_pairs else compare_listed
    return encoded, compare(pairs, encoded, find_centres(encoded, ["one", "two"]))


@pytest.fixture(scope="module")
def lenient(request):
    """Take rates that forty people can show."""
    patch = pytest.MonkeyPatch()
    request.addfinalizer(patch.undo)
    rates = {"fmr-1e-1": 0.1, "fmr-1e-4": 1e-4}
    patch.setattr(
        "biometrics.evaluation.calibrating.choose_points",
        lambda *scores: choose_points(*scores, rates),
    )


@pytest.fixture(scope="module")
def calibration(world, lenient):
    pairs, encode = world
    first = pairs.select(["1"])
    encoded, compared = run(first, encode)
    return make_calibration(
        first,
        encoded,
        compared,
        find_centres(encoded, ["one", "two"]),
        comparison="fused",
        models=MODELS,
        path_version="1",
        created_by="chinhchu calibrate pairs.csv",
        all_pairs=True,
        degradation=None,
        subjects="middle",
    )


def evaluate(pairs, encode, calibration, *, crossed=True):
    encoded, _ = run(pairs, encode)
    return build_report(
        Evaluated(
            pairs=pairs,
            encoded=encoded,
            listed=compare_listed(pairs, encoded, find_centres(encoded, ["one", "two"])),
            crossed=compare_all(pairs, encoded, find_centres(encoded, ["one", "two"]))
            if crossed
            else None,
            calibration=calibration,
            degradation=None,
            subjects="middle",
        )
    )


def test_each_picture_is_encoded_once_whatever_the_number_of_workers(world):
    pairs, encode = world
    seen = []

    def counted(image):
        seen.append(tuple(image[0, 0]))
        return encode(image)

    one, two = run(pairs, counted), run(pairs, encode, threads=3)
    assert len(seen) == len(set(seen)) == len(pairs.paths) == one[0].attempts
    assert one[0].failures == two[0].failures == {"face-missing": 1}
    np.testing.assert_array_equal(one[1].cosines, two[1].cosines)
    assert one[0].digests == two[0].digests


def test_cross_pairs_are_all_pairs_once(world):
    pairs, encode = world
    encoded, compared = run(pairs, encode)
    count = len(pairs.paths)
    assert len(compared.mated) == count * (count - 1) // 2
    together = pairs.people[compared.reference] == pairs.people[compared.probe]
    np.testing.assert_array_equal(compared.mated, together)
    # A listed pair has the same cosine among the cross pairs.
    listed = compare_listed(pairs, encoded, find_centres(encoded, ["one", "two"]))
    places = {
        frozenset(pair): row
        for row, pair in enumerate(zip(compared.reference, compared.probe, strict=True))
    }
    for row, pair in enumerate(zip(listed.reference, listed.probe, strict=True)):
        np.testing.assert_array_equal(
            listed.cosines[row], compared.cosines[places[frozenset(pair)]]
        )


def test_a_picture_without_template_has_no_score(world):
    pairs, encode = world
    _, compared = run(pairs, encode)
    np.testing.assert_array_equal(np.isnan(compared.cosines).any(axis=1), ~compared.acquired)
    assert np.count_nonzero(~compared.acquired) == len(pairs.paths) - 1


def test_only_one_side_is_degraded(world):
    pairs, encode = world

    def spoil(image):
        spoiled = image.copy()
        spoiled[0, 0, 1] += 100
        return spoiled

    degradation = Degradation("spoil", "probe", "for the test", spoil)
    encoded, _ = run(pairs, encode, all_pairs=False, degradation=degradation)
    listed_once = len(set(pairs.reference)) + len(set(pairs.probe))
    assert encoded.attempts == listed_once
    clean, _ = run(pairs, encode)
    at = pairs.reference[0]
    np.testing.assert_array_equal(
        encoded.reference.embeddings["one"][at], clean.reference.embeddings["one"][at]
    )
    at = pairs.probe[0]
    assert not np.array_equal(
        encoded.probe.embeddings["one"][at], clean.probe.embeddings["one"][at]
    )


def test_a_calibration_is_read_back_and_made_again_the_same(calibration, world, lenient):
    data = dump_calibration(calibration)
    assert load_calibration(data) == calibration
    assert dump_calibration(load_calibration(data)) == data
    assert calibration.data.folds[0].name == "1"
    assert calibration.data.nonmated_people_pairs == 190
    assert set(calibration.operating_points) == {"fmr-1e-1"}
    assert set(calibration.unsupported) == {"fmr-1e-4"}
    assert b"p00" not in data


def test_a_report_leaves_out_the_fold_that_was_calibrated_on(world, calibration):
    pairs, encode = world
    report = evaluate(pairs, encode, calibration)
    measured = report["operating_points"]
    assert report["calibration"]["folds_seen_here"] == ["1"]
    assert measured["held_out"] is True
    assert measured["pairs"]["people"] == 20
    assert measured["pairs"]["mated"] + measured["pairs"]["mated_lost"] == 60
    assert report["pairs"]["mated"] + report["pairs"]["mated_lost"] == 120
    assert json.loads(json.dumps(report, allow_nan=False))


def test_a_renamed_fold_is_still_known_by_its_pictures(world, calibration, tmp_path):
    from biometrics.evaluation.pairs import load_pairs

    pairs, encode = world
    text = (pairs.paths[0].parent / "pairs.csv").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("2,")]
    (tmp_path / "x.csv").write_text("\n".join(kept).replace("\n1,", "\nx,"), encoding="utf-8")
    alone = load_pairs(tmp_path / "x.csv", pairs.paths[0].parent)
    report = evaluate(alone, encode, calibration)
    assert report["calibration"]["folds_seen_here"] == ["x"]
    assert report["operating_points"]["held_out"] is False


def test_rates_add_up(world, calibration):
    pairs, encode = world
    report = evaluate(pairs, encode, calibration, crossed=False)
    point = report["operating_points"]["points"]["fmr-1e-1"]
    lost = report["operating_points"]["pairs"]["mated_lost"]
    assert point["generalised_fnmr"]["count"] == point["fnmr"]["count"] + lost
    assert point["generalised_fnmr"]["n"] == point["fnmr"]["n"] + lost
    for rate in (point["fmr"], point["fnmr"], report["eer"]):
        low, high = rate["interval"]
        assert 0 <= low <= rate["value"] <= high <= 1
    groups = report["groups"]
    assert set(groups) == {"old", "young"}
    total = sum(group["points"]["fmr-1e-1"]["fmr"]["n"] for group in groups.values())
    assert total == point["fmr"]["n"]


@pytest.mark.parametrize("mistaken", [False, True])
def test_few_errors_are_never_surer_than_the_rule_of_three(world, calibration, mistaken):
    pairs, _ = world

    def encode(image):
        person, number, _ = (int(v) for v in image[0, 0])
        if mistaken and (person, number) == (3, 3):
            person = 1
        apart = np.eye(24, dtype=np.float32)[person // 2] * (1 - 2 * (person % 2))
        return {"one": apart, "two": apart}

    report = evaluate(pairs, encode, calibration)
    point = report["operating_points"]["points"]["fmr-1e-1"]
    people = 20  # of the second fold
    assert (point["fmr"]["count"] > 0) is mistaken
    assert point["fmr"]["interval"][1] >= 3 / (people * (people - 1) / 2)
    assert point["fnmr"]["interval"][1] >= 3 / people
    if not mistaken:
        assert report["eer"]["value"] == 0
        assert report["eer"]["interval"] == [0, 3 / PEOPLE]


def test_a_centre_of_nothing_leaves_lost_pictures_lost(world):
    pairs, encode = world
    encoded, _ = run(pairs, encode)
    nothing = {name: np.zeros(24, np.float32) for name in ("one", "two")}
    compared = compare_listed(pairs, encoded, nothing)
    assert not compared.acquired.all()
    assert np.array_equal(np.isnan(compared.cosines).any(axis=1), ~compared.acquired)


def test_the_curve_ends_where_the_pairs_do(world, calibration):
    pairs, encode = world
    curve = evaluate(pairs, encode, calibration)["det"]
    assert curve["fmr"] == sorted(curve["fmr"], reverse=True)
    assert curve["fnmr"] == sorted(curve["fnmr"])
    assert curve["fmr"][-1] == 0
    assert curve["fnmr"][0] == 0


def test_plots_are_the_same_each_time(world, calibration):
    pytest.importorskip("matplotlib", reason="the extra `evaluation` is not installed")
    pairs, encode = world
    report = evaluate(pairs, encode, calibration)
    first, second = plots.draw(report), plots.draw(report)
    assert first == second
    assert set(first) == {"det.svg", "scores.svg"}
    assert all(b"</svg>" in data for data in first.values())


def test_plots_without_matplotlib_say_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(PlotsUnavailableError, match=r"chinhchu\[evaluation\]"):
        plots.check_available()


def face(x, y, side):
    points = FivePoints(*[(x, y)] * 5)
    return Face(Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2), points, 0.9)


def test_bystanders_are_painted_over_and_the_subject_is_left():
    image = np.random.default_rng(1).integers(0, 255, (100, 100, 3), dtype=np.uint8)
    subject, bystander = face(45, 50, 40), face(80, 50, 40)
    painted = paint_bystanders(image, [bystander, subject])
    np.testing.assert_array_equal(painted[30:70, 25:65], image[30:70, 25:65])
    assert (painted[30:70, 66:100] == 128).all()
    np.testing.assert_array_equal(painted[:30], image[:30])


def test_the_middle_is_only_looked_for_among_several():
    calls = []

    def encode(image):
        calls.append(image)
        if len(calls) == 1:
            raise SeveralFacesError("two")
        raise FaceMissingError("none")

    class Detector:
        def detect(self, image):
            return [face(20, 20, 20), face(50, 50, 20)]

    with pytest.raises(FaceMissingError):
        encode_middle(encode, Detector())(np.zeros((100, 100, 3), np.uint8))
    assert (calls[1][12:28, 12:28] == 128).all()
