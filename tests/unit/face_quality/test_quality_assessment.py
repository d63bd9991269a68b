"""From measures to verdict, component and weight, on values worked out by hand."""

import json
import math
from dataclasses import replace

import pytest

from biometrics.quality import (
    Role,
    assess_quality,
    load_requirements,
    quality_components,
    quality_weight,
)
from biometrics.quality.assessment import MEASURE_INVALID, MIN_WEIGHT
from biometrics.quality.measures import MEASURES, FaceQuality
from biometrics.quality.requirements import RequirementsInvalidError
from biometrics.types import Outcome

REQUIREMENTS = load_requirements()
BY_REASON = {entry.reason: entry for entry in REQUIREMENTS.requirements}

GOOD = FaceQuality(
    luminance_mean=0.5,
    luminance_variance=0.0167,
    under_exposure=0.0,
    over_exposure=0.0,
    dynamic_range=7.0,
    highlights=0.8,
    illumination_uniformity=0.5,
    side_light=0.1,
    natural_colour=0.0,
    sharpness=0.6,
    inter_eye_distance=120.0,
    head_size=0.45,
    leftward_crop=2.0,
    rightward_crop=2.0,
    margin_above=1.8,
    margin_below=2.4,
    outside=0.0,
    yaw=0.0,
    pitch=0.0,
    roll=0.0,
    eyes_open=0.07,
    mouth_open=0.01,
    second_face=0.0,
    eyes_closed_sign=-6.0,
    dark_glasses_sign=-6.0,
    mouth_covered_sign=-6.0,
    face_covered_sign=-6.0,
)


def just_beyond(entry, limit):
    step = 1e-3 if entry.refused != "below" else -1e-3
    return limit + step


def test_a_good_picture_passes_on_either_side():
    for role in Role:
        verdict = assess_quality(GOOD, REQUIREMENTS, role)
        assert verdict.outcome is Outcome.PASSED
        assert verdict.reasons == ()
        assert verdict.advice == ()


@pytest.mark.parametrize("reason", BY_REASON)
def test_each_limit_is_kept_and_missed_by_a_hair(reason):
    entry = BY_REASON[reason]
    at = assess_quality(replace(GOOD, **{entry.measure: entry.probe}), REQUIREMENTS)
    beyond = assess_quality(
        replace(GOOD, **{entry.measure: just_beyond(entry, entry.probe)}), REQUIREMENTS
    )
    assert reason not in at.reasons
    assert beyond.reasons == (reason,)
    assert beyond.outcome is Outcome.INDETERMINATE
    assert [(a.reason, a.en, a.vi) for a in beyond.advice] == [(reason, entry.en, entry.vi)]


@pytest.mark.parametrize("reason", [r for r, e in BY_REASON.items() if e.refused == "beyond"])
def test_angles_are_judged_to_both_sides(reason):
    entry = BY_REASON[reason]
    value = -just_beyond(entry, entry.probe)
    assert assess_quality(replace(GOOD, **{entry.measure: value}), REQUIREMENTS).reasons == (
        reason,
    )


@pytest.mark.parametrize("reason", BY_REASON)
def test_the_portrait_is_judged_by_its_own_limit_or_not_at_all(reason):
    entry = BY_REASON[reason]
    poor = replace(GOOD, **{entry.measure: just_beyond(entry, entry.probe)})
    lenient = entry.reference is None or entry.reference != entry.probe
    assert (assess_quality(poor, REQUIREMENTS, Role.REFERENCE).reasons == ()) is lenient


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_never_passes(measure, value):
    verdict = assess_quality(replace(GOOD, **{measure: value}), REQUIREMENTS)
    assert verdict.outcome is Outcome.INDETERMINATE
    assert verdict.reasons == (MEASURE_INVALID,)
    assert verdict.weight == MIN_WEIGHT


def test_covers_are_not_guessed_at_in_the_dark():
    masked = replace(GOOD, mouth_covered_sign=9.0)
    assert assess_quality(masked, REQUIREMENTS).reasons == ("quality-mouth-covered",)
    dark = replace(masked, highlights=0.1)
    assert assess_quality(dark, REQUIREMENTS).reasons == ("quality-too-dark",)


def test_what_a_cover_hides_is_not_asked_for():
    glasses = replace(GOOD, dark_glasses_sign=9.0, eyes_closed_sign=9.0)
    assert assess_quality(glasses, REQUIREMENTS).reasons == ("quality-dark-glasses",)
    mask = replace(GOOD, mouth_covered_sign=9.0, mouth_open=0.5)
    assert assess_quality(mask, REQUIREMENTS).reasons == ("quality-mouth-covered",)


def test_a_requirement_on_an_unknown_measure_is_a_fault_not_a_pass():
    odd = replace(REQUIREMENTS.requirements[0], measure="charm")
    with pytest.raises(RequirementsInvalidError, match="charm"):
        assess_quality(GOOD, replace(REQUIREMENTS, requirements=(odd,)))


@pytest.mark.parametrize(
    ("component", "change", "expected"),
    [
        # The standard's maps at their centres and ends.
        ("inter-eye-distance", {"inter_eye_distance": 70.0}, 50),
        ("inter-eye-distance", {"inter_eye_distance": 90.0}, 73),
        ("eyes-open", {"eyes_open": 0.02}, 50),
        ("mouth-closed", {"mouth_open": 0.2}, 50),
        ("head-pose-yaw", {"yaw": 45.0}, 50),
        ("head-pose-pitch", {"pitch": -60.0}, 25),
        ("head-pose-roll", {"roll": 120.0}, 0),
        ("dynamic-range", {"dynamic_range": 4.0}, 50),
        ("luminance-mean", {"luminance_mean": 0.2}, 50),
        ("luminance-mean", {"luminance_mean": 0.8}, 50),
        ("luminance-variance", {"luminance_variance": 1 / 60}, 100),
        ("luminance-variance", {"luminance_variance": 0.0}, 0),
        ("over-exposure-prevention", {"over_exposure": 0.0}, 100),
        ("over-exposure-prevention", {"over_exposure": 0.09}, 10),
        ("under-exposure-prevention", {"under_exposure": 0.0}, 100),
        ("under-exposure-prevention", {"under_exposure": 1.0}, 0),
        ("illumination-uniformity", {"illumination_uniformity": 1.0}, 100),
        ("illumination-uniformity", {"illumination_uniformity": 0.0}, 0),
        ("head-size", {"head_size": 0.45}, 100),
        ("leftward-crop", {"leftward_crop": 0.9}, 50),
        ("rightward-crop", {"rightward_crop": 0.9}, 50),
        ("margin-above", {"margin_above": 1.4}, 50),
        ("margin-below", {"margin_below": 1.8}, 50),
        ("natural-colour", {"natural_colour": 0.0}, 100),
        ("single-face-present", {"second_face": 0.25}, 75),
        ("single-face-present", {"second_face": 3.0}, 0),
        ("eyes-visible", {"dark_glasses_sign": 0.0}, 50),
    ],
)
def test_components_follow_their_maps(component, change, expected):
    assert quality_components(replace(GOOD, **change))[component] == expected


@pytest.mark.parametrize(
    "worse",
    [
        {"sharpness": 0.4},
        {"yaw": 30.0},
        {"pitch": -30.0},
        {"highlights": 0.35},
        {"over_exposure": 0.3},
        {"side_light": 1.5},
        {"inter_eye_distance": 35.0},
        {"eyes_closed_sign": 3.0},
        {"dark_glasses_sign": 3.0},
        {"mouth_covered_sign": 3.0},
        {"face_covered_sign": 3.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_poorer_frame_counts_less(worse):
    assert MIN_WEIGHT <= quality_weight(replace(GOOD, **worse)) < quality_weight(GOOD) <= 1


def test_the_record_is_json_and_holds_nothing_but_numbers_reasons_and_advice():
    record = assess_quality(replace(GOOD, sharpness=0.1), REQUIREMENTS).to_dict()
    again = json.loads(json.dumps(record, allow_nan=False))
    assert again["reasons"] == ["quality-blurred"]
    assert set(again["measures"]) == set(MEASURES)
    assert all(isinstance(value, int) for value in again["components"].values())
    assert all(0 <= value <= 100 for value in again["components"].values())


def test_a_verdict_does_not_print_its_measures():
    assert "sharpness" not in repr(assess_quality(GOOD, REQUIREMENTS))
