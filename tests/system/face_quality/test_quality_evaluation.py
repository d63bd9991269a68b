"""`evaluate quality` on a few LFW pictures, through its command."""

import argparse
import csv
import json
import shutil

import pytest

from api.cli import evaluate_quality
from api.errors import InputUnusableError
from biometrics.quality_evaluation.evaluation import EvaluationEmptyError
from biometrics.quality_evaluation.evaluation import evaluate_quality as run


def parse(*arguments):
    parser = argparse.ArgumentParser()
    evaluate_quality.register(parser.add_subparsers(required=True))
    return parser.parse_args(["quality", *map(str, arguments)])


@pytest.fixture
def few(test_data, tmp_path):
    """Return a pair list of eight pictures of fold 2, beside copies of them."""
    source = test_data / "faces" / "lfw_pairs.csv"
    with source.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["fold"] == "2"][:4]
    for name in {row[side] for row in rows for side in ("reference", "probe")}:
        shutil.copyfile(source.parent / "lfw" / name, tmp_path / name)
    listed = tmp_path / "pairs.csv"
    with listed.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return listed


@pytest.mark.usefixtures("manifest")
def test_json_holds_counts_that_add_up_and_names_no_picture(few, capsys, tmp_path):
    args = parse(
        few.parent,
        "--degrade",
        "mask,under-exposed,head-covering",
        "--json",
        "--out",
        tmp_path / "o",
    )
    assert args.run(args) == 0
    record = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "o" / "quality.json").read_text()) == record
    rows = {row["name"]: row for row in record["rows"]}
    assert set(rows) == {"untouched", "mask", "under-exposed", "head-covering"}
    usable = record["pictures"] - sum(record["unusable"].values())
    assert {row["refused"]["n"] for row in rows.values()} == {usable}
    assert rows["under-exposed"]["named"]["value"] == 1
    assert rows["mask"]["named"]["value"] >= 0.5
    assert rows["head-covering"]["named"] is None
    assert sum(group["refused"]["n"] for group in record["by_luminance"]) == usable
    assert ".jpg" not in json.dumps(record)


def test_the_same_seed_gives_the_same_report(few, examiner):
    pictures = sorted(few.parent.glob("*.jpg"))[:3]
    names = ("mask", "hand", "motion-blurred")
    first, again = (run(examiner, pictures, names=names, seed=4) for _ in range(2))
    assert first == again


@pytest.mark.usefixtures("manifest")
def test_the_table_is_for_people(few, capsys):
    args = parse(few, "--folds", "2", "--limit", "2", "--degrade", "beard,cut-off")
    assert args.run(args) == 0
    text = capsys.readouterr().out
    for word in ("untouched", "beard", "cut-off", "refused", "faces of mean level"):
        assert word in text


@pytest.mark.usefixtures("manifest")
def test_signs_are_fitted_on_what_was_seen(few, capsys):
    args = parse(few, "--fit")
    assert args.run(args) == 0
    record = json.loads(capsys.readouterr().out)
    assert set(record["signs"]) == {"eyes-closed", "dark-glasses", "mouth-covered", "face-covered"}
    assert record["signs"]["mouth-covered"]["weights"]["lip_line"] < 0


@pytest.mark.usefixtures("manifest")
def test_wrong_usage_is_told(few, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments, complaint in (
        ((few, "--degrade", "monocle"), "monocle"),
        ((few.parent, "--folds", "2"), "no folds"),
        ((empty,), "no pictures"),
        ((few, "--out", str(few)), "exists|directory"),
    ):
        args = parse(*arguments)
        with pytest.raises(InputUnusableError, match=complaint):
            args.run(args)


def test_pictures_without_a_face_leave_nothing_to_report(examiner, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(EvaluationEmptyError):
        run(examiner, [tmp_path / "a.jpg"])
