"""The passive signal on the few real and attack pictures of the test data."""

import cv2
import pytest

from biometrics import pad
from biometrics.image import decode_image
from biometrics.manifest import load_manifest
from biometrics.types import CheckResult
from biometrics.weights.errors import ModelMissingError


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


def test_a_picture_without_colour_is_not_judged(pipeline, test_data, verdicts):
    """The models know colour cameras only; on gray pictures they suspect real people."""
    path = next((test_data / "pad").glob("*/real/image_T1.jpg"))
    gray = cv2.cvtColor(decode_image(path.read_bytes()), cv2.COLOR_BGR2GRAY)
    verdict = pipeline.passive_pad([cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)])
    assert verdict.result is CheckResult.NOT_PERFORMED
    assert verdict.reasons == ("pad-colour-missing",)


def test_the_weak_model_alone_decides_nothing(monkeypatch):
    def without_minifasnet(manifest, name):
        if name == "minifasnet-v1se":
            raise ModelMissingError(name, required=False)
        return object()

    monkeypatch.setattr(pad, "open_model", without_minifasnet)
    passive = pad.PassivePad.open(load_manifest())
    assert passive.lack.endswith("run: chinhchu models fetch minifasnet-v2 minifasnet-v1se")
    assert passive.evaluate([]).reasons == ("pad-model-missing",)
