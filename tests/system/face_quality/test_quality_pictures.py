"""Real faces, as they are and degraded, through detection, mesh, measures and verdict."""

import cv2
import numpy as np
import pytest

from biometrics.detection import FaceError
from biometrics.quality import Role, assess_quality, load_requirements, quality_weight
from biometrics.quality_evaluation.catalogue import catalogue
from biometrics.quality_evaluation.degradation import Portrayal
from biometrics.types import Outcome

REQUIREMENTS = load_requirements()
SEEDS = range(3)
WEAK = {"eyes-closed", "mouth-open", "low-resolution", "turned"}
"""Noticed in a part of the pictures only, see docs/quality.md."""


def reasons_of(examiner, image):
    try:
        quality, _ = examiner.measure(image)
    except FaceError as error:
        return (error.code,)
    return assess_quality(quality, REQUIREMENTS).reasons


def scenes(examiner, people):
    images = list(people.values())
    for image, other in zip(images, [*images[1:], images[0]], strict=True):
        scene = examiner.measure(image)[1]
        yield Portrayal(image, scene.points, scene.mesh, other)


def test_portraits_of_three_people_pass_as_probe_and_as_reference(examiner, people):
    assert len(people) >= 3
    for image in people.values():
        quality, _ = examiner.measure(image)
        for role in Role:
            assert assess_quality(quality, REQUIREMENTS, role).outcome is Outcome.PASSED
        assert quality_weight(quality) > 0.7


def chip_portrait(examiner, image):
    """Return a portrait of 120 x 160 pixels and 2.5 KB, framed as Doc 9303 asks."""
    scene = examiner.measure(image)[1]
    scale = 32 / scene.unit_px
    center = scene.mesh[:, :2].mean(axis=0)
    matrix = np.array(
        [[scale, 0, 60 - scale * center[0]], [0, scale, 84 - scale * center[1]]], dtype=np.float32
    )
    small = cv2.warpAffine(
        cv2.resize(image, None, fx=1, fy=1),
        matrix,
        (120, 160),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )
    for quality in range(90, 5, -2):
        data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        if len(data) <= 2560:
            return cv2.imdecode(data, cv2.IMREAD_COLOR)
    raise AssertionError("no quality fits the budget")


def test_a_chip_portrait_of_2500_bytes_passes_as_reference(examiner, people):
    for image in people.values():
        quality, _ = examiner.measure(chip_portrait(examiner, image))
        assert assess_quality(quality, REQUIREMENTS, Role.REFERENCE).reasons == ()


def test_gray_pictures_are_judged_like_coloured_ones(examiner, people):
    for image in people.values():
        gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        assert reasons_of(examiner, gray) == ()


@pytest.mark.parametrize("gain", [0.6, 0.75, 1.15])
def test_darker_and_lighter_faces_pass_alike(examiner, people, gain):
    for image in people.values():
        shaded = (image * gain).clip(0, 245).astype(np.uint8)
        assert reasons_of(examiner, shaded) == ()


def test_every_degradation_is_noticed_and_what_may_stay_on_is_not_refused(examiner, people):
    changes = catalogue(examiner.detector, examiner.mesh_estimator)
    told = {name: [] for name in changes}
    for scene in scenes(examiner, people):
        for name, change in changes.items():
            for seed in SEEDS:
                try:
                    image = change.apply(scene, np.random.default_rng(seed))
                except FaceError:
                    continue
                told[name].append(reasons_of(examiner, image))
    for name, change in changes.items():
        assert told[name], name
        if change.reasons:
            named = sum(bool(set(reasons) & set(change.reasons)) for reasons in told[name])
            least = 0.2 if name in WEAK else 0.75
            assert named >= least * len(told[name]), (name, told[name])
        else:
            refused = sum(bool(reasons) for reasons in told[name])
            assert refused <= 0.12 * len(told[name]), (name, told[name])
