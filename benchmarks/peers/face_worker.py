"""A peer of the face comparison in a process of its own: `python -m ...face_worker NAME`.

Reads lines of JSON, `{"path": …}`, and answers each with `{"ms": …, "template": [...] or null}`.
Each peer is called as its own documentation shows it, on one thread; of several faces, the one
nearest to the middle counts, as in our evaluation.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage

Template = npt.NDArray[np.float32]
Encode = Callable[[Path], Template | None]


def opencv(models: Mapping[str, str]) -> Encode:
    """Return OpenCV's own path: FaceDetectorYN and FaceRecognizerSF, with their defaults."""
    cv2.setNumThreads(1)
    detector = cv2.FaceDetectorYN.create(models["yunet"], "", (320, 320))
    recognizer = cv2.FaceRecognizerSF.create(models["sface"], "")

    def encode(path: Path) -> Template | None:
        image: Any = cv2.imread(str(path))
        if image is None:
            return None
        height, width = image.shape[:2]
        detector.setInputSize((width, height))
        _, faces = detector.detect(image)
        if faces is None:
            return None
        face = min(faces, key=lambda f: _from_middle(f[:2] + f[2:4] / 2, width, height))
        feature = recognizer.feature(recognizer.alignCrop(image, face))
        return np.asarray(feature[0], np.float32)

    return encode


def dlib(models: Mapping[str, str]) -> Encode:
    """Return the path of `face_recognition.face_encodings`, with its defaults."""
    library = import_module("dlib")
    found = find_spec("face_recognition_models")
    assert found is not None and found.origin is not None
    weights = Path(found.origin).parent / "models"
    detector = library.get_frontal_face_detector()
    predictor = library.shape_predictor(str(weights / "shape_predictor_5_face_landmarks.dat"))
    encoder = library.face_recognition_model_v1(
        str(weights / "dlib_face_recognition_resnet_model_v1.dat")
    )

    def encode(path: Path) -> Template | None:
        with PillowImage.open(path) as picture:
            image = np.array(picture.convert("RGB"))
        height, width = image.shape[:2]
        faces = detector(image, 1)
        if not faces:
            return None
        face = min(
            faces,
            key=lambda f: _from_middle(np.array([f.center().x, f.center().y]), width, height),
        )
        return np.array(encoder.compute_face_descriptor(image, predictor(image, face), 1), "f4")

    return encode


ENCODERS: Mapping[str, Callable[[Mapping[str, str]], Encode]] = {"opencv": opencv, "dlib": dlib}


def _from_middle(center: npt.NDArray[Any], width: int, height: int) -> float:
    return float(np.hypot(center[0] - width / 2, center[1] - height / 2))


def main(name: str, models: Mapping[str, str]) -> None:
    """Answer requests until the input ends."""
    encode = ENCODERS[name](models)
    print(json.dumps({"ready": name}), flush=True)
    for line in sys.stdin:
        path = Path(json.loads(line)["path"])
        start = time.perf_counter()
        template = encode(path)
        ms = (time.perf_counter() - start) * 1000
        answer = None if template is None else template.tolist()
        print(json.dumps({"ms": ms, "template": answer}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
