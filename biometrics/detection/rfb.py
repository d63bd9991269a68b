"""Linzaer RFB-320: boxes without points, where YuNet finds nothing. Source: models/fr-detect.md."""

import cv2
import numpy as np

from biometrics.onnx import Model
from biometrics.types import Box, Image


class RfbDetector:
    """The fallback detector on a whole picture."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._score = model.entry.threshold("score")
        self._nms = model.entry.threshold("nms")

    def find(self, image: Image) -> list[Box]:
        """Return the boxes of faces in `image`, the surest first."""
        height, width = image.shape[:2]
        contract = self._model.entry.input
        blob = cv2.dnn.blobFromImage(
            cv2.resize(image, (contract.width, contract.height), interpolation=cv2.INTER_AREA),
            scalefactor=1 / contract.divisor,
            mean=(contract.mean,) * 3,
            swapRB=contract.colour_order == "RGB",
        )
        outputs = self._model.run(np.asarray(blob, dtype=np.float32))
        scores = outputs["scores"][0, :, 1]
        cells = np.flatnonzero(scores >= self._score)
        corners = outputs["boxes"][0, cells] * np.array([width, height] * 2, dtype=np.float32)
        sizes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        kept = cv2.dnn.NMSBoxes(sizes.tolist(), scores[cells].tolist(), self._score, self._nms)
        return [Box(*(float(v) for v in corners[i])) for i in np.asarray(kept, dtype=int).ravel()]
