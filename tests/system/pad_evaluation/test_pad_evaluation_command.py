"""`chinhchu evaluate pad` and `calibrate-pad` on pictures, folders of captures and the rig."""

import json
import random

import cv2
import numpy as np
import pytest

from biometrics.evaluation.intervals import upper_limit
from biometrics.image import decode_image
from biometrics.liveness.policy import load_pad_policy
from biometrics.pad_evaluation.judged import load_judged
from biometrics.weights import sample

pytestmark = pytest.mark.timeout(600)


def test_the_pictures_of_the_test_data(evaluate, test_data, tmp_path):
    code, report = evaluate("evaluate", "pad", test_data / "pad", "--out", tmp_path)
    assert code == 0
    assert report["simulated"] is False
    passive = report["units"]["passive"]
    assert list(report["units"]) == ["passive"]
    assert {row["species"]: row["n"] for row in passive["species"]} == {
        "vietmoney-spoof": 3,
        "minivision-spoof": 2,
    }
    assert passive["bona_fide"]["n"] == 4
    assert passive["bona_fide"]["bpcer"]["count"] == 0
    assert passive["scores"]["minifasnet"]["auc"] >= 0.9
    assert passive["species"][0]["apcer_upper"] == pytest.approx(upper_limit(1, 3))
    written = {path.name for path in tmp_path.iterdir()}
    assert {"report.json", "captures.json", "passive-rates.svg", "passive-scores.svg"} <= written
    assert json.loads((tmp_path / "report.json").read_bytes()) == report
    assert len(load_judged((tmp_path / "captures.json").read_bytes()).captures) == 9


def test_frames_without_a_challenge_are_no_passes_of_liveness(evaluate, put_capture, tmp_path):
    put_capture(tmp_path / "live" / "one", "bona-fide", notes=False)
    _, report = evaluate("evaluate", "pad", tmp_path)
    assert list(report["units"]) == ["passive"]
    assert report["simulated"] is True


def test_captures_that_answer_a_challenge_are_judged_as_a_whole(evaluate, put_capture, tmp_path):
    put_capture(tmp_path / "live" / "0", "bona-fide")
    put_capture(tmp_path / "spoof" / "print" / "0", "print")
    put_capture(tmp_path / "spoof" / "frozen" / "0", "frozen")
    code, report = evaluate("evaluate", "pad", tmp_path)
    assert code == 0
    liveness = report["units"]["liveness"]
    assert [row["apcer"]["count"] for row in liveness["species"]] == [0, 0]
    assert all(row["reasons"] for row in liveness["species"])
    assert {"challenge-protocol", "head-relief", "capture-continuity"} <= set(liveness["signals"])


def test_pictures_that_cannot_be_judged_are_no_verdict(evaluate, tmp_path, manifest):
    rng = np.random.default_rng(0)
    for species in ("real", "print"):
        (tmp_path / species).mkdir()
    (tmp_path / "real" / "noise.png").write_bytes(
        cv2.imencode(".png", rng.integers(0, 255, (200, 200, 3), np.uint8))[1].tobytes()
    )
    (tmp_path / "print" / "empty.jpg").write_bytes(b"")
    (tmp_path / "print" / "text.jpg").write_bytes(b"no picture")
    frames = tmp_path / "print" / "black"
    frames.mkdir()
    for index in range(12):
        (frames / f"{index}.jpg").write_bytes(
            cv2.imencode(".jpg", np.zeros((120, 160, 3), np.uint8))[1].tobytes()
        )
    code, report = evaluate("evaluate", "pad", tmp_path)
    assert code == 0
    passive = report["units"]["passive"]
    assert passive["bona_fide"]["bpnrr"]["count"] == 1
    assert passive["species"][0]["apcer"]["count"] == 0
    assert passive["species"][0]["n"] == 3
    assert passive["scores"] == {}


@pytest.fixture
def people(tmp_path, manifest):
    """Return a folder of two portraits in colour, small as from a phone."""
    folder = tmp_path / "people"
    folder.mkdir()
    for name in ("obama3", "biden"):
        image = decode_image(sample(manifest, name).read_bytes())
        scale = 900 / max(image.shape)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        (folder / f"{name}.jpg").write_bytes(cv2.imencode(".jpg", small)[1].tobytes())
    return folder


def test_the_rig_renders_judges_and_marks_as_simulated(evaluate, people, tmp_path):
    arguments = ("--rig", 1, "--seed", 40, "--people", people, "--species", "bona-fide,frozen")
    code, report = evaluate("evaluate", "pad", *arguments, "--out", tmp_path / "out")
    assert code == 0
    assert report["simulated"] is True
    assert report["provenance"]["seeds"] == "40-40"
    liveness = report["units"]["liveness"]
    assert liveness["bona_fide"]["simulated"] is True
    assert liveness["bona_fide"]["n"] == 1
    assert liveness["species"][0]["simulated"] is True
    assert liveness["species"][0]["apcer"]["count"] == 0
    first = load_judged((tmp_path / "out" / "captures.json").read_bytes())
    again = evaluate("evaluate", "pad", *arguments, "--out", tmp_path / "out", "--threads", 2)
    assert again[1]["units"] == report["units"]
    assert load_judged((tmp_path / "out" / "captures.json").read_bytes()) == first


def test_a_policy_is_made_of_judged_captures(evaluate, tmp_path):
    """The captures here are drawn numbers; the command and the file are what is tried."""
    rng = random.Random(1)
    captures = []
    for index in range(60):
        honest = index % 2 == 0
        score = rng.gauss(2.0 if honest else -1.0, 1.0)
        signal = {
            "method": "head-relief",
            "version": "2",
            "result": "ok" if score > -3 else "failed",
            "reasons": [],
            "score": score,
        }
        captures.append(
            {
                "species": "bona-fide" if honest else "print",
                "item": str(index),
                "unit": "liveness",
                "simulated": True,
                "outcome": "PASSED",
                "reasons": [],
                "signals": [signal],
                "score": score,
                "scores": {},
                "frames": 90,
            }
        )
    judged = {
        "schema": "chinhchu-pad-captures-1",
        "simulated": True,
        "provenance": {
            "software": "chinhchu 0",
            "manifest_sha256": "0" * 64,
            "policy_sha256": "none",
            "models": {},
            "source": "rig",
            "seeds": "0-29",
            "people": "drawn",
            "date": "2026-01-01",
        },
        "captures": captures,
    }
    file = tmp_path / "captures.json"
    file.write_text(json.dumps(judged))
    code, told = evaluate("calibrate-pad", file, "--out", tmp_path / "pad.json")
    assert code == 0
    policy = load_pad_policy((tmp_path / "pad.json").read_bytes())
    assert told["threshold"] == policy.threshold
    assert not policy.point.shown
    assert policy.attacks == {"print": 30}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("missing",),
        ("--rig", "2"),
        ("--people", "x"),
        ("--rig", "1", "--people", "missing.csv"),
    ],
)
def test_wrong_arguments_are_told_in_plain_words(evaluate, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, told = evaluate("evaluate", "pad", *arguments)
    assert code in (2, 4)
    assert told["error"]


def test_an_unknown_species_is_refused(evaluate, test_data):
    code, _ = evaluate("evaluate", "pad", test_data / "pad", "--species", "mask")
    assert code == 4
