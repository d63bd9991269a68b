"""`chinhchu face rig` writes captures that the other commands read."""

import json
from pathlib import Path

import pytest

from api.cli import main
from api.cli.rendered_captures import read_challenge, read_times
from biometrics.challenge import Challenge
from biometrics.manifest import load_manifest
from biometrics.pad_evaluation.folders import find_items, read_notes
from biometrics.weights.errors import SampleMissingError
from biometrics.weights.fetch import sample


@pytest.fixture
def portrait() -> str:
    try:
        return str(sample(load_manifest(), "obama3"))
    except SampleMissingError as error:
        pytest.skip(str(error))


def test_folders_with_challenge_times_mark_and_overview(
    tmp_path: Path, portrait: str, parts: object, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--species", "print", "--sequences", "2", "--seed", "7", "--fps", "6"]
    assert main(["face", "rig", portrait, *arguments, "--out", str(out), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["simulated"] is True
    assert [c["seed"] for c in record["captures"]] == [7, 8]
    for number in ("1", "2"):
        folder = out / "print" / number
        frames = sorted(folder.glob("*.jpg"))
        assert read_times(frames) == json.loads((folder / "capture.json").read_text())["t_ms"]
        assert isinstance(read_challenge(folder / "capture.json"), Challenge)
        assert (folder / "simulated.json").is_file()
        assert (out / f"print-{number}.png").stat().st_size > 10_000
    items = find_items(out)
    assert [item.species for item in items] == ["print", "print"]
    assert all(read_notes(item).simulated for item in items)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--species", "hologram"], "input-unusable"),
        (["--challenge", "missing.json"], "input-unusable"),
    ],
)
def test_what_cannot_be_rendered_is_refused_before_anything_is_written(
    tmp_path: Path,
    portrait: str,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: str,
) -> None:
    out = tmp_path / "out"
    assert main(["face", "rig", portrait, *arguments, "--out", str(out), "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    assert not out.exists()


def test_a_file_that_holds_no_challenge(
    tmp_path: Path, portrait: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "challenge.json"
    for text, code in (("[1]", "challenge-invalid"), ("{", "input-unusable")):
        file.write_text(text)
        command = ["face", "rig", portrait, "--challenge", str(file), "--out", str(tmp_path / "x")]
        assert main([*command, "--json"]) == 4
        assert json.loads(capsys.readouterr().out)["error"]["code"] == code
