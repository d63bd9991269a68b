"""Rewrite a graph without changing what it computes: quicker activations, free sizes."""

import numpy as np
import onnx
from onnx import helper

from biometrics.weights import graph
from biometrics.weights.errors import ConversionError


def split_prelu(model: onnx.ModelProto) -> None:
    """Replace each PRelu(x) with slope s by (1 - s) * Relu(x) + s * x. Changes `model` in place.

    The same function: for x >= 0 it is x, below it is s * x. onnxruntime's PRelu kernel takes half
    the time of SFace; these three run vectorised.
    """
    constants = graph.initialisers(model.graph)
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        slope = constants.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is None:
            nodes.append(node)
            continue
        x, y = node.input[0], node.output[0]
        one = np.float32(1)
        model.graph.initializer.append(
            graph.tensor(f"{y}/rest", one - graph.array_of(slope).astype(np.float32))
        )
        nodes += [
            helper.make_node("Relu", [x], [f"{y}/relu"]),
            helper.make_node("Mul", [f"{y}/relu", f"{y}/rest"], [f"{y}/positive"]),
            helper.make_node("Mul", [x, slope.name], [f"{y}/sloped"]),
            helper.make_node("Add", [f"{y}/positive", f"{y}/sloped"], [y]),
        ]
    graph.replace(model.graph.node, nodes)


def free_batch(model: onnx.ModelProto) -> None:
    """Let the model take any number of images at once. Changes `model` in place."""
    for entry in (*model.graph.input, *model.graph.output):
        _dimensions(entry, 1)[0].dim_param = "batch"


def free_size(model: onnx.ModelProto) -> None:
    """Let a fully convolutional detector take pictures of any size. Changes `model` in place.

    Source: input NCHW; each output holds one row an anchor in its second dimension.
    """
    height, width = _dimensions(model.graph.input[0], 4)[2:4]
    height.dim_param, width.dim_param = "height", "width"
    for output in model.graph.output:
        _dimensions(output, 2)[1].dim_param = f"anchors_{output.name}"


def _dimensions(entry: onnx.ValueInfoProto, at_least: int) -> list[onnx.TensorShapeProto.Dimension]:
    dimensions = list(entry.type.tensor_type.shape.dim)
    if len(dimensions) < at_least:
        raise ConversionError(f"the tensor {entry.name} has too few dimensions")
    return dimensions
