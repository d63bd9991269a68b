"""Rewrite a graph without changing what it computes: quicker operators, free sizes."""

import numpy as np
import onnx
from onnx import helper

from biometrics.weights import graph
from biometrics.weights.errors import ConversionError


def split_prelu(model: onnx.ModelProto) -> None:
    """Replace each PRelu(x) with slope s by Relu((1 - s) * x) + s * x. Changes `model` in place.

    The same function: for x >= 0 it is x, below it is s * x. onnxruntime's PRelu kernel takes half
    the time of SFace; these two products become depthwise convolutions in the layout of their
    neighbours, one with the Relu in it, the other with the sum. Where a slope is above 1 the factor
    1 - s is negative and must stay outside the Relu.
    """
    constants = graph.initialisers(model.graph)
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        slope = constants.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is None:
            nodes.append(node)
            continue
        x, y = node.input[0], node.output[0]
        rest = np.float32(1) - graph.array_of(slope).astype(np.float32)
        model.graph.initializer.append(graph.tensor(f"{y}/rest", rest))
        inner, outer = f"{y}/inner", f"{y}/positive"
        if rest.min() >= 0:
            nodes.append(helper.make_node("Mul", [x, f"{y}/rest"], [inner]))
            nodes.append(helper.make_node("Relu", [inner], [outer]))
        else:
            nodes.append(helper.make_node("Relu", [x], [inner]))
            nodes.append(helper.make_node("Mul", [inner, f"{y}/rest"], [outer]))
        nodes.append(helper.make_node("Mul", [x, slope.name], [f"{y}/sloped"]))
        nodes.append(helper.make_node("Add", [outer, f"{y}/sloped"], [y]))
    graph.replace(model.graph.node, nodes)


def convolve_pad(model: onnx.ModelProto) -> None:
    """Replace each Pad that only adds channels of zeros by a 1x1 convolution that does the same.

    Changes `model` in place. The graph is NHWC there. onnxruntime leaves the layout of its
    convolutions for a Pad, and everything around it goes the slow way: reorders, sums and
    activations apart.
    """
    channels = _channels(model)
    constants = graph.initialisers(model.graph)
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        pads = graph.array_of(constants[node.input[1]]) if node.op_type == "Pad" else np.zeros(0)
        before = channels.get(node.input[0], 0) if pads.any() else 0
        # ONNX operators, Pad: the starts of all axes, then their ends. The last axis is C here.
        if pads.size != 8 or pads[:7].any() or pads[7] < 0 or not before:
            nodes.append(node)
            continue
        x, y = node.input[0], node.output[0]
        kernel = np.eye(before + int(pads[7]), before, dtype=np.float32)[:, :, None, None]
        model.graph.initializer.append(graph.tensor(f"{y}/kernel", kernel))
        nodes += [
            helper.make_node("Transpose", [x], [f"{y}/nchw"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", [f"{y}/nchw", f"{y}/kernel"], [f"{y}/conv"]),
            helper.make_node("Transpose", [f"{y}/conv"], [y], perm=[0, 2, 3, 1]),
        ]
    graph.replace(model.graph.node, nodes)
    graph.drop_unused(model.graph)


def free_batch(model: onnx.ModelProto) -> None:
    """Let the model take any number of images at once. Changes `model` in place.

    A Reshape to one image keeps the batch of its input instead.
    """
    for entry in (*model.graph.input, *model.graph.output):
        _dimensions(entry, 1)[0].dim_param = "batch"
    constants = graph.initialisers(model.graph)
    for node in model.graph.node:
        shape = constants.get(node.input[1]) if node.op_type == "Reshape" else None
        sizes = graph.array_of(shape).tolist() if shape else []
        if sizes[:1] == [1]:
            node.input[1] = f"{node.output[0]}/shape"
            # ONNX operators, Reshape: 0 keeps the dimension of the input.
            model.graph.initializer.append(graph.tensor(node.input[1], [0, *sizes[1:]]))
    graph.drop_unused(model.graph)


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


def _channels(model: onnx.ModelProto) -> dict[str, int]:
    """Return the length of the last of four axes, by tensor, where it is known."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    found = {}
    for entry in (*inferred.input, *inferred.value_info):
        dimensions = entry.type.tensor_type.shape.dim
        if len(dimensions) == 4 and dimensions[3].dim_value > 0:
            found[entry.name] = dimensions[3].dim_value
    return found
