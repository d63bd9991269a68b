"""docs/packs.md, followed: a second real model by a TOML file alone."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from api.cli import main
from biometrics.manifest import load_manifest
from biometrics.pipeline import FacePipeline
from biometrics.types import Outcome

PAGE = Path(__file__).parents[3] / "docs" / "packs.md"
PEOPLE = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pack")


@pytest.fixture(scope="module")
def pack(folder):
    first, second = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    path = folder / "second.toml"
    path.write_text(first, "utf-8")
    assert main(["models", "fetch", "second", "--pack", str(path)]) == 0
    return path, second


@pytest.fixture(scope="module")
def pairs(folder, test_data):
    """A list of the first mated pairs and non-mated ones, enough people for an FMR of 1e-3."""
    lines = (test_data / "faces" / "lfw_pairs.csv").read_text("utf-8").splitlines()
    mated = [line for line in lines[1:] if line.startswith("1,1,")][:PEOPLE]
    other = [line for line in lines[1:] if line.startswith("1,0,")][:PEOPLE]
    path = folder / "pairs.csv"
    path.write_text("\n".join([lines[0], *mated, *other]) + "\n", "utf-8")
    return path


@pytest.mark.timeout(300)
def test_a_pack_is_fetched_calibrated_and_used_as_the_page_says(
    pack, pairs, folder, test_data, capsys
):
    path, line = pack
    pictures = str(test_data / "faces" / "lfw")
    arguments = ["--pack", str(path), "--comparison", "second", "--pictures", pictures]
    made = folder / "calibrations" / "second.json"

    assert main(["face", "compare", "a", "b", "--pack", str(path)]) != 0
    assert main(["calibrate", str(pairs), *arguments, "--out", str(made)]) == 0
    record = json.loads(made.read_text("utf-8"))
    assert "fmr-1e-3" in record["operating_points"]

    named = line.replace("…", hashlib.sha256(made.read_bytes()).hexdigest())
    points = 'match = "fmr-1e-3"\nreview = "fmr-1e-3"\n'
    path.write_text(path.read_text("utf-8") + named + points, "utf-8")
    pipeline = FacePipeline(load_manifest(pack=path))
    assert pipeline.comparison == "second"

    mated, other = ("Abel_Pacheco_0001.jpg", "Abel_Pacheco_0004.jpg"), "Akhmed_Zakayev_0003.jpg"
    one, two, three = ((test_data / "faces" / "lfw" / n).read_bytes() for n in (*mated, other))
    reference = pipeline.enrol(one)
    assert pipeline.compare(reference, [two]).score > pipeline.compare(reference, [three]).score
    assert pipeline.compare(reference, [three]).outcome is not Outcome.PASSED
    capsys.readouterr()

    command = ["evaluate", "faces", str(pairs), *arguments, "--no-plots", "--json"]
    assert main(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["comparison"] == "second"
