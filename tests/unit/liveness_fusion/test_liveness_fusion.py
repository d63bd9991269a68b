"""No path to PASSED without every mandatory signal, nor below the sum, nor by another's policy."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biometrics.liveness import continuity, geometry, identity, light, protocol
from biometrics.liveness.findings import adverse, unclear
from biometrics.liveness.fusion import fuse
from biometrics.liveness.policy import open_pad_policy
from biometrics.liveness.signal import Signal
from biometrics.manifest import load_manifest
from biometrics.types import CheckResult, Method, Outcome

POLICY = open_pad_policy(load_manifest())
WEIGHED = {name: Method(name, weight.version) for name, weight in POLICY.signals.items()}
RELIEF = WEIGHED["head-relief"]


def signal(method=None, *, findings=(), performed=True, score=None, **more):
    return Signal(method or Method("any", "1"), tuple(findings), performed, score, **more)


def outcome(mandatory, supporting=()):
    decided, findings, _ = fuse(mandatory, supporting, POLICY)
    assert (decided is Outcome.PASSED) is (bool(mandatory) and not findings)
    return decided, {finding.reason for finding in findings}


def test_all_well_passes():
    assert outcome([signal(), signal(RELIEF, score=5.0)]) == (Outcome.PASSED, set())


def test_nothing_is_no_pass():
    assert outcome([]) == (Outcome.INDETERMINATE, set())
    assert outcome([], [signal(score=9.0)])[0] is Outcome.INDETERMINATE


def test_a_mandatory_signal_that_says_nothing_is_no_pass():
    silent = signal(performed=False)
    assert outcome([signal(), silent]) == (Outcome.INDETERMINATE, {"pad-signal-missing"})
    unsure = signal(is_conclusive=False)
    assert outcome([signal(), unsure]) == (Outcome.INDETERMINATE, {"pad-signal-missing"})


@pytest.mark.parametrize("score", [-9.0, math.nan, math.inf, -math.inf])
def test_a_sum_below_the_threshold_is_refused(score):
    assert outcome([signal(RELIEF, score=score)]) == (Outcome.FAILED, {"pad-attack-suspected"})


def test_scores_of_another_version_are_not_weighed_by_this_policy():
    other = signal(replace(RELIEF, version="0"), score=9.0)
    assert outcome([other]) == (Outcome.INDETERMINATE, {"pad-policy-outdated"})
    assert outcome([signal()], [other])[1] == {"pad-policy-outdated"}
    absent = signal(Method("minifasnet", "not-installed"), performed=False, is_passive=True)
    assert outcome([signal(RELIEF, score=9.0)], [absent]) == (Outcome.PASSED, set())


def test_what_a_passive_model_cannot_judge_is_no_finding():
    passive = signal(findings=[unclear("pad-context-missing")], performed=False, is_passive=True)
    assert outcome([signal()], [passive]) == (Outcome.PASSED, set())


SIGNALS = st.builds(
    signal,
    st.sampled_from([Method("any", "1"), *WEIGHED.values()]),
    findings=st.lists(st.sampled_from([adverse("a"), unclear("b")]), max_size=2),
    performed=st.booleans(),
    score=st.none() | st.floats(),
    is_passive=st.booleans(),
    is_conclusive=st.booleans(),
)


@given(st.lists(SIGNALS, max_size=5), st.lists(SIGNALS, max_size=3))
def test_no_pass_without_every_mandatory_signal(mandatory, supporting):
    decided, _ = outcome(mandatory, supporting)
    if decided is Outcome.PASSED:
        assert all(signal.result is CheckResult.OK for signal in mandatory)
        assert all(signal.result is not CheckResult.FAILED for signal in supporting)
    if any(signal.result is CheckResult.FAILED for signal in (*mandatory, *supporting)):
        assert decided is Outcome.FAILED


def test_the_shipped_policy_weighs_the_signals_as_they_are_now():
    methods = {
        module.METHOD.id: module.METHOD
        for module in (continuity, geometry, identity, light, protocol)
    }
    for name in WEIGHED.keys() & methods.keys():
        assert methods[name] == WEIGHED[name]


@given(st.none() | st.floats(), st.floats())
def test_the_evidence_is_json(score, value):
    record = signal(score=score, measurements={"x": value}).to_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
