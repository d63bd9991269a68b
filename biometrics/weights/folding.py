"""Fold block-dequantised weights into FP32, so that onnxruntime runs OpenCV Zoo's int8bq models.

OpenCV Zoo stores weights as int8 with a scale a block and restores them in the graph with
DequantizeLinear and Reshape. onnxruntime refuses that (a block size beside a scalar scale, inputs
that are node outputs). The restored weights are constants, so they are computed once, here.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnx

from biometrics.weights import graph
from biometrics.weights.errors import ConversionError


def fold_dequantize(model: onnx.ModelProto) -> None:
    """Replace DequantizeLinear (and a Reshape after it) over constants by FP32 initialisers.

    Changes `model` in place.

    Raises:
        ConversionError: scales do not fit their weights.
    """
    constants = graph.initialisers(model.graph)
    kept: list[onnx.NodeProto] = []
    for node in model.graph.node:
        is_constant = all(name in constants for name in node.input)
        if is_constant and node.op_type == "DequantizeLinear":
            operands = [graph.array_of(constants[name]) for name in node.input]
            folded: graph.Array = dequantize(operands, graph.attributes(node))
        elif is_constant and node.op_type == "Reshape":
            folded = _reshape(*(graph.array_of(constants[name]) for name in node.input))
        else:
            kept.append(node)
            continue
        constants[node.output[0]] = graph.tensor(node.output[0], folded)
    graph.replace(model.graph.node, kept)
    graph.replace(model.graph.initializer, list(constants.values()))
    graph.drop_unused(model.graph)


def dequantize(
    operands: list[graph.Array], attributes: Mapping[str, object]
) -> npt.NDArray[np.float32]:
    """Return (x - zero point) * scale: a scale a tensor, an axis entry, or a block of an axis.

    Args:
        operands: x, its scale and, if there is one, its zero point.
        attributes: `axis` and `block_size` of the node.

    Raises:
        ConversionError: the scale does not fit the weights.

    Source: ONNX operators, DequantizeLinear-21.
    """
    weights, scale, *rest = (operand.astype(np.float32) for operand in operands)
    zero = rest[0] if rest else np.zeros_like(scale)
    axis = int(str(attributes.get("axis", 1)))
    block = int(str(attributes.get("block_size", 0)))
    try:
        scale, zero = (_spread(factor, weights.shape, axis, block) for factor in (scale, zero))
        return np.asarray((weights - zero) * scale, dtype=np.float32)
    except ValueError as error:
        raise ConversionError("a quantisation scale does not fit its weights") from error


def _spread(
    factor: npt.NDArray[np.float32], shape: tuple[int, ...], axis: int, block: int
) -> npt.NDArray[np.float32]:
    if factor.size == 1:
        return factor.reshape(())
    if block == 0:
        return factor.reshape([-1 if index == axis else 1 for index in range(len(shape))])
    repeated = np.repeat(factor, block, axis=axis)
    return repeated[tuple(slice(0, length) for length in shape)]


def _reshape(values: graph.Array, shape: graph.Array) -> graph.Array:
    # ONNX operators, Reshape: 0 keeps the dimension of the input.
    target = [values.shape[i] if size == 0 else int(size) for i, size in enumerate(shape.tolist())]
    try:
        return values.reshape(target)
    except ValueError as error:
        raise ConversionError("a constant does not fit the shape it is brought into") from error
