"""The real weights: from this machine's cache, fetched by the package clients if they are not."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from biometrics.manifest import Manifest, load_manifest
from biometrics.onnx import Model, open_model
from biometrics.weights import ModelMissingError, cache, fetch, sample
from biometrics.weights.sources import FOLDER, FileUnobtainableError, Sources

ROOT = Path(__file__).resolve().parents[3]
Image = npt.NDArray[np.uint8]


@pytest.fixture(scope="session")
def data_folders() -> list[Path]:
    """Return the test data's folder of weights, if there is one."""
    folder = Path(os.environ.get("CHINHCHU_TEST_DATA", ROOT / "../shared/data")) / "models"
    return [folder.resolve()] if folder.is_dir() else []


@pytest.fixture(scope="session")
def manifest(data_folders: list[Path]) -> Manifest:
    """Return the project's manifest with every model installed that can be had here."""
    loaded = load_manifest()
    fetch(loaded, optional=True, folders=data_folders)
    return loaded


@pytest.fixture(scope="session")
def model(manifest: Manifest) -> Callable[[str], Model]:
    """Return what opens a model, or skips where an optional one is not installed."""

    def opened(name: str) -> Model:
        try:
            return open_model(manifest, name)
        except ModelMissingError as error:
            if error.required:
                raise
            pytest.skip(str(error))

    return opened


@pytest.fixture(scope="session")
def published(manifest: Manifest, data_folders: list[Path]) -> Callable[[str], dict[str, bytes]]:
    """Return what hands out a model's published files; they are kept beside the cache."""
    kept = cache.cache_folder() / "published"
    kept.mkdir(parents=True, exist_ok=True)
    sources = Sources(manifest, [kept, *data_folders])

    def files(name: str) -> dict[str, bytes]:
        found = {}
        for file in manifest.model(name).files:
            try:
                obtained = sources.obtain(file, lambda _: None)
            except FileUnobtainableError as error:
                pytest.skip(str(error))
            found[file.name] = obtained.data
            if obtained.origin != FOLDER:
                (kept / file.name).write_bytes(obtained.data)
        return found

    return files


@pytest.fixture(scope="session")
def fit() -> Callable[[Image, int], Image]:
    """Return what shrinks an image to a longest side and pads its sides to 32 pixels."""

    def fitted(image: Image, longest_px: int) -> Image:
        scale = min(1.0, longest_px / max(image.shape[:2]))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        bottom, right = -small.shape[0] % 32, -small.shape[1] % 32
        bordered = cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT)
        return np.asarray(bordered, np.uint8)

    return fitted


@pytest.fixture(scope="session")
def pictures(manifest: Manifest, fit: Callable[[Image, int], Image]) -> dict[str, Image]:
    """Return the sample pictures, 640 pixels at most: BGR, H×W×3, uint8."""
    found = {}
    for name in manifest.samples:
        image = cv2.imread(str(sample(manifest, name)))
        assert image is not None
        found[name] = fit(np.asarray(image, np.uint8), 640)
    return found


@pytest.fixture(scope="session")
def best_face(model: Callable[[str], Model]) -> Callable[[Image], npt.NDArray[np.float32]]:
    """Return what finds YuNet's best row as OpenCV writes it: box xywh, five points, score."""
    yunet = model("yunet")

    def found(image: Image) -> npt.NDArray[np.float32]:
        outputs = yunet.run(image.transpose(2, 0, 1)[None].astype(np.float32))
        rows = []
        for stride in (8, 16, 32):
            score = np.sqrt(outputs[f"cls_{stride}"] * outputs[f"obj_{stride}"])[0, :, 0]
            index = int(score.argmax())
            row, column = divmod(index, image.shape[1] // stride)
            cell = np.array([column, row])
            box = outputs[f"bbox_{stride}"][0, index]
            size = np.exp(box[2:]) * stride
            corner = (cell + box[:2]) * stride - size / 2
            points = (outputs[f"kps_{stride}"][0, index].reshape(5, 2) + cell) * stride
            rows.append(np.hstack([corner, size, points.ravel(), score[index]]))
        return np.asarray(max(rows, key=lambda row: float(row[-1])), np.float32)

    return found
