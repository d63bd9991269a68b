"""Operating-point files that were edited, cut, or made for something else."""

import json

import pytest

from biometrics.calibration import (
    CalibrationInvalidError,
    dump_calibration,
    load_calibration,
)

POINT = {
    "threshold": 3.5,
    "fmr": 1e-4,
    "threshold_interval": [3.1, 4.2],
    "false_matches": 13,
    "fmr_seen": 4e-5,
    "fmr_upper": 9.7e-5,
    "fnmr_seen": 0.03,
}
GOOD = {
    "schema": "chinhchu-calibration-1",
    "created_by": "chinhchu calibrate pairs.csv --comparison fused",
    "comparison": "fused",
    "path_version": "1",
    "data": {
        "file": "pairs.csv",
        "sha256": "0" * 64,
        "pictures_sha256": "1" * 64,
        "folds": [{"name": "1", "pictures": 9, "pictures_sha256": "2" * 64}],
        "pairs": "all",
        "degradation": None,
        "subjects": "middle",
        "people": 3,
        "pictures": 9,
        "failures_to_acquire": 0,
        "mated_pairs": 9,
        "nonmated_pairs": 27,
        "nonmated_people_pairs": 3,
    },
    "prior": 0.5,
    "offset": -11.5,
    "models": [
        {"name": "sface", "sha256": "a" * 64, "weight": 25.0, "centre": [0.1, 0.0]},
        {"name": "fr-feature", "sha256": "b" * 64, "weight": 9.0, "centre": [0.0, -0.1]},
    ],
    "cllr": 0.03,
    "cllr_min": 0.02,
    "operating_points": {
        "fmr-1e-3": POINT | {"threshold": 1.2, "fmr": 1e-3, "threshold_interval": [1.0, 1.4]},
        "fmr-1e-4": POINT,
    },
    "unsupported": {"fmr-1e-5": "too few people"},
}


def changed(path, value):
    """Return the bytes of the good file with one entry replaced; `...` removes it."""
    record = json.loads(json.dumps(GOOD))
    *parents, last = path
    place = record
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(record).encode()


def test_the_good_file_weighs_the_cosines():
    calibration = load_calibration(json.dumps(GOOD).encode())
    assert calibration.model_names == ("sface", "fr-feature")
    assert calibration.llr([[0.5, 0.4], [0.0, 0.0]]).tolist() == pytest.approx([4.6, -11.5])
    assert calibration.point("fmr-1e-4").threshold == 3.5
    assert load_calibration(dump_calibration(calibration)) == calibration


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(((key,), ...) for key in GOOD),
        (("schema",), "chinhchu-calibration-2"),
        (("extra",), 1),
        (("comparison",), "../fused"),
        (("data", "file"), "a/b.csv"),
        (("data", "file"), ""),
        (("data", "sha256"), "A" * 64),
        (("data", "folds"), []),
        (("data", "pairs"), "some"),
        (("data", "subjects"), "first"),
        (("data", "people"), 0),
        (("data", "mated_pairs"), 1.5),
        (("data", "nonmated_pairs"), "27"),
        (("prior",), 1.0),
        (("offset",), "nan"),
        (("models",), []),
        (("models", 0, "weight"), 0.0),
        (("models", 0, "centre"), []),
        (("models", 0, "centre"), [0.1, 1.5]),
        (("models", 0, "centre"), ["0.1"]),
        (("models", 0, "centre"), ...),
        (("models", 1, "weight"), -9.0),
        (("models", 1, "name"), "sface"),
        (("models", 0, "sha256"), ""),
        (("cllr",), -0.1),
        (("operating_points",), {}),
        (("operating_points", "fmr-1e-4", "threshold"), None),
        (("operating_points", "fmr-1e-4", "threshold"), 1.0),
        (("operating_points", "fmr-1e-4", "fmr"), 0.0),
        (("operating_points", "fmr-1e-4", "fmr"), 1e-3),
        (("operating_points", "fmr-1e-4", "fmr_seen"), 2e-4),
        (("operating_points", "fmr-1e-4", "fmr_upper"), 2e-4),
        (("operating_points", "fmr-1e-4", "threshold_interval"), [4.2, 3.1]),
        (("operating_points", "fmr-1e-4", "threshold_interval"), [3.1]),
        (("operating_points", "fmr-1e-4", "false_matches"), -1),
        (("operating_points", "fmr-1e-4", "extra"), 1),
        (("unsupported", "fmr-1e-4"), "and yet it is above"),
    ],
)
def test_an_edited_file_is_refused(path, value):
    with pytest.raises(CalibrationInvalidError) as caught:
        load_calibration(changed(path, value))
    assert caught.value.code == "calibration-invalid"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * ((1 << 20) + 1),
        json.dumps(GOOD).replace("-11.5", "NaN").encode(),
        json.dumps(GOOD).replace("-11.5", "-Infinity").encode(),
        json.dumps(GOOD).replace("-11.5", "1e999").encode(),
        json.dumps(GOOD).replace('"offset": -11.5', '"offset": -11.5, "offset": 5').encode(),
    ],
)
def test_what_is_no_such_file_is_refused(data):
    with pytest.raises(CalibrationInvalidError):
        load_calibration(data)


def test_every_cut_is_refused():
    data = json.dumps(GOOD).encode()
    for end in range(0, len(data) - 1, 7):
        with pytest.raises(CalibrationInvalidError):
            load_calibration(data[:end])


def test_cosines_of_another_number_of_models_are_refused():
    calibration = load_calibration(json.dumps(GOOD).encode())
    for cosines in ([[0.5]], [[0.5, 0.4, 0.3]], 0.5):
        with pytest.raises(CalibrationInvalidError, match="weighs 2 models"):
            calibration.llr(cosines)


def test_what_it_was_not_made_for_is_refused():
    calibration = load_calibration(json.dumps(GOOD).encode())
    ours = [("fr-feature", "b" * 64), ("sface", "a" * 64)]
    calibration.check_fits(ours, "1")
    for models in (ours[:1], [("sface", "a" * 64), ("fr-feature", "c" * 64)], []):
        with pytest.raises(CalibrationInvalidError, match="for other models"):
            calibration.check_fits(models, "1")
    with pytest.raises(CalibrationInvalidError, match="calibrate again"):
        calibration.check_fits(ours, "2")


def test_a_point_that_is_not_there_says_why():
    calibration = load_calibration(json.dumps(GOOD).encode())
    with pytest.raises(CalibrationInvalidError, match="too few people"):
        calibration.point("fmr-1e-5")
    with pytest.raises(CalibrationInvalidError, match="not in the file"):
        calibration.point("match")
