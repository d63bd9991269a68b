"""An empty cache, and a small real model with a manifest that names it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from biometrics.manifest import Manifest, parse_manifest
from biometrics.weights import graph
from biometrics.weights.conversion import convert

STEPS = ("split-prelu", "free-batch")


def prelu_model(slope: float) -> bytes:
    """Return a model that applies PReLU to a 1×3×2×2 input."""
    model = graph.build_model(
        helper.make_graph(
            [helper.make_node("PRelu", ["input", "slope"], ["output"])],
            "small",
            [graph.value("input", [1, 3, 2, 2])],
            [graph.value("output", [1, 3, 2, 2])],
            [graph.tensor("slope", np.full((3, 1, 1), slope, np.float32))],
        ),
        13,
    )
    return graph.serialise(model)


def manifest_text(model: bytes, picture: bytes, sources: str, packages: str = "") -> str:
    """Return a manifest of one required model and one sample."""
    converted = convert(STEPS, {"small.onnx": model})
    entry = """
[models.{name}]
title = "small"
role = "embedding"
required = {required}
licence = "none"
conversion = ["split-prelu", "free-batch"]
sha256 = "{converted}"
bytes = {converted_bytes}
outputs = ["output"]
dimensions = 12
input.tensor = "input"
input.width = 2
input.height = 2
input.colour_order = "RGB"
input.layout = "NCHW"
input.mean = 0.0
input.divisor = 1.0
input.crop = "frame"
operating_points.match = {{ threshold = 0.5, unit = "cosine", meaning = "same", data = "none" }}

[[models.{name}.files]]
name = "small.onnx"
sha256 = "{sha256}"
bytes = {bytes}
sources = [{sources}]
"""
    values = {
        "sha256": hashlib.sha256(model).hexdigest(),
        "bytes": len(model),
        "converted": hashlib.sha256(converted).hexdigest(),
        "converted_bytes": len(converted),
        "sources": sources,
    }
    return "\n".join(
        [
            "schema = 1",
            packages or "[packages]",
            entry.format(name="small", required="true", **values),
            "[comparisons.default]",
            'title = "small"',
            'embeddings = ["small"]',
            "[samples.face]",
            'title = "a face"',
            'person = "nobody"',
            'licence = "none"',
            "[samples.face.file]",
            'name = "face.jpg"',
            f'sha256 = "{hashlib.sha256(picture).hexdigest()}"',
            f"bytes = {len(picture)}",
            f"sources = [{sources}]",
        ]
    )


UNREACHABLE = '{ url = "https://127.0.0.1:9/nothing" }'
"""A source that fails at once: nothing listens there."""


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the cache during the test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CHINHCHU_CACHE", str(folder))
    monkeypatch.delenv("CHINHCHU_MODELS_FOLDER", raising=False)
    return folder


@pytest.fixture
def small_model() -> bytes:
    """Return the published bytes of the small model."""
    return prelu_model(0.25)


@pytest.fixture
def small_picture() -> bytes:
    """Return the bytes of the sample."""
    return b"\xff\xd8 not really a picture"


@pytest.fixture
def small_folder(tmp_path: Path, small_model: bytes, small_picture: bytes) -> Path:
    """Return a local folder with both published files in a sub-folder."""
    folder = tmp_path / "stick" / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "small.onnx").write_bytes(small_model)
    (folder / "face.jpg").write_bytes(small_picture)
    return tmp_path / "stick"


@pytest.fixture
def make_manifest(small_model: bytes, small_picture: bytes) -> Callable[..., Manifest]:
    """Return a maker of manifests of the small model from given sources."""

    def make(sources: str = UNREACHABLE, packages: str = "") -> Manifest:
        return parse_manifest(manifest_text(small_model, small_picture, sources, packages).encode())

    return make


@pytest.fixture
def manifest_file(tmp_path: Path, small_model: bytes, small_picture: bytes) -> Path:
    """Return a file with the manifest of the small model."""
    file = tmp_path / "manifest.toml"
    file.write_text(manifest_text(small_model, small_picture, UNREACHABLE), encoding="utf-8")
    return file
