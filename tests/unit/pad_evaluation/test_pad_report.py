"""Rates of ISO/IEC 30107-3 from judged captures whose counts are known."""

import json
from dataclasses import replace

import pytest

from biometrics.pad_evaluation.calibrating import make_policy
from biometrics.pad_evaluation.errors import PadCalibrationRefusedError, PadDataInvalidError
from biometrics.pad_evaluation.judged import (
    JudgedCapture,
    JudgedCaptures,
    JudgedSignal,
    Provenance,
    dump_judged,
    load_judged,
)
from biometrics.pad_evaluation.plots import draw
from biometrics.pad_evaluation.report import build_report

PROVENANCE = Provenance(
    software="chinhchu 0",
    manifest_sha256="0" * 64,
    policy_sha256="none",
    models={"yunet": "0" * 64},
    source="rig",
    seeds="0-9",
    people="list",
    date="2026-01-01",
)


def capture(species, outcome, *, geometry=0.0, failed=(), reasons=None, unit="liveness", item="0"):
    names = ("head-geometry", "continuity")
    signals = tuple(
        JudgedSignal(
            method=name,
            version="1",
            result="failed" if name in failed else "ok",
            reasons=(f"{name}-bad",) if name in failed else (),
            score=geometry if name == "head-geometry" else None,
        )
        for name in names
    )
    told = tuple(f"{name}-bad" for name in failed) if reasons is None else tuple(reasons)
    return JudgedCapture(
        species=species,
        item=item,
        unit=unit,
        simulated=True,
        outcome=outcome,
        reasons=told,
        signals=signals,
        score=geometry,
        scores={"minifasnet": 0.5 + geometry / 20} if unit == "passive" else {},
        frames=90,
    )


def judged(*captures):
    return JudgedCaptures(
        schema="chinhchu-pad-captures-1",
        simulated=any(c.simulated for c in captures),
        provenance=PROVENANCE,
        captures=tuple(
            replace(c, item=str(i)) if c.item == "0" else c for i, c in enumerate(captures)
        ),
    )


HONEST = [capture("bona-fide", "PASSED", geometry=3 + i / 50) for i in range(95)]
HONEST += [capture("bona-fide", "FAILED", geometry=-1.0, failed=["head-geometry"])] * 2
HONEST += [capture("bona-fide", "INDETERMINATE", geometry=1.0, reasons=["x-unclear"])] * 3
PRINTS = [
    capture("print", "FAILED", geometry=-3 - i / 50, failed=["head-geometry"]) for i in range(100)
]
JUMPS = [
    capture("print", "FAILED", geometry=-3 - i / 50, failed=["continuity"]) for i in range(100)
]
REPLAYS = [capture("replay", "FAILED", geometry=3.5, failed=["continuity"])] * 90
REPLAYS += [capture("replay", "INDETERMINATE", geometry=3.5, reasons=["x-unclear"])] * 6
REPLAYS += [capture("replay", "PASSED", geometry=3.5)] * 4


@pytest.fixture(scope="module")
def report():
    return build_report(judged(*HONEST, *PRINTS, *REPLAYS))


def test_the_worst_species_comes_first(report):
    rows = report["units"]["liveness"]["species"]
    assert [row["species"] for row in rows] == ["replay", "print"]
    assert report["units"]["liveness"]["worst"] == "replay"


def test_attacks_are_counted_as_accepted_without_verdict_and_refused(report):
    replay, print_ = report["units"]["liveness"]["species"]
    assert (replay["apcer"]["count"], replay["apnrr"]["count"], replay["refused"]["count"]) == (
        4,
        6,
        90,
    )
    assert print_["apcer"] == {"value": 0.0, "interval": [0.0, 0.03], "count": 0, "n": 100}
    assert print_["apcer_upper"] == pytest.approx(1 - 0.05 ** (1 / 100), abs=1e-6)


def test_bona_fide_refused_and_without_verdict_are_told_apart_and_together(report):
    honest = report["units"]["liveness"]["bona_fide"]
    assert honest["bpcer"]["value"] == 0.02
    assert honest["bpnrr"]["value"] == 0.03
    assert honest["not_accepted"]["value"] == 0.05


def test_each_signal_s_own_part_is_told(report):
    signals = report["units"]["liveness"]["signals"]
    assert signals["head-geometry"]["species"]["print"]["failed"]["value"] == 1.0
    assert signals["head-geometry"]["species"]["print"]["alone"] == 100
    assert signals["head-geometry"]["species"]["print"]["reasons"] == {"head-geometry-bad": 100}
    assert signals["continuity"]["species"]["replay"]["failed"]["count"] == 90
    assert signals["continuity"]["species"]["print"]["failed"]["count"] == 0


def test_scores_that_separate_and_scores_that_do_not(report):
    scores = report["units"]["liveness"]["scores"]["head-geometry"]["species"]
    assert scores["print"]["auc"] == 1.0
    assert 0.2 < scores["replay"]["auc"] < 0.9


def test_no_attack_and_no_bona_fide_give_no_rate():
    honest_only = build_report(judged(*HONEST))["units"]["liveness"]
    assert honest_only["species"] == []
    assert honest_only["worst"] is None
    assert honest_only["scores"] == {}
    attacks_only = build_report(judged(*PRINTS))["units"]["liveness"]
    assert attacks_only["bona_fide"] is None


def test_simulation_is_marked_everywhere(report):
    assert report["simulated"] is True
    rows = report["units"]["liveness"]["species"]
    assert all(row["simulated"] for row in rows)
    plots = draw(report)
    assert set(plots) == {f"liveness-{name}.svg" for name in ("rates", "signals", "det", "scores")}
    assert all(svg.startswith(b"<?xml") for svg in plots.values())
    assert draw(report) == plots


def test_pictures_are_a_unit_of_their_own():
    mixed = judged(*HONEST, capture("print", "PASSED", unit="passive", geometry=4.0))
    units = build_report(mixed)["units"]
    assert units["liveness"]["species"] == []
    assert units["passive"]["species"][0]["apcer"]["value"] == 1.0
    assert "passive models, and continuity" in units["passive"]["meaning"]


def test_the_report_names_no_item():
    found = build_report(judged(*HONEST, capture("print", "FAILED", item="print/anna.jpg")))
    assert "anna" not in json.dumps(found)


def test_captures_survive_a_round_trip():
    every = judged(*HONEST, *PRINTS, *REPLAYS)
    assert load_judged(dump_judged(every)) == every
    assert load_judged(dump_judged(judged())) == judged()


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.update(schema="other"),
        lambda record: record.update(simulated=False),
        lambda record: record.update(more=1),
        lambda record: record["captures"][0].update(outcome="MAYBE"),
        lambda record: record["captures"][0].update(species="../x"),
        lambda record: record["captures"][0]["signals"][0].update(score="high"),
        lambda record: record.pop("captures"),
    ],
)
def test_malformed_captures_are_refused(change):
    record = json.loads(dump_judged(judged(*HONEST[:2])))
    change(record)
    with pytest.raises(PadDataInvalidError):
        load_judged(json.dumps(record).encode())


def test_a_policy_keeps_its_promise_for_the_species_that_only_the_sum_can_refuse():
    """Attacks that no rule refuses, with a lower score than honest people: the sum must."""
    masks = [capture("mask", "PASSED", geometry=0.5 + i / 1000) for i in range(400)]
    policy = make_policy([dump_judged(judged(*HONEST, *masks))], created_by="test")
    assert policy.point.worst_species == "mask"
    assert policy.point.shown
    assert policy.point.apcer_upper <= 0.01
    assert policy.llr("head-geometry", 3.0) > policy.threshold
    assert policy.llr("head-geometry", 0.8) < policy.threshold
    assert policy.simulated


def test_attacks_that_the_rules_refuse_do_not_raise_the_threshold():
    refused = [capture("replay", "FAILED", geometry=4.9, failed=["continuity"])] * 400
    policy = make_policy([dump_judged(judged(*HONEST, *JUMPS, *refused))], created_by="test")
    assert policy.threshold <= 0
    assert not policy.point.uncovered


def test_a_species_that_looks_like_people_to_the_sum_is_said_to_be_uncovered():
    twins = [capture("twin", "PASSED", geometry=3 + i / 50) for i in range(95)]
    policy = make_policy([dump_judged(judged(*HONEST, *JUMPS, *twins))], created_by="test")
    assert dict(policy.point.uncovered) == {"twin": 1.0}
    assert policy.point.worst_species == "print"
    assert policy.point.bpcer_seen <= 0.02


def test_what_a_signal_itself_refuses_teaches_nothing_about_its_score():
    """The sum is for captures that no rule refuses."""
    with pytest.raises(PadCalibrationRefusedError, match="98 bona fide and 0 attack scores"):
        make_policy([dump_judged(judged(*HONEST, *PRINTS))], created_by="test")


def test_no_capture_counts_twice():
    file = dump_judged(judged(*HONEST, *JUMPS))
    with pytest.raises(PadCalibrationRefusedError, match="twice"):
        make_policy([file, file], created_by="test")


def test_what_a_passive_model_could_not_judge_refuses_nothing():
    """The fusion passes such captures, so an attack among them counts as accepted."""
    unsure = JudgedSignal(
        method="minifasnet",
        version="1",
        result="not_performed",
        reasons=("pad-context-missing",),
        score=None,
    )
    close = replace(HONEST[0], signals=(*HONEST[0].signals, unsure))
    assert close.passes_without_sum
    assert not replace(close, reasons=("challenge-face-lost",)).passes_without_sum
    assert not PRINTS[0].passes_without_sum


def test_too_few_attacks_to_show_a_rate_are_said_to_be_too_few():
    policy = make_policy([dump_judged(judged(*HONEST, *JUMPS[:20]))], created_by="test")
    assert not policy.point.shown


def test_a_signal_whose_scores_do_not_help_adds_nothing():
    backwards = [capture("print", "FAILED", geometry=9.0, failed=["continuity"])] * 50
    with pytest.raises(PadCalibrationRefusedError, match="head-geometry"):
        make_policy([dump_judged(judged(*HONEST, *backwards))], created_by="test")


@pytest.mark.parametrize("captures", [[], HONEST, JUMPS, HONEST[:3] + JUMPS])
def test_too_little_carries_no_policy(captures):
    with pytest.raises(PadCalibrationRefusedError):
        make_policy([dump_judged(judged(*captures))], created_by="test")
