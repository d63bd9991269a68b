"""The cache: atomic, checked, quick to ask, and never a reason to load other bytes."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from biometrics.manifest import Manifest
from biometrics.onnx import open_model
from biometrics.weights import (
    CacheUnusableError,
    DigestMismatchError,
    ModelMissingError,
    ModelUnusableError,
    cache,
    fetch,
    inventory,
)

DATA = b"weights"
SHA256 = hashlib.sha256(DATA).hexdigest()
SOURCES = {"weights.bin": "0" * 64}


@pytest.fixture
def installed(cache_folder: Path) -> Path:
    path = cache.model_path(SHA256)
    cache.install(path, DATA, SOURCES, "folder")
    return path


def test_lies_where_the_variable_says(installed: Path, cache_folder: Path) -> None:
    assert cache_folder in installed.parents
    assert installed.read_bytes() == DATA
    assert cache.origin(installed) == "folder"


@pytest.mark.parametrize(
    ("platform", "variable", "part"),
    [
        ("linux", "XDG_CACHE_HOME", "chinhchu"),
        ("win32", "LOCALAPPDATA", "chinhchu"),
        ("darwin", None, "Library"),
    ],
)
def test_each_platform_has_its_place(
    platform: str,
    variable: str | None,
    part: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CHINHCHU_CACHE", raising=False)
    monkeypatch.setattr("biometrics.weights.cache.sys.platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    folder = cache.cache_folder()
    assert part in folder.parts
    assert folder.name == "chinhchu"


def test_state_needs_no_hash_while_the_receipt_fits(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_hash(_: Path) -> str:
        raise AssertionError("hashed")

    monkeypatch.setattr(cache, "digest", no_hash)
    assert cache.state(installed, SHA256, SOURCES) == "present"


def test_a_touched_file_is_hashed_and_its_receipt_renewed(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(installed, (1, 1))
    assert cache.state(installed, SHA256, SOURCES) == "present"
    monkeypatch.setattr(cache, "digest", lambda _: "")
    assert cache.state(installed, SHA256, SOURCES) == "present"


def test_other_sources_in_the_receipt_are_not_taken_on_trust(installed: Path) -> None:
    installed.write_bytes(b"wEights")
    assert cache.state(installed, SHA256, {"weights.bin": "1" * 64}) == "altered"


@pytest.mark.parametrize("receipt", [b"", b"{", b"[]", b'{"sha256": 1}', b"\xff"])
def test_a_damaged_receipt_costs_a_hash_and_nothing_else(installed: Path, receipt: bytes) -> None:
    installed.with_suffix(".json").write_bytes(receipt)
    assert cache.state(installed, SHA256, SOURCES) == "present"
    installed.with_suffix(".json").write_bytes(receipt)
    installed.write_bytes(b"wEights")
    assert cache.state(installed, SHA256, SOURCES) == "altered"


def test_nothing_half_written_stays(installed: Path) -> None:
    assert {path.suffix for path in installed.parent.iterdir()} == {".onnx", ".json"}


def test_a_cache_that_cannot_be_written_says_so(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(CacheUnusableError):
        cache.install(cache.model_path(SHA256), DATA, SOURCES, "folder")


def test_model_runs_from_the_cache(
    cache_folder: Path, make_manifest: Callable[..., Manifest], small_folder: Path
) -> None:
    manifest = make_manifest()
    fetch(manifest, folders=[small_folder])
    model = open_model(manifest, "small")
    x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 2, 2)
    np.testing.assert_allclose(model.run(x)["output"], np.where(x < 0, x * 0.25, x), rtol=1e-6)
    with pytest.raises(ModelUnusableError, match="shape"):
        model.run(x[:, :, :1])
    assert repr(model) == "Model('small')"


def test_a_flipped_byte_anywhere_refuses_to_load(
    cache_folder: Path, make_manifest: Callable[..., Manifest], small_folder: Path
) -> None:
    manifest = make_manifest()
    fetch(manifest, folders=[small_folder])
    path = cache.model_path(manifest.model("small").sha256)
    sound = path.read_bytes()
    stat = path.stat()
    for position in range(0, len(sound), max(1, len(sound) // 40)):
        flipped = bytearray(sound)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # the receipt still fits
        with pytest.raises(DigestMismatchError) as caught:
            open_model(manifest, "small")
        assert caught.value.code == "model-digest-mismatch"
    states = {entry.item.name: entry.state for entry in inventory(manifest, hashing=True)}
    assert states["small"] == "altered"


@pytest.mark.parametrize("size", [0, 1, 100])
def test_a_cut_off_model_refuses_to_load(
    size: int, cache_folder: Path, make_manifest: Callable[..., Manifest], small_folder: Path
) -> None:
    manifest = make_manifest()
    fetch(manifest, folders=[small_folder])
    path = cache.model_path(manifest.model("small").sha256)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DigestMismatchError):
        open_model(manifest, "small")


def test_fetch_replaces_an_altered_model(
    cache_folder: Path, make_manifest: Callable[..., Manifest], small_folder: Path
) -> None:
    manifest = make_manifest()
    fetch(manifest, folders=[small_folder])
    cache.model_path(manifest.model("small").sha256).write_bytes(b"other")
    report = fetch(manifest, folders=[small_folder])
    assert [entry.state for entry in report.fetched] == ["fetched", "present"]
    open_model(manifest, "small")


def test_fetch_by_name_replaces_what_a_failing_disk_altered(
    cache_folder: Path, make_manifest: Callable[..., Manifest], small_folder: Path
) -> None:
    """Size and time stamp stay: a refused model must not leave its owner without a way out."""
    manifest = make_manifest()
    fetch(manifest, folders=[small_folder])
    path = cache.model_path(manifest.model("small").sha256)
    stat = path.stat()
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(DigestMismatchError, match="run: chinhchu models fetch small"):
        open_model(manifest, "small")
    report = fetch(manifest, ["small"], folders=[small_folder])
    assert [entry.state for entry in report.fetched] == ["fetched"]
    open_model(manifest, "small")


def test_missing_model_names_the_command(
    cache_folder: Path, make_manifest: Callable[..., Manifest]
) -> None:
    with pytest.raises(ModelMissingError, match="chinhchu models fetch small") as caught:
        open_model(make_manifest(), "small")
    assert caught.value.code == "model-missing"
    assert caught.value.required
