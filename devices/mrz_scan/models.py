"""The two models of the scanner in onnxruntime, and the tensors that they take.

Source: `models/manifest.toml`, `pp-ocrv6-det-small` and `pp-ocrv6-rec-small`.
"""

import os
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from devices.mrz_scan.errors import ScannerUnusableError

if TYPE_CHECKING:
    pass

FloatArray = npt.NDArray[np.float32]

MAX_THREADS = 4
"""More than that gain nothing on pictures of this size."""

_LOG_FATAL_ONLY = 4


class OcrModel:
    """A model that takes gray pictures of one size. Safe to share between threads."""

    def __init__(self, model: bytes) -> None:
        """Load the model.

        Args:
            model: an ONNX file; whoever hands it in has checked its digest.

        Raises:
            ScannerUnusableError: onnxruntime cannot load it.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(MAX_THREADS, os.cpu_count() or 1)
        options.inter_op_num_threads = 1
        # Waiting threads that spin take the cores from the other programs of a counter's computer.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = _LOG_FATAL_ONLY
        try:
            self._session: onnxruntime.InferenceSession = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
            (self._input,) = [tensor.name for tensor in self._session.get_inputs()]
        except Exception as error:  # onnxruntime's own exceptions have no common root
            raise ScannerUnusableError("a model of the MRZ scanner cannot be loaded") from error

    def metadata(self, key: str) -> str:
        """Return an entry of the model's metadata, or an empty string."""
        return str(self._session.get_modelmeta().custom_metadata_map.get(key, ""))

    def run(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        """Run the model on gray pictures.

        Args:
            pictures: uint8, picture by row by column.

        Returns:
            The model's only output, float32, picture first.

        Raises:
            ScannerUnusableError: the model refuses the tensor.
        """
        # Trained on colour: the three channels are the same; -1 black, 1 white.
        channel = pictures.astype(np.float32)[:, None] / np.float32(127.5) - np.float32(1)
        tensor = np.repeat(channel, 3, axis=1)
        try:
            (output,) = self._session.run(None, {self._input: tensor})
        except Exception as error:  # onnxruntime's own exceptions have no common root
            raise ScannerUnusableError("a model of the MRZ scanner cannot run") from error
        return np.asarray(output, np.float32)
