"""YuNet: boxes, five points and scores. Source: models/yunet.md."""

from typing import Final

import cv2
import numpy as np

from biometrics.detection.limits import DetectionLimits
from biometrics.onnx import Model
from biometrics.types import Box, Face, FivePoints, FloatArray, Image

_STRIDES: Final = (8, 16, 32)
_MULTIPLE: Final = _STRIDES[-1]


class YuNet:
    """The detector at any working size."""

    def __init__(self, model: Model, limits: DetectionLimits) -> None:
        self._model = model
        self._limits = limits

    def find(self, image: Image, long_side_px: int) -> list[Face]:
        """Return the faces in `image`, looked at with its long side resized to `long_side_px`."""
        height, width = image.shape[:2]
        outputs, size = self._run(image, long_side_px)
        rows, scores = self._decode(outputs, _padded(size[0]))
        if not len(rows):
            return []
        boxes = rows[:, :4].copy()
        boxes[:, 2:] -= boxes[:, :2]
        kept = cv2.dnn.NMSBoxes(
            boxes.tolist(), scores.tolist(), self._limits.score, self._limits.nms
        )
        back = np.array([width / size[0], height / size[1]] * 7, dtype=np.float32)
        return [_face(rows[i] * back, float(scores[i])) for i in np.asarray(kept).ravel()]

    def best_score(self, image: Image, long_side_px: int) -> float:
        """Return the highest score anywhere in `image`, below the threshold too."""
        outputs, _ = self._run(image, long_side_px)
        return max(float(_scores(outputs, stride).max()) for stride in _STRIDES)

    def _run(
        self, image: Image, long_side_px: int
    ) -> tuple[dict[str, FloatArray], tuple[int, int]]:
        """Return the model's outputs and the working width and height, before padding."""
        resized = resize_to(image, long_side_px)
        height, width = resized.shape[:2]
        blob = np.zeros((1, 3, _padded(height), _padded(width)), dtype=np.float32)
        blob[0, :, :height, :width] = resized.transpose(2, 0, 1)
        return self._model.run(blob), (width, height)

    def _decode(
        self, outputs: dict[str, FloatArray], width_px: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return rows (x1, y1, x2, y2, five points) and scores above the threshold."""
        found_rows, found_scores = [], []
        for stride in _STRIDES:
            scores = _scores(outputs, stride)
            cells = np.flatnonzero(scores > self._limits.score)
            columns = width_px // stride
            grid = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32)
            box = outputs[f"bbox_{stride}"][0, cells]
            center = (grid + box[:, :2]) * stride
            half = np.exp(box[:, 2:]) * stride / 2
            points = outputs[f"kps_{stride}"][0, cells].reshape(-1, 5, 2)
            points = (points + grid[:, None]) * stride
            found_rows.append(np.hstack([center - half, center + half, points.reshape(-1, 10)]))
            found_scores.append(scores[cells])
        return np.concatenate(found_rows), np.concatenate(found_scores)


def resize_to(image: Image, long_side_px: int) -> Image:
    """Return `image` resized so that its long side has `long_side_px` pixels."""
    height, width = image.shape[:2]
    scale = long_side_px / max(height, width)
    if scale == 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=smooth), dtype=np.uint8)


def _scores(outputs: dict[str, FloatArray], stride: int) -> FloatArray:
    # A cell's score is the geometric mean of class and objectness; Source: OpenCV Zoo, YuNet.
    classness = outputs[f"cls_{stride}"][0, :, 0].clip(0, 1)
    objectness = outputs[f"obj_{stride}"][0, :, 0].clip(0, 1)
    return np.asarray(np.sqrt(classness * objectness), dtype=np.float32)


def _padded(side_px: int) -> int:
    return side_px + -side_px % _MULTIPLE


def _face(row: FloatArray, score: float) -> Face:
    x1, y1, x2, y2 = (float(value) for value in row[:4])
    points = [(float(x), float(y)) for x, y in row[4:].reshape(5, 2)]
    return Face(Box(x1, y1, x2, y2), FivePoints(*points), score)
