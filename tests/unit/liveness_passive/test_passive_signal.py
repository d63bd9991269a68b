"""The passive models as a signal: medians, what is not judged, crops. Small models run for real."""

import math

import numpy as np
import pytest

from biometrics.liveness import passive
from biometrics.liveness.passive import (
    LEAST_PROBABILITY,
    MAX_FRAMES,
    MIN_FRAMES,
    FrameScores,
    PassivePad,
    PassiveWatch,
    crop_square,
    crop_with_context,
    judge_passive,
)
from biometrics.types import Box, CheckResult, Face, FivePoints, Method


class Methods:
    """Stands where `PadMethod` does; a frame's score is its first pixel, in parts of 255."""

    id = "minifasnet"
    method = Method("minifasnet", "1")
    threshold = 0.5

    def score(self, image, box):
        return float(image[0, 0, 0]) / 255


PAD = PassivePad((Methods(),))
FACE = Face(
    Box(100, 60, 180, 160),
    FivePoints((125, 100), (155, 100), (140, 120), (128, 140), (152, 140)),
    0.9,
)


def frame(level=200, *, colour=True, size=(240, 320)):
    image = np.full((*size, 3), 120, np.uint8)
    if colour:
        image[..., 2] = 180
    image[0, 0, 0] = level
    return image


def watched(*images, face=FACE):
    watch = PassiveWatch(PAD)
    for image in images:
        watch.see(image, face)
    return watch.judge()


def reasons(signal):
    return [finding.reason for finding in signal.findings]


def test_a_capture_of_enough_good_frames_is_ok():
    signal = watched(*[frame(220)] * MIN_FRAMES)
    assert signal.result is CheckResult.OK
    assert signal.score == pytest.approx(math.log(220 / 35))
    assert signal.measurements["frames"] == MIN_FRAMES


def test_the_median_decides_not_the_mean_nor_the_last():
    high, low = frame(255), frame(0)
    assert watched(low, high, high, low, high).result is CheckResult.OK
    assert watched(high, low, low, high, low).result is CheckResult.NOT_PERFORMED


def test_a_suspicion_is_not_ok_and_weighs_but_is_no_veto():
    signal = watched(*[frame(10)] * MIN_FRAMES)
    assert signal.result is CheckResult.NOT_PERFORMED
    assert not signal.findings
    assert signal.performed
    assert signal.score == pytest.approx(math.log(10 / 245))


def test_fewer_than_five_frames_are_unclear():
    signal = watched(*[frame()] * (MIN_FRAMES - 1))
    assert signal.result is CheckResult.NOT_PERFORMED
    assert signal.score is None
    assert reasons(signal) == ["pad-too-few-frames"]


def test_no_frame_at_all_is_unclear():
    assert reasons(watched()) == ["pad-too-few-frames"]


def test_frames_without_context_say_so():
    near = Face(Box(10, 5, 310, 235), FACE.points, 0.9)
    assert reasons(watched(*[frame()] * 8, face=near)) == ["pad-context-missing"]


def test_frames_without_colour_say_so():
    assert reasons(watched(*[frame(colour=False)] * 8)) == ["pad-colour-missing"]


def test_unfit_frames_do_not_count_among_the_five():
    fit, unfit = [frame()] * (MIN_FRAMES - 1), [frame(colour=False)] * 3
    signal = watched(*fit, *unfit)
    assert reasons(signal) == ["pad-colour-missing"]
    assert watched(*fit, *unfit, frame()).result is CheckResult.OK


def test_models_that_the_operator_left_out_are_no_fault_of_the_capture():
    watch = PassiveWatch(PassivePad(()))
    for _ in range(8):
        watch.see(frame(), FACE)
    signal = watch.judge()
    assert signal.result is CheckResult.NOT_PERFORMED
    assert not signal.findings
    assert signal.score is None


def test_no_more_frames_are_scored_than_the_bound():
    signal = watched(*[frame()] * (3 * MAX_FRAMES))
    assert signal.measurements["frames"] == MAX_FRAMES


def test_a_model_that_returns_no_number_suspects():
    nan = [FrameScores({"minifasnet": float("nan")})] * MIN_FRAMES
    signal = judge_passive([Methods()], nan)
    assert signal.result is CheckResult.NOT_PERFORMED
    assert signal.score == pytest.approx(math.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY)))


def test_the_log_odds_are_bounded():
    sure = judge_passive([Methods()], [FrameScores({"minifasnet": 1.0})] * MIN_FRAMES)
    assert sure.score == pytest.approx(-math.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY)))


def test_a_single_picture_is_judged_and_says_that_it_is_one():
    verdict = PAD.evaluate([(frame(220), FACE)])
    assert verdict.result is CheckResult.OK
    assert verdict.frames_used == 1


@pytest.mark.parametrize("size", [(240, 320), (600, 200), (90, 500), (130, 90)])
@pytest.mark.parametrize("scale", [1.0, 2.7, 4.0])
def test_crops_lie_in_the_frame_and_keep_their_shape(size, scale):
    image = np.arange(size[0] * size[1] * 3, dtype=np.uint64).astype(np.uint8).reshape(*size, 3)
    for box in (Box(-20, -10, 60, 90), Box(0, 0, 1, 1), Box(40, 30, 80, 85), Box(60, 60, 400, 700)):
        square, shaped = (cut(image, box, scale) for cut in (crop_square, crop_with_context))
        assert abs(square.shape[0] - square.shape[1]) <= 1
        for crop in (square, shaped):
            assert 0 < crop.shape[0] <= size[0]
            assert 0 < crop.shape[1] <= size[1]
        if min(shaped.shape[:2]) > 20:
            ratio = shaped.shape[1] / shaped.shape[0]
            assert ratio == pytest.approx(box.width / box.height, rel=0.06)


def test_the_crop_is_cut_as_the_models_authors_cut():
    """`CropImage._get_new_box` of Silent-Face-Anti-Spoofing for a box that needs no clamping."""
    image = np.zeros((480, 640, 3), np.uint8)
    crop = crop_with_context(image, Box(280, 200, 340, 280), 2.7)
    assert crop.shape[:2] == (216, 162)


def test_the_two_models_must_both_be_there(monkeypatch):
    from biometrics.manifest import load_manifest
    from biometrics.weights.errors import ModelMissingError

    def without_minifasnet(manifest, name):
        if name == "minifasnet-v1se":
            raise ModelMissingError(name, required=False)
        return object()

    monkeypatch.setattr(passive, "open_model", without_minifasnet)
    pad = PassivePad.open(load_manifest())
    assert pad.lack.endswith("run: chinhchu models fetch minifasnet-v2 minifasnet-v1se")
    assert pad.evaluate([]).reasons == ("pad-model-missing",)
