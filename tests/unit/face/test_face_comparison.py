"""From templates to a decision: weights of a calibration, operating points, packs."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biometrics.alignment import TEMPLATE, align
from biometrics.calibration import CalibrationInvalidError
from biometrics.comparison import (
    Comparator,
    ComparisonUncalibratedError,
    ProbeMissingError,
    calibration_of,
)
from biometrics.embedding import recentre
from biometrics.errors import BiometricsError
from biometrics.manifest import CalibrationFile, ManifestInvalidError, load_manifest
from biometrics.types import FaceTemplate, FivePoints, Outcome

NAMES = ("default", "fused")


def open_comparator(name="default"):
    manifest = load_manifest()
    return Comparator(manifest, manifest.comparison(name))


def template(angle, *, weight=1.0):
    """Return vectors that lie at this angle to those of angle 0, as seen from the centres."""
    manifest = load_manifest()
    centres = calibration_of(manifest, manifest.comparison("fused")).centres
    embeddings = {}
    for name, centre in centres.items():
        axes, _ = np.linalg.qr(np.stack([centre, *np.eye(len(centre))[:2]], axis=1))
        spoke = np.cos(angle) * axes[:, 1] + np.sin(angle) * axes[:, 2]
        embeddings[name] = (centre + np.sqrt(1 - centre @ centre) * spoke).astype(np.float32)
    return FaceTemplate(embeddings, weight)


def test_what_all_faces_share_is_taken_away():
    towards, across = np.array([0.6, 0.8]), np.array([0.6, -0.8])
    assert towards @ across < 0
    moved = recentre(np.array([towards, across], np.float32), np.array([0.3, 0.0], np.float32))
    assert np.linalg.norm(moved, axis=1) == pytest.approx(1)
    assert moved[0] @ moved[1] < towards @ across
    for centre in (np.zeros(3), np.array([0.6, 0.8])):
        with pytest.raises(BiometricsError):
            recentre(np.array([[0.6, 0.8]]), centre)


@pytest.mark.parametrize("name", NAMES)
def test_every_comparison_of_the_manifest_has_its_calibration(name):
    manifest = load_manifest()
    calibration = calibration_of(manifest, manifest.comparison(name))
    assert calibration.model_names == manifest.comparison(name).embeddings
    assert {"fmr-1e-3", "fmr-1e-4"} <= calibration.operating_points.keys()
    assert [fold.name for fold in calibration.data.folds] == ["1"]


@pytest.mark.parametrize("name", NAMES)
def test_operating_points_decide(name):
    comparator = open_comparator(name)
    match, review = comparator.match, comparator.review
    assert review < match
    assert comparator.fmr_at_match == 1e-4
    below = np.nextafter
    for score, outcome, reasons in [
        (match, Outcome.PASSED, ()),
        (below(match, -9), Outcome.INDETERMINATE, ("comparison-review",)),
        (review, Outcome.INDETERMINATE, ("comparison-review",)),
        (below(review, -9), Outcome.FAILED, ("comparison-no-match",)),
        (float("nan"), Outcome.FAILED, ("comparison-no-match",)),
    ]:
        assert comparator.decide_match(score) == (outcome, reasons)


def test_the_score_is_the_calibrated_sum_of_cosines():
    comparator = open_comparator("fused")
    manifest = load_manifest()
    calibration = calibration_of(manifest, manifest.comparison("fused"))
    one, other = template(0.0), template(0.7)
    verdict = comparator.compare(one, [other])
    expected = calibration.offset + np.cos(0.7) * sum(m.weight for m in calibration.models)
    assert verdict.score == pytest.approx(expected, abs=1e-4)
    assert verdict.outcome is Outcome.PASSED
    assert comparator.compare(one, [template(np.pi / 2)]).outcome is Outcome.FAILED


def test_probes_count_by_their_weight_and_at_most_five_of_them():
    comparator = open_comparator()
    near, far = template(0.1, weight=1.0), template(1.5, weight=0.01)
    mixed = comparator.compare(template(0.0), [near, far])
    even = comparator.compare(template(0.0), [near, replace(far, weight=1.0)])
    assert mixed.score > even.score
    many = comparator.compare(template(0.0), [near] * 5 + [template(3.0)] * 20)
    assert many.probes_used == 5
    assert many.score == pytest.approx(comparator.compare(template(0.0), [near]).score, abs=1e-4)


def test_the_digest_names_one_model_or_all_of_them():
    manifest = load_manifest()
    sface, other = (manifest.model(n).files[0].sha256 for n in ("sface", "fr-feature"))
    one, both = (open_comparator(n).compare(template(0), [template(0)]) for n in NAMES)
    assert one.model_sha256 == sface
    joined = bytes.fromhex(sface) + bytes.fromhex(other)
    assert both.model_sha256 == hashlib.sha256(joined).hexdigest()


def test_no_probe_is_an_error():
    with pytest.raises(ProbeMissingError):
        open_comparator().compare(template(0.0), [])


def test_without_a_calibration_nothing_is_decided():
    manifest = load_manifest()
    bare = replace(manifest.comparison("default"), calibration=None)
    with pytest.raises(ComparisonUncalibratedError):
        Comparator(manifest, bare)


def change(record, **values):
    return json.dumps(record | values).encode()


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda record: b"{}", "invalid"),
        (lambda record: change(record, path_version="0"), "path"),
        (lambda record: change(record, models=[]), "models"),
        (lambda record: change(record, models=[record["models"][0] | {"centre": [0.1]}]), "centre"),
        (lambda record: change(record) + b" " * (1 << 20), "not the file|larger"),
        (lambda record: change(record, operating_points={}, unsupported={}), "operating point"),
    ],
)
def test_a_calibration_for_anything_else_is_refused(tmp_path, spoil, word):
    manifest = load_manifest()
    comparison = manifest.comparison("default")
    assert comparison.calibration is not None
    record = json.loads(file_of(comparison).read_text())
    data = spoil(record)
    (tmp_path / "calibrations").mkdir()
    (tmp_path / "calibrations" / "c.json").write_bytes(data)
    named = CalibrationFile(name="c.json", sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(CalibrationInvalidError, match=word):
        Comparator(manifest, replace(comparison, calibration=named, folder=str(tmp_path)))


def test_a_changed_or_missing_calibration_file_is_refused(tmp_path):
    manifest = load_manifest()
    comparison = replace(manifest.comparison("default"), folder=str(tmp_path))
    with pytest.raises(CalibrationInvalidError, match="cannot read"):
        Comparator(manifest, comparison)
    (tmp_path / "calibrations").mkdir()
    data = file_of(manifest.comparison("default")).read_bytes()
    (tmp_path / "calibrations" / "default.json").write_bytes(data + b" ")
    with pytest.raises(CalibrationInvalidError, match="not the file"):
        Comparator(manifest, comparison)


def file_of(comparison):
    return Path(comparison.folder) / "calibrations" / comparison.calibration.name


PACK = """
schema = 1
[models.mine]
title = "Mine"
role = "embedding"
licence = "CC0-1.0"
conversion = []
sha256 = "{digest}"
bytes = 4
outputs = ["out"]
dimensions = 64
[[models.mine.files]]
name = "mine.onnx"
sha256 = "{digest}"
bytes = 4
[models.mine.input]
tensor = "in"
width = 112
height = 112
colour_order = "RGB"
layout = "NCHW"
mean = 127.5
divisor = 127.5
crop = "five-points"
[comparisons.mine]
title = "Mine alone"
embeddings = ["mine"]
"""


def write_pack(tmp_path, change=lambda text: text):
    path = tmp_path / "pack.toml"
    path.write_text(change(PACK.format(digest="ab" * 32)))
    return path


def test_a_pack_adds_to_the_manifest_and_comes_first(tmp_path):
    manifest, plain = load_manifest(pack=write_pack(tmp_path)), load_manifest()
    assert list(manifest.comparisons) == ["mine", *plain.comparisons]
    assert manifest.comparison("mine").folder == str(tmp_path)
    assert not manifest.model("mine").required
    assert manifest.model("sface") == plain.model("sface")
    assert manifest.sha256 != plain.sha256
    with pytest.raises(ComparisonUncalibratedError):
        Comparator(manifest, manifest.comparison("mine"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace('licence = "CC0-1.0"\n', ""),
        lambda text: text.replace('licence = "CC0-1.0"', 'licence = ""'),
        lambda text: text.replace(f'sha256 = "{"ab" * 32}"\nbytes = 4\noutputs', "outputs"),
        lambda text: text.replace("dimensions = 64\n", ""),
        lambda text: text.replace('embeddings = ["mine"]', "embeddings = []"),
        lambda text: text.replace('embeddings = ["mine"]', 'embeddings = ["yunet"]'),
        lambda text: text.replace('embeddings = ["mine"]', 'embeddings = ["gone"]'),
        lambda text: text.replace('embeddings = ["mine"]', 'embeddings = ["mine", "mine"]'),
        lambda text: text.replace("models.mine", "models.sface"),
        lambda text: text.replace("comparisons.mine", "comparisons.default"),
        lambda text: text.replace("schema = 1", "schema = 2"),
        lambda text: "models = 3",
    ],
)
def test_a_pack_that_lacks_anything_is_refused(tmp_path, spoil):
    with pytest.raises(ManifestInvalidError):
        load_manifest(pack=write_pack(tmp_path, spoil))


@pytest.mark.parametrize("text", ["[[", "schema = 2", "models = 3"])
def test_a_fault_in_a_pack_is_not_blamed_on_the_manifest(tmp_path, text):
    with pytest.raises(ManifestInvalidError, match=r"^the pack pack\.toml is"):
        load_manifest(pack=write_pack(tmp_path, lambda _: text))


@pytest.mark.parametrize("scale", [0.7, 1.0, 2.3, 5.9, 11.0])
def test_alignment_is_exact_to_a_part_of_a_pixel_at_any_size(scale):
    """A linear ramp must come out as the ramp that the template's place predicts."""
    side = round(112 * scale + 300)
    ys, xs = np.mgrid[0:side, 0:side]
    ramp = np.stack([xs * 250 / side, ys * 250 / side, xs * 0], axis=2)
    image = np.round(ramp).astype(np.uint8)
    shift = np.array([131.3, 97.8])
    points = FivePoints(*(tuple(map(float, p)) for p in TEMPLATE * scale + shift))
    crop = align(image, points).astype(float)
    at = np.mgrid[0:112, 0:112]
    for channel, axis in ((0, 1), (1, 0)):
        expected = (at[axis] * scale + shift[(axis == 0 and 1) or 0]) * 250 / side
        assert np.abs(crop[:, :, channel] - expected).max() < 1.2
