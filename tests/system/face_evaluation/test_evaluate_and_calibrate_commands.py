"""`chinhchu calibrate` and `evaluate faces` with the real models on some pictures of LFW."""

import csv
import json

import pytest

from api.cli import main
from biometrics.calibration import load_calibration

PEOPLE = 40


@pytest.fixture(scope="module")
def small_set(test_data, tmp_path_factory, manifest):
    """Return a list of two folds with the pictures of some people, linked to the test data."""
    with (test_data / "faces" / "lfw_pairs.csv").open(encoding="utf-8") as file:
        mated = [row for row in csv.DictReader(file) if row["mated"] == "1"]
    # One pair a person, so that every other pair is non-mated.
    rows = list({row["reference"].rpartition("_")[0]: row for row in mated}.values())
    folder = tmp_path_factory.mktemp("faces")
    chosen = [row for fold in "12" for row in [r for r in rows if r["fold"] == fold][:PEOPLE]]
    lines = ["fold,mated,reference,probe,group"]
    for place, row in enumerate(chosen):
        other = chosen[place - 1] if place % PEOPLE else chosen[place + PEOPLE - 1]
        group = "ab"[place % 2]
        lines.append(f"{row['fold']},1,{row['reference']},{row['probe']},{group}")
        lines.append(f"{row['fold']},0,{row['reference']},{other['probe']},{group}")
    (folder / "pairs.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "pairs.csv", test_data / "faces" / "lfw"


@pytest.fixture(scope="module")
def calibration(small_set, tmp_path_factory):
    pairs, pictures = small_set
    made = []
    for name, threads in (("one.json", "1"), ("two.json", "2")):
        out = tmp_path_factory.mktemp("calibration") / name
        # A wider point is all that forty people can show.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "biometrics.evaluation.fitting.OPERATING_POINTS",
                {"fmr-1e-2": 1e-2, "fmr-1e-4": 1e-4},
            )
            code = main(
                [
                    *("calibrate", str(pairs), "--pictures", str(pictures), "--folds", "1"),
                    *("--out", str(out), "--threads", threads, "--json"),
                ]
            )
        assert code == 0
        made.append(out)
    assert made[0].read_bytes() == made[1].read_bytes()
    return made[0]


def evaluate(capsys, small_set, *arguments):
    pairs, pictures = small_set
    code = main(["evaluate", "faces", str(pairs), "--pictures", str(pictures), *arguments])
    return code, capsys.readouterr()


def test_the_file_says_where_it_comes_from(calibration, small_set):
    made = load_calibration(calibration.read_bytes())
    assert made.created_by == "chinhchu calibrate pairs.csv --comparison default --folds 1"
    assert made.model_names == ("sface",)
    assert [fold.name for fold in made.data.folds] == ["1"]
    assert "fmr-1e-2" in made.operating_points
    assert "rule of three" in made.unsupported["fmr-1e-4"]
    assert str(small_set[0].parent).encode() not in calibration.read_bytes()


def test_a_report_on_other_people(capsys, small_set, calibration, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra `evaluation` is not installed")
    out = tmp_path / "out"
    code, printed = evaluate(
        capsys, small_set, "--calibration", str(calibration), "--out", str(out), "--json"
    )
    assert code == 0
    report = json.loads(printed.out)
    assert report == json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert {path.name for path in out.iterdir()} == {"report.json", "det.svg", "scores.svg"}
    assert report["operating_points"]["held_out"] is True
    assert report["calibration"]["folds_seen_here"] == ["1"]
    assert report["accuracy"]["value"] > 0.95
    assert report["eer"]["value"] < 0.05
    point = report["operating_points"]["points"]["fmr-1e-2"]
    assert point["fmr"]["value"] <= 0.05
    assert point["fnmr"]["value"] <= 0.1
    assert "_0001" not in printed.out


def test_the_table_for_people(capsys, small_set, calibration):
    code, printed = evaluate(
        capsys,
        small_set,
        *("--calibration", str(calibration), "--folds", "1", "--degrade", "chip-jpeg-2.5k"),
    )
    assert code == 0
    for words in ("NOT HELD OUT", "FTA", "fmr-1e-2: FMR", "group a", "was degraded", "No accuracy"):
        assert words in printed.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--folds", "9"], "pair-list-invalid"),
        (["--comparison", "none"], "manifest-invalid"),
        (["--calibration", "nowhere.json"], "input-unusable"),
    ],
)
def test_faults_have_their_codes(capsys, small_set, arguments, code):
    exit_code, printed = evaluate(capsys, small_set, *arguments, "--json")
    assert exit_code == 4
    assert json.loads(printed.out)["error"]["code"] == code


def test_what_cannot_be_written_is_said_before_the_work(capsys, small_set, calibration, tmp_path):
    pairs, pictures = small_set
    (tmp_path / "file").touch()

    def never(*_, **__):
        raise AssertionError("pictures were encoded")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("biometrics.evaluation.faces.encode_pictures", never)
        code, printed = evaluate(
            capsys,
            small_set,
            *("--calibration", str(calibration), "--no-plots", "--out", str(tmp_path / "file")),
        )
        assert (code, "input-unusable" in printed.err) == (4, True)
        for out in (tmp_path, tmp_path / "file" / "made.json"):
            code = main(
                ["calibrate", str(pairs), "--pictures", str(pictures), "--out", str(out), "--json"]
            )
            assert code == 4
            assert json.loads(capsys.readouterr().out)["error"]["code"] == "input-unusable"


def test_the_table_tells_of_copies_and_of_shared_people(capsys, small_set, calibration, tmp_path):
    _, pictures = small_set
    names = sorted(path.name for path in pictures.glob("A*_0001.jpg"))[:3]
    for place, name in enumerate([names[0], *names]):
        (tmp_path / f"p{place}.jpg").write_bytes((pictures / name).read_bytes())
    lines = ["fold,mated,reference,probe", "1,1,p0.jpg,p1.jpg", "1,0,p0.jpg,p2.jpg"]
    lines += ["2,0,p1.jpg,p3.jpg"]
    (tmp_path / "pairs.csv").write_text("\n".join(lines), encoding="utf-8")
    code, printed = evaluate(
        capsys, (tmp_path / "pairs.csv", tmp_path), "--calibration", str(calibration)
    )
    assert code == 0
    assert "1 pictures are copies of others" in printed.out
    assert "1 people are in several folds" in printed.out
    assert "chosen on these very scores" not in printed.out
    assert "single pictures shared with it would not be noticed" in printed.out


def test_a_calibration_of_another_path_is_refused(capsys, small_set, calibration, tmp_path):
    record = json.loads(calibration.read_text(encoding="utf-8"))
    (tmp_path / "old.json").write_text(json.dumps(record | {"path_version": "0"}), "utf-8")
    exit_code, printed = evaluate(
        capsys, small_set, "--calibration", str(tmp_path / "old.json"), "--json"
    )
    assert exit_code == 4
    assert json.loads(printed.out)["error"]["code"] == "calibration-invalid"
