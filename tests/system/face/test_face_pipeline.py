"""Portrait, probes and captures through the real models."""

import io
import random
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage

from biometrics.analysis import PortraitUnusableError
from biometrics.challenge import choose_challenge
from biometrics.detection import (
    FaceMissingError,
    FaceTiltedError,
    FaceTooSmallError,
    SeveralFacesError,
)
from biometrics.image import ImageUnreadableError, decode_image
from biometrics.liveness.passive import PassivePad
from biometrics.liveness.performance import StepResult
from biometrics.manifest import load_manifest
from biometrics.pipeline import FacePipeline
from biometrics.rig import Rig, Species
from biometrics.types import CheckResult, FrameSample, Outcome

CHALLENGE = choose_challenge(random.Random(7))
MANDATORY = 4
"""Challenge, geometry, continuity and identity come first among a verdict's signals."""


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
    return rig.perform(picture("obama3"), CHALLENGE, seed=1)


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
    verdict = pipeline.verify_capture(picture("obama"), head, CHALLENGE)
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


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ["obama3", "obama"])
def test_willing_person_passes(pipeline, rig, picture, name, seed):
    challenge = choose_challenge(random.Random(seed))
    frames = rig.perform(picture(name), challenge, seed=seed)
    verdict = pipeline.verify_capture(picture("obama"), frames, challenge)
    assert (verdict.outcome, verdict.reasons) == (Outcome.PASSED, ())
    assert verdict.face_result is verdict.pad_result is CheckResult.OK
    liveness = verdict.liveness
    assert all(signal.result is CheckResult.OK for signal in liveness.signals[:MANDATORY])
    assert all(step.result is StepResult.OK for step in liveness.steps)
    assert liveness.score >= liveness.threshold
    assert not verdict.may_retry
    assert all(ms > 0 for ms in verdict.times_ms.values())


def test_frames_that_arrive_one_by_one_give_the_same_verdict(pipeline, forgetful, picture, head):
    analysis = forgetful.begin_capture(picture("obama"), CHALLENGE)
    for number, frame in enumerate(head, 1):
        analysis.add(frame)
        assert analysis.frames == number
    verdict = analysis.conclude(head)
    whole = pipeline.verify_capture(picture("obama"), head, CHALLENGE)
    first, second = verdict.to_dict(), whole.to_dict()
    first.pop("times_ms"), second.pop("times_ms")
    assert first == second


def test_flat_photo_is_refused(pipeline, rig, picture):
    for seed in range(3):
        frames = rig.perform(picture("obama3"), CHALLENGE, species=Species.PRINT, seed=seed)
        verdict = pipeline.active_challenge(CHALLENGE, frames)
        assert verdict.outcome is Outcome.FAILED
        assert "challenge-flat-surface" in verdict.reasons
        assert not verdict.may_retry


def test_steps_of_another_challenge_fail_and_may_be_repeated(pipeline, picture, head):
    for seed in range(4):
        other = choose_challenge(random.Random(seed), light=False)
        verdict = pipeline.verify_capture(picture("obama"), head, other)
        assert verdict.outcome is Outcome.FAILED
        assert any(reason.startswith("challenge-step-") for reason in verdict.reasons)
        assert verdict.may_retry


def test_steps_under_the_light_of_another_challenge_may_not_be_repeated(pipeline, head):
    other = replace(CHALLENGE, light=choose_challenge(random.Random(1)).light)
    verdict = pipeline.active_challenge(other, head)
    assert verdict.outcome is Outcome.FAILED
    assert "pad-light-mismatch" in verdict.reasons
    assert not verdict.may_retry


def test_another_person_in_the_capture_fails(pipeline, rig, picture, head):
    other = rig.perform(picture("biden"), CHALLENGE, seed=1)
    verdict = pipeline.verify_capture(picture("obama"), other, CHALLENGE)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reasons[0] == "comparison-no-match"
    assert not verdict.may_retry
    half = len(head) // 2
    spliced = head[:half]
    spliced += [f for f in other if f.t_ms > head[half - 1].t_ms]
    reasons = pipeline.active_challenge(CHALLENGE, spliced).reasons
    assert "challenge-identity-changed" in reasons


def test_a_second_face_in_one_frame_fails(pipeline, picture, head):
    image = decode_image(head[20].picture)
    both = edit(
        side_by_side(picture("obama"), picture("biden")),
        lambda shown: shown.resize(image.shape[1::-1]),
    )
    frames = [*head]
    frames[20:26] = [replace(frame, picture=both) for frame in frames[20:26]]
    verdict = pipeline.active_challenge(CHALLENGE, frames)
    assert verdict.outcome is Outcome.FAILED
    assert "challenge-several-faces" in verdict.reasons


def test_an_unreadable_frame_is_not_passed_over(pipeline, head):
    for broken in (b"", b"text", head[20].picture[:900], np.zeros((4, 4), np.uint8)):
        frames = [*head]
        frames[20] = replace(frames[20], picture=broken)
        verdict = pipeline.active_challenge(CHALLENGE, frames)
        assert verdict.outcome is not Outcome.PASSED
        assert "challenge-frame-unreadable" in verdict.reasons


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_frames_decide_nothing(pipeline, picture, head, count):
    verdict = pipeline.verify_capture(picture("obama"), head[:count], CHALLENGE)
    assert verdict.outcome is not Outcome.PASSED
    assert "challenge-too-few-frames" in verdict.liveness.reasons
    assert ("probe-missing" in verdict.reasons) == (count == 0)


def test_thousands_of_frames_are_refused_in_bounded_time_and_memory(pipeline):
    frames = [FrameSample(b"x", float(i)) for i in range(100_000)]
    tracemalloc.start()
    verdict = pipeline.active_challenge(CHALLENGE, frames)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert verdict.outcome is not Outcome.PASSED
    assert "challenge-too-many-frames" in verdict.reasons
    assert peak < 20 << 20


def test_still_picture_repeated_fails(pipeline, head):
    frames = [FrameSample(head[0].picture, i * 80.0) for i in range(60)]
    verdict = pipeline.active_challenge(CHALLENGE, frames)
    assert verdict.outcome is Outcome.FAILED
    assert "challenge-frames-identical" in verdict.reasons


def test_portrait_without_a_face_is_a_reason(pipeline, head):
    blank = edit_blank()
    verdict = pipeline.verify_capture(blank, head, CHALLENGE)
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


def test_same_input_gives_the_same_verdict(pipeline, forgetful, picture, head):
    rig = Rig(forgetful.detector, forgetful.mesh_estimator)
    again = rig.perform(picture("obama3"), CHALLENGE, seed=1)
    assert [f.picture for f in again] == [f.picture for f in head]
    first, second = (
        judge.verify_capture(picture("obama"), frames, CHALLENGE).to_dict()
        for judge, frames in ((pipeline, head), (forgetful, again))
    )
    first.pop("times_ms"), second.pop("times_ms")
    assert first == second


def test_models_are_required():
    with pytest.raises(Exception, match=r".") as caught:
        FacePipeline(replace(load_manifest(), models={"x": load_manifest().model("yunet")}))
    assert caught.value.code == "manifest-invalid"


def test_decoded_frames_are_taken_as_they_are(pipeline, head):
    decoded = [FrameSample(decode_image(f.picture), f.t_ms) for f in head]
    verdict = pipeline.active_challenge(CHALLENGE, decoded)
    assert verdict == pipeline.active_challenge(CHALLENGE, head)
