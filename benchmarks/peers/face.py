"""Other implementations of face comparison, each as a process that encodes pictures on request.

`opencv`: OpenCV's own YuNet and SFace. `dlib`: what PyPI `face_recognition`
does. `insightface` and `uniface` are not here: their packages hold no weights and load them from
places that are no package registry.
"""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from benchmarks.face.published import shipped_model
from benchmarks.peers.errors import PeerFailedError, PeerUnavailableError
from biometrics.manifest import load_manifest
from biometrics.types import FloatArray
from biometrics.weights.errors import WeightsError

_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class PeerTemplate:
    """What a peer made of one picture."""

    vector: FloatArray | None = field(repr=False)
    """None where it found no face or cannot decode the picture."""
    ms: float
    """From the file to the vector."""


def _cosine(first: FloatArray, second: FloatArray) -> float:
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def _nearness(first: FloatArray, second: FloatArray) -> float:
    return -float(np.linalg.norm(first - second))


PEERS: Final = {"opencv": _cosine, "dlib": _nearness}
"""How each compares two vectors; higher is more alike."""


class FacePeer:
    """Context manager: the running process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.similarity: Callable[[FloatArray, FloatArray], float] = PEERS[name]

    def __enter__(self) -> Self:
        """Start it and wait until its models are loaded.

        Raises:
            PeerUnavailableError: a package or a published file is missing.
            PeerFailedError: it does not start.
        """
        self._folder = tempfile.TemporaryDirectory()
        try:
            models = _write_models(self.name, Path(self._folder.name))
        except PeerUnavailableError:
            self._folder.cleanup()
            raise
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers.face_worker", self.name, json.dumps(models)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        try:
            self._read()
        except PeerFailedError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def encode(self, picture: bytes | Path) -> PeerTemplate:
        """Let it encode a picture.

        Raises:
            PeerFailedError: the process ended or took too long.
        """
        path = picture
        if isinstance(path, bytes):
            path = Path(self._folder.name) / "picture"
            path.write_bytes(picture if isinstance(picture, bytes) else b"")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"path": str(path)}) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PeerFailedError(f"the peer {self.name} ended") from error
        answer = self._read()
        vector = answer["template"]
        return PeerTemplate(
            None if vector is None else np.array(vector, dtype=np.float32), answer["ms"]
        )

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        watchdog = threading.Timer(_TIMEOUT_S, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise PeerFailedError(f"the peer {self.name} ended or took too long")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _write_models(name: str, folder: Path) -> dict[str, str]:
    """Write the files that the peer loads; return where they are, by our names for the models.

    OpenCV 5 refuses SFace as published (initialisers that are node outputs), and its former engine,
    which takes it, refuses YuNet; so both get the published weights without block quantisation.
    """
    if name == "dlib":
        for package in ("dlib", "face_recognition_models"):
            if find_spec(package) is None:
                raise PeerUnavailableError(
                    "not installed: pip install dlib-bin face_recognition_models (105 MB)"
                )
        return {}
    manifest = load_manifest()
    paths = {model: folder / f"{model}.onnx" for model in ("yunet", "sface")}
    try:
        for model, path in paths.items():
            path.write_bytes(shipped_model(manifest, model))
    except WeightsError as error:
        raise PeerUnavailableError(f"a published file is missing: {error}") from error
    return {model: str(path) for model, path in paths.items()}
