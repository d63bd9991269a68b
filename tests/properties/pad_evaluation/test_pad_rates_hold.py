"""What holds for any judged captures: counts add up, and a policy keeps what it promises."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.evaluation.intervals import upper_limit
from biometrics.liveness.policy import CLIP, PadPolicyInvalidError, load_pad_policy
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
from biometrics.pad_evaluation.report import build_report

PROVENANCE = Provenance(
    software="chinhchu 0",
    manifest_sha256="0" * 64,
    policy_sha256="none",
    models={},
    source="rig",
    seeds="0-9",
    people="list",
    date="2026-01-01",
)
SCORES = st.floats(-50, 50).map(lambda x: round(x, 3))
RESULTS = st.sampled_from(["ok", "failed", "not_performed"])


@st.composite
def captures(draw):
    result = draw(RESULTS)
    signal = JudgedSignal(
        method="head-relief",
        version="2",
        result=result,
        reasons=("flat",) if result == "failed" else (),
        score=draw(st.none() | SCORES),
    )
    return JudgedCapture(
        species=draw(st.sampled_from(["bona-fide", "print", "mask"])),
        item="0",
        unit="liveness",
        simulated=True,
        outcome=draw(st.sampled_from(["PASSED", "INDETERMINATE", "FAILED"])),
        reasons=signal.reasons,
        signals=(signal,),
        score=draw(st.none() | SCORES),
        scores={},
        frames=draw(st.integers(0, 301)),
    )


MANY = st.lists(captures(), max_size=80)


def judged(found):
    return JudgedCaptures(
        schema="chinhchu-pad-captures-1",
        simulated=bool(found),
        provenance=PROVENANCE,
        captures=tuple(replace(c, item=str(i)) for i, c in enumerate(found)),
    )


@given(MANY)
@settings(max_examples=60, deadline=None)
def test_every_presentation_is_counted_once(found):
    units = build_report(judged(found))["units"]
    if not found:
        assert units == {}
        return
    liveness = units["liveness"]
    total = sum(row["n"] for row in liveness["species"])
    for row in liveness["species"]:
        assert sum(row[key]["count"] for key in ("apcer", "apnrr", "refused")) == row["n"]
        low, high = row["apcer"]["interval"]
        assert 0 <= low <= row["apcer"]["value"] <= high <= 1
    honest = liveness["bona_fide"]
    if honest:
        total += honest["n"]
        both = honest["bpcer"]["count"] + honest["bpnrr"]["count"]
        assert honest["not_accepted"]["count"] == both
    assert total == len(found)
    rates = [row["apcer"]["value"] for row in liveness["species"]]
    assert rates == sorted(rates, reverse=True)


@given(MANY)
@settings(max_examples=60, deadline=None)
def test_files_survive_a_round_trip(found):
    assert load_judged(dump_judged(judged(found))) == judged(found)


@given(MANY, st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=60, deadline=None)
def test_a_policy_keeps_its_promise_or_is_refused(found, apcer):
    try:
        policy = make_policy([dump_judged(judged(found))], created_by="test", apcer=apcer)
    except (PadCalibrationRefusedError, PadPolicyInvalidError):
        return
    for species, total in policy.attacks.items():
        if species in policy.point.uncovered:
            continue
        accepted = sum(
            capture.species == species
            and capture.passes_without_sum
            and sum(policy.llr(s.method, s.score) for s in capture.signals) >= policy.threshold
            for capture in found
        )
        assert upper_limit(accepted, total) <= max(apcer, upper_limit(0, total)) + 1e-9


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_score_adds_more_than_the_clip(score):
    found = [make("bona-fide", 3.0 + i / 10) for i in range(12)]
    found += [make("print", -3.0 - i / 10) for i in range(12)]
    policy = make_policy([dump_judged(judged(found))], created_by="test")
    assert abs(policy.llr("head-relief", score)) <= CLIP


def make(species, score):
    signal = JudgedSignal(method="head-relief", version="2", result="ok", reasons=(), score=score)
    return JudgedCapture(
        species=species,
        item="0",
        unit="liveness",
        simulated=True,
        outcome="PASSED",
        reasons=(),
        signals=(signal,),
        score=None,
        scores={},
        frames=90,
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["schema", "captures", "signals", "runs", "point", "simulated", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_json_but_the_format_is_read(value):
    data = json.dumps(value).encode()
    for load, error in (
        (load_judged, PadDataInvalidError),
        (load_pad_policy, PadPolicyInvalidError),
    ):
        try:
            load(data)
        except error:
            continue
        raise AssertionError("this is no such file")
