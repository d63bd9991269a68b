"""`chinhchu face compare` with every bad picture: its code, exit 4, nothing of ours in tatters."""

import json

import pytest
from PIL import Image

from api.cli import main
from api.cli.output import EXIT_FAULT, EXIT_INDETERMINATE
from biometrics.pipeline import FacePipeline
from tests.fixtures.face_pictures import bad_pictures, encode

BAD = {name: bad for name, bad in bad_pictures().items() if bad[0]}


@pytest.fixture(scope="module")
def opened(detector):
    """The pipeline, loaded once for all commands of this module."""
    from biometrics.manifest import load_manifest
    from biometrics.weights.fetch import fetch

    fetch(load_manifest(), ["sface", "facemesh"])
    return FacePipeline(load_manifest())


@pytest.fixture
def compare(opened, monkeypatch, capsys):
    from api.cli import face

    monkeypatch.setattr(face, "_open_pipeline", lambda *_, **__: opened)

    def run(reference, probe):
        status = main(["face", "compare", str(reference), str(probe), "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run


@pytest.mark.parametrize("name", BAD)
def test_bad_picture(compare, sample_path, tmp_path, name):
    data, code = BAD[name]
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)
    status, answer = compare(sample_path("obama"), path)
    assert (status, answer["error"]["code"]) == (EXIT_FAULT, code)
    status, answer = compare(path, sample_path("obama"))
    assert (status, answer["error"]["code"]) == (EXIT_FAULT, "portrait-unusable")
    assert answer["error"]["cause"] == code


def test_a_dark_probe_is_told_what_to_do_and_is_no_match(
    compare, opened, monkeypatch, capsys, sample_path, tmp_path
):
    with Image.open(sample_path("biden")) as picture:
        picture.convert("RGB").point(lambda level: level // 10).save(tmp_path / "dark.png")
    status, answer = compare(sample_path("obama"), tmp_path / "dark.png")
    assert (status, answer["outcome"]) == (EXIT_INDETERMINATE, "INDETERMINATE")
    assert "quality-too-dark" in answer["reasons"]
    assert len(answer["advice"]) == len(answer["reasons"])
    assert any("turn towards the light" in advice["en"] for advice in answer["advice"])
    monkeypatch.setenv("COLUMNS", "200")
    main(["face", "compare", str(sample_path("obama")), str(tmp_path / "dark.png")])
    told = capsys.readouterr().out
    assert "turn towards the light" in told
    assert "xin quay mặt" in told
    assert answer["model_sha256"] in told


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda image: image.rotate(90, expand=True), "face-sideways"),
        (lambda image: image.rotate(180), "face-upside-down"),
        (lambda image: image.resize((90, 112)), "face-too-small"),
        (lambda image: image.resize((1, 1)), "image-too-small"),
        (lambda image: Image.new("RGB", (640, 480), "gray"), "face-missing"),
        (lambda image: image.crop((0, 0, 500, 1137)), "face-cut-off"),
    ],
)
def test_unusable_face(compare, sample_path, tmp_path, change, code):
    with Image.open(sample_path("obama")) as image:
        (tmp_path / "probe.png").write_bytes(encode(change(image.convert("RGB")), "PNG"))
    status, answer = compare(sample_path("obama"), tmp_path / "probe.png")
    assert (status, answer["error"]["code"]) == (EXIT_FAULT, code)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "L", {"quality": 40}),
        ("JPEG", "CMYK", {"quality": 90}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG2000", "L", {"irreversible": True, "quality_layers": [60]}),
        ("JPEG2000", "RGB", {"no_jp2": True, "irreversible": True, "quality_layers": [60]}),
        ("PNG", "P", {}),
        ("PNG", "RGBA", {}),
        ("WEBP", "RGB", {"quality": 50}),
    ],
)
def test_the_same_face_in_every_format_matches(compare, sample_path, tmp_path, kind, mode, options):
    with Image.open(sample_path("obama2")) as image:
        data = encode(image.convert("RGB").convert(mode), kind, **options)
    (tmp_path / "wrong.txt").write_bytes(data)
    status, answer = compare(sample_path("obama"), tmp_path / "wrong.txt")
    assert (status, answer["outcome"]) == (0, "PASSED")
