"""Portrait, probes and captures through the real models."""

import io
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage

from biometrics.challenge import Challenge, Turn
from biometrics.detection import (
    FaceMissingError,
    FaceTiltedError,
    FaceTooSmallError,
    SeveralFacesError,
)
from biometrics.image import ImageUnreadableError, decode_image
from biometrics.manifest import load_manifest
from biometrics.liveness.passive import PassivePad
from biometrics.pipeline import FacePipeline, PortraitUnusableError
from biometrics.rig import RigKind, RigOrderError
from biometrics.types import CheckResult, FrameSample, Outcome

ORDERS = [
    ("left", "right"),
    ("right", "left"),
    ("right", "left", "right"),
    ("left", "left", "right"),
]
HEAD, PHOTO = RigKind.TURNING_HEAD, RigKind.FLAT_PHOTO


def ask(*order):
    return Challenge("0" * 32, tuple(Turn(side) for side in order))


def edit(data, change):
    buffer = io.BytesIO()
    change(PillowImage.open(io.BytesIO(data)).convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()


def side_by_side(a, b):
    left, right = (
        PillowImage.open(io.BytesIO(d)).convert("RGB").resize((600, 750)) for d in (a, b)
    )
    both = PillowImage.new("RGB", (1200, 750))
    both.paste(left, (0, 0))
    both.paste(right, (600, 0))
    buffer = io.BytesIO()
    both.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def head(rig, picture):
    return rig.render(HEAD, picture("obama3"), ("left", "right"), seed=1)


def test_mated_pictures_match(pipeline, picture):
    reference = pipeline.enrol(picture("obama"))
    for probes in (["obama2"], ["obama3"], ["obama2", "obama3"]):
        verdict = pipeline.compare(reference, [picture(name) for name in probes])
        assert verdict.outcome is Outcome.PASSED
        assert verdict.score > 6
        assert verdict.probes_used == len(probes)
        assert verdict.fmr_at_threshold == 1e-4


def test_the_best_pictures_are_compared_not_the_first(pipeline, picture):
    good = picture("obama3")
    dark = edit(good, lambda image: image.point(lambda level: level // 12))
    reference = pipeline.enrol(picture("obama"))
    alone = pipeline.compare(reference, [dark])
    assert alone.outcome is Outcome.INDETERMINATE
    assert alone.reasons and alone.reasons[0].startswith("quality-")
    verdict = pipeline.compare(reference, [dark] * 5 + [good])
    assert (verdict.outcome, verdict.probes_used) == (Outcome.PASSED, 1)


def test_another_person_does_not_match(pipeline, picture):
    verdict = pipeline.compare(pipeline.enrol(picture("obama")), [picture("biden")])
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reasons == ("comparison-no-match",)


def test_a_chip_portrait_still_matches(pipeline, picture):
    def shrink(image):
        return image.crop((200, 0, 710, 680)).resize((120, 160)).convert("L")

    small = edit(picture("obama"), shrink)
    verdict = pipeline.compare(pipeline.enrol(small), [picture("obama3")])
    assert verdict.outcome is Outcome.PASSED


def test_nothing_personal_is_printable(pipeline, picture, head):
    reference = pipeline.enrol(picture("obama"))
    verdict = pipeline.verify_capture(picture("obama"), head, ask("left", "right"))
    shown = repr(reference) + repr(verdict) + repr(head[0])
    for secret in ("array", "score", "interocular", "b'", "residual", "offset"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda image: image.rotate(90, expand=True), FaceTiltedError),
        (lambda image: image.rotate(180), FaceTiltedError),
        (lambda image: image.rotate(40), FaceTiltedError),
        (lambda image: PillowImage.new("RGB", (640, 480), "gray"), FaceMissingError),
        (lambda image: PillowImage.effect_noise((640, 480), 90).convert("RGB"), FaceMissingError),
        (lambda image: PillowImage.new("RGB", (1, 1)), FaceMissingError),
        (lambda image: PillowImage.new("RGB", (4000, 1)), FaceMissingError),
        (lambda image: image.crop((0, 500, 910, 1137)), FaceMissingError),
        (lambda image: image.resize((120, 150)), FaceTooSmallError),
    ],
)
def test_unusable_probe_is_refused(pipeline, picture, change, error):
    data = edit(picture("obama"), change)
    with pytest.raises((error, FaceMissingError)):
        pipeline.compare(pipeline.enrol(picture("obama")), [data])
    with pytest.raises(PortraitUnusableError):
        pipeline.enrol(data)


def test_two_people_are_refused(pipeline, picture):
    both = side_by_side(picture("obama"), picture("obama2"))
    with pytest.raises(SeveralFacesError):
        pipeline.compare(pipeline.enrol(picture("obama")), [both])
    with pytest.raises(PortraitUnusableError) as caught:
        pipeline.enrol(both)
    assert caught.value.cause_code == "several-faces"


def test_unreadable_probe_is_refused(pipeline, picture):
    with pytest.raises(ImageUnreadableError):
        pipeline.compare(pipeline.enrol(picture("obama")), [picture("obama2")[:5000]])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["obama3", "obama"])
def test_turning_head_passes(pipeline, rig, picture, name, order):
    frames = rig.render(HEAD, picture(name), order, seed=len(order))
    verdict = pipeline.verify_capture(picture("obama"), frames, ask(*order))
    assert (verdict.outcome, verdict.reasons) == (Outcome.PASSED, ())
    assert verdict.face_result is verdict.pad_result is CheckResult.OK
    assert all(step.residual >= step.residual_required for step in verdict.active.steps)
    assert all(ms > 0 for ms in verdict.times_ms.values())


@pytest.mark.parametrize("turn_deg", [10, 20, 30, 40, 50])
@pytest.mark.parametrize("name", ["obama3", "obama2", "biden"])
def test_flat_photo_is_refused(pipeline, rig, picture, name, turn_deg):
    frames = rig.render(PHOTO, picture(name), ("left", "right"), turn_deg=turn_deg, seed=turn_deg)
    verdict = pipeline.active_challenge(ask("left", "right"), frames)
    assert verdict.outcome is Outcome.FAILED
    assert "challenge-step-missing" in verdict.reasons
    if turn_deg in (30, 40):
        assert "challenge-flat-surface" in verdict.reasons


def test_right_turns_in_another_order_fail(pipeline, head):
    for order in (("right", "left"), ("left", "right", "left"), ("left",), ("right",)):
        verdict = pipeline.active_challenge(ask(*order), head)
        assert verdict.outcome is Outcome.FAILED
        assert set(verdict.reasons) & {"challenge-wrong-order", "challenge-step-missing"}


def test_another_person_in_the_capture_fails(pipeline, rig, picture, head):
    other = rig.render(HEAD, picture("biden"), ("left", "right"))
    verdict = pipeline.verify_capture(picture("obama"), other, ask("left", "right"))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reasons[0] == "comparison-no-match"
    half = len(head) // 2
    spliced = head[:half] + other[half:]
    reasons = pipeline.active_challenge(ask("left", "right"), spliced).reasons
    assert "challenge-identity-changed" in reasons


def test_a_second_face_in_one_frame_fails(pipeline, picture, head):
    both = side_by_side(picture("obama"), picture("biden"))
    frames = [*head]
    frames[20] = replace(frames[20], picture=both)
    verdict = pipeline.active_challenge(ask("left", "right"), frames)
    assert verdict.outcome is Outcome.FAILED
    assert "challenge-several-faces" in verdict.reasons


def test_an_unreadable_frame_is_not_passed_over(pipeline, head):
    for broken in (b"", b"text", head[20].picture[:900], np.zeros((4, 4), np.uint8)):
        frames = [*head]
        frames[20] = replace(frames[20], picture=broken)
        verdict = pipeline.active_challenge(ask("left", "right"), frames)
        assert verdict.outcome is Outcome.INDETERMINATE
        assert verdict.reasons == ("challenge-frame-unreadable",)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_frames_decide_nothing(pipeline, picture, head, count):
    verdict = pipeline.verify_capture(picture("obama"), head[:count], ask("left", "right"))
    assert verdict.outcome is not Outcome.PASSED
    assert "challenge-too-few-frames" in verdict.active.reasons
    assert ("probe-missing" in verdict.reasons) == (count == 0)


def test_thousands_of_frames_are_refused_in_bounded_time_and_memory(pipeline):
    frames = [FrameSample(b"x", float(i)) for i in range(100_000)]
    tracemalloc.start()
    verdict = pipeline.active_challenge(ask("left", "right"), frames)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert verdict.outcome is not Outcome.PASSED
    assert "challenge-too-many-frames" in verdict.reasons
    assert peak < 20 << 20


def test_still_picture_repeated_fails(pipeline, head):
    frames = [FrameSample(head[0].picture, i * 80.0) for i in range(60)]
    verdict = pipeline.active_challenge(ask("left", "right"), frames)
    assert verdict.outcome is Outcome.FAILED
    assert "challenge-frames-identical" in verdict.reasons


def test_replaying_a_turn_twice_fails(pipeline, head):
    frames = [FrameSample(f.picture, i * 80.0) for i, f in enumerate([*head, *head])]
    verdict = pipeline.active_challenge(ask("left", "right", "left", "right"), frames)
    assert verdict.outcome is Outcome.FAILED
    assert "challenge-frames-repeated" in verdict.reasons


def test_portrait_without_a_face_is_a_reason(pipeline, head):
    blank = edit_blank()
    verdict = pipeline.verify_capture(blank, head, ask("left", "right"))
    assert verdict.outcome is Outcome.INDETERMINATE
    assert verdict.reasons[:2] == ("portrait-unusable", "face-missing")
    assert verdict.comparison is None
    assert verdict.face_result is CheckResult.NOT_PERFORMED


def edit_blank():
    buffer = io.BytesIO()
    PillowImage.new("RGB", (300, 400), "beige").save(buffer, "JPEG")
    return buffer.getvalue()


def test_missing_passive_models_are_said_and_never_pass(pipeline, picture):
    verdict = PassivePad(()).evaluate([])
    assert verdict.result is CheckResult.NOT_PERFORMED
    assert verdict.outcome is Outcome.INDETERMINATE
    assert verdict.reasons == ("pad-model-missing",)


def test_same_input_gives_the_same_verdict(pipeline, rig, picture, head):
    again = rig.render(HEAD, picture("obama3"), ("left", "right"), seed=1)
    assert [f.picture for f in again] == [f.picture for f in head]
    first, second = (
        pipeline.verify_capture(picture("obama"), frames, ask("left", "right")).to_dict()
        for frames in (head, again)
    )
    first.pop("times_ms"), second.pop("times_ms")
    assert first == second


@pytest.mark.parametrize("order", [(), ("up",), ("left", "LEFT")])
def test_rig_refuses_other_orders(rig, picture, order):
    with pytest.raises(RigOrderError):
        rig.render(HEAD, picture("obama3"), order)


def test_models_are_required():
    with pytest.raises(Exception, match=r".") as caught:
        FacePipeline(replace(load_manifest(), models={"x": load_manifest().model("yunet")}))
    assert caught.value.code == "manifest-invalid"


def test_decoded_frames_are_taken_as_they_are(pipeline, head):
    decoded = [FrameSample(decode_image(f.picture), f.t_ms) for f in head]
    verdict = pipeline.active_challenge(ask("left", "right"), decoded)
    assert verdict == pipeline.active_challenge(ask("left", "right"), head)
