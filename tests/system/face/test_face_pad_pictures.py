"""The passive signal on the few real and attack pictures of the test data."""

import pytest

from biometrics.types import CheckResult


@pytest.fixture(scope="module")
def verdicts(pipeline, test_data):
    found = {
        path.name: pipeline.passive_pad([path.read_bytes()])
        for path in sorted((test_data / "pad").glob("*/*/*"))
    }
    if any(v.reasons == ("pad-model-missing",) for v in found.values()):
        pytest.skip("the optional MiniFASNet weights are not installed")
    return found


def test_real_faces_with_context_are_bona_fide(verdicts):
    for name in ("image_T1.jpg", "true_001.jpg", "true_002.jpg"):
        assert verdicts[name].result is CheckResult.OK


def test_attacks_with_context_are_suspected(verdicts):
    for name in ("image_F1.jpg", "image_F2.jpg"):
        assert verdicts[name].result is CheckResult.FAILED
        assert verdicts[name].reasons == ("pad-attack-suspected",)


def test_a_face_that_fills_the_frame_is_not_judged(verdicts):
    for name in ("true_003.png", "fake_002.jpg", "fake_003.jpg"):
        assert verdicts[name].result is CheckResult.NOT_PERFORMED
        assert verdicts[name].reasons == ("pad-context-missing",)
