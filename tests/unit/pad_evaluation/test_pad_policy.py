"""The policy file: weights, threshold, and what is refused."""

import json

import pytest

from biometrics.liveness.policy import (
    CLIP,
    PadPolicyInvalidError,
    dump_pad_policy,
    load_pad_policy,
)

POLICY = {
    "schema": "chinhchu-pad-policy-1",
    "created_by": "chinhchu calibrate-pad captures.json --apcer 0.01",
    "simulated": True,
    "runs": [
        {"report_sha256": "0" * 64, "simulated": True, "seeds": "0-299", "people": "list, folds 1"}
    ],
    "bona_fide": 300,
    "attacks": {"print": 300},
    "signals": {
        "head-geometry": {
            "version": "1",
            "scale": 2.0,
            "offset": -1.0,
            "bona_fide": 300,
            "attacks": 290,
            "cllr": 0.2,
        }
    },
    "unweighed": {"screen-light": "9 bona fide and 4 attack scores only"},
    "threshold": 0.5,
    "point": {
        "apcer": 0.01,
        "shown": True,
        "worst_species": "print",
        "apcer_seen": 0.0,
        "apcer_upper": 0.00994,
        "uncovered": {},
        "bpcer_seen": 0.0,
        "bpcer_upper": 0.00994,
    },
}


def with_(path, value):
    policy = json.loads(json.dumps(POLICY))
    *folders, last = path.split(".")
    place = policy
    for folder in folders:
        place = place[folder]
    place[last] = value
    return json.dumps(policy).encode()


def test_it_survives_a_round_trip():
    policy = load_pad_policy(json.dumps(POLICY).encode())
    assert load_pad_policy(dump_pad_policy(policy)) == policy
    assert dump_pad_policy(policy) == dump_pad_policy(load_pad_policy(dump_pad_policy(policy)))


def test_a_score_becomes_a_ratio_within_the_clip():
    policy = load_pad_policy(json.dumps(POLICY).encode())
    assert policy.llr("head-geometry", 1.5) == pytest.approx(2.0)
    assert policy.llr("head-geometry", 100.0) == CLIP
    assert policy.llr("head-geometry", -100.0) == -CLIP


def test_what_is_missing_adds_nothing():
    policy = load_pad_policy(json.dumps(POLICY).encode())
    assert policy.llr("head-geometry", None) == 0
    assert policy.llr("another", 9.0) == 0


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_no_number_is_the_worst(score):
    policy = load_pad_policy(json.dumps(POLICY).encode())
    assert policy.llr("head-geometry", score) == -CLIP


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "chinhchu-pad-policy-2"),
        ("simulated", False),
        ("simulated", "yes"),
        ("runs", []),
        ("signals", {}),
        ("signals.head-geometry.scale", 0.0),
        ("signals.head-geometry.scale", -2.0),
        ("signals.head-geometry.scale", "2"),
        ("signals.head-geometry.more", 1),
        ("unweighed", {"head-geometry": "too few"}),
        ("threshold", 4.5),
        ("threshold", None),
        ("point.worst_species", "mask"),
        ("point.apcer_upper", 0.02),
        ("point.apcer_seen", 1.5),
        ("point.uncovered", {"print": 0.3}),
        ("point.uncovered", {"mask": 0.3}),
        ("attacks", {"print": 0}),
        ("extra", 1),
    ],
)
def test_anything_else_is_refused(path, value):
    with pytest.raises(PadPolicyInvalidError):
        load_pad_policy(with_(path, value))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b" " * (1 << 19),
        json.dumps(POLICY).replace("0.5", "NaN").encode(),
        json.dumps(POLICY).replace('"threshold"', '"threshold": 0.1, "threshold"').encode(),
    ],
)
def test_what_is_no_policy_is_refused(data):
    with pytest.raises(PadPolicyInvalidError):
        load_pad_policy(data)
