"""From published files to the model that is loaded: the steps that the manifest names, in order."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from biometrics.weights.errors import ConversionError

if TYPE_CHECKING:
    import onnx

Files = Mapping[str, bytes]
"""Published files by name, in the manifest's order."""

Reader = Callable[[Files], "onnx.ModelProto"]
"""First step: makes a model of published files that are not ONNX."""

Rewriter = Callable[["onnx.ModelProto"], None]
"""Later step: changes a model in place."""

QUICKENING = frozenset({"convolve-pad", "merge-heads", "split-prelu"})
"""Steps for speed alone. The others are what makes a published file run at all."""


@cache
def _readers() -> Mapping[str, Reader]:
    from biometrics.weights import minifasnet, tfjs

    return {"tfjs": tfjs.read_tfjs, "minifasnet": minifasnet.read_minifasnet}


@cache
def _rewriters() -> Mapping[str, Rewriter]:
    from biometrics.weights import folding, heads, rewriting

    return {
        "fold-dequantize": folding.fold_dequantize,
        "merge-heads": heads.merge_heads,
        "split-prelu": rewriting.split_prelu,
        "convolve-pad": rewriting.convolve_pad,
        "free-batch": rewriting.free_batch,
        "free-size": rewriting.free_size,
    }


def convert(steps: Sequence[str], files: Files) -> bytes:
    """Return the model made of `files` by `steps`; without steps, the first file as it is.

    The same files and steps give the same bytes.

    Raises:
        ConversionError: a step is unknown, or the files are not what it needs.
    """
    if not files:
        raise ConversionError("there is no file to convert")
    if not steps:
        return next(iter(files.values()))
    from biometrics.weights import graph

    reader = _readers().get(steps[0])
    model = reader(files) if reader else graph.load(next(iter(files.values())))
    for step in steps[1:] if reader else steps:
        rewriter = _rewriters().get(step)
        if rewriter is None:
            raise ConversionError(f"unknown conversion step {step!r}")
        rewriter(model)
    return graph.serialise(model)
