"""Models in onnxruntime: loaded from bytes whose digest was checked, run on the CPU."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnxruntime

from biometrics.manifest import Manifest, ModelEntry
from biometrics.weights import cache
from biometrics.weights.errors import DigestMismatchError, ModelMissingError, ModelUnusableError

Float32Array = npt.NDArray[np.float32]

_LOG_FATAL_ONLY = 4


class Model:
    """A loaded model. Safe to share between threads."""

    def __init__(self, entry: ModelEntry, session: onnxruntime.InferenceSession):
        self.entry = entry
        """The manifest's entry: contract, outputs, operating points, digest."""
        self._session = session

    @property
    def takes_batches(self) -> bool:
        """Return whether one run may hold any number of images."""
        return not isinstance(self._session.get_inputs()[0].shape[0], int)

    def run(self, tensor: Float32Array) -> dict[str, Float32Array]:
        """Run the model on one input tensor and return its outputs by name.

        Args:
            tensor: float32 in the layout and value range of `entry.input`, batch first.

        Raises:
            ModelUnusableError: the runtime refuses the tensor or fails.
        """
        try:
            values: Sequence[Float32Array] = self._session.run(
                list(self.entry.outputs), {self.entry.input.tensor: tensor}
            )
        except Exception as error:  # onnxruntime's own exceptions have no common root
            raise ModelUnusableError(
                f"the model {self.entry.name} cannot run on a tensor of shape {tensor.shape}"
            ) from error
        return dict(zip(self.entry.outputs, values, strict=True))

    def __repr__(self) -> str:
        return f"Model({self.entry.name!r})"


def open_model(manifest: Manifest, name: str, *, intra_op_threads: int = 1) -> Model:
    """Load the model `name` from the cache, if its bytes have the manifest's digest.

    The file is read once; what is hashed is what is loaded.

    Args:
        manifest: the manifest that names the model.
        name: the model's name there.
        intra_op_threads: threads for one run. One, and one model a worker, gives the most
            throughput on a server.

    Raises:
        ManifestInvalidError: the manifest has no such model.
        ModelMissingError: it is not installed; its `required` says whether one can do without.
        DigestMismatchError: the installed bytes are not those of the manifest.
        ModelUnusableError: onnxruntime cannot load it, or it lacks the contract's tensors.
        CacheUnusableError: the cache cannot be read.
    """
    entry = manifest.model(name)
    data = model_bytes(manifest, name)
    session = open_session(name, data, intra_op_threads=intra_op_threads)
    inputs = [tensor.name for tensor in session.get_inputs()]
    outputs = {tensor.name for tensor in session.get_outputs()}
    if inputs != [entry.input.tensor] or not outputs.issuperset(entry.outputs):
        raise ModelUnusableError(f"the model {name} does not have the tensors of its contract")
    return Model(entry, session)


def model_bytes(manifest: Manifest, name: str) -> bytes:
    """Return the model `name` from the cache, if it has the manifest's digest.

    Raises:
        ManifestInvalidError: the manifest has no such model.
        ModelMissingError: it is not installed; its `required` says whether one can do without.
        DigestMismatchError: the installed bytes are not those of the manifest.
        CacheUnusableError: the cache cannot be read.
    """
    entry = manifest.model(name)
    try:
        data = cache.read(cache.model_path(entry.sha256))
    except FileNotFoundError:
        raise ModelMissingError(name, required=entry.required) from None
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise DigestMismatchError(name)
    return data


def open_session(
    name: str, data: bytes, *, intra_op_threads: int = 1
) -> onnxruntime.InferenceSession:
    """Return a session over the bytes of a model.

    What docs/benchmarks.md lists was measured and left at onnxruntime's defaults. A cached
    optimised graph would save 2 to 14 ms a model and depends on the processor, so that no digest
    could pin it.

    Args:
        name: the model's name, for messages.
        data: what `model_bytes` returns.
        intra_op_threads: see `open_model`.

    Raises:
        ModelUnusableError: onnxruntime cannot load it.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_FATAL_ONLY
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common root
        raise ModelUnusableError(f"onnxruntime cannot load the model {name}") from error
