"""Run the heads of a detector as one: they read the same features and differ in their kernels only.

A head of YuNet is a 1x1 convolution, a depthwise one, a Transpose and a Reshape. onnxruntime
computes channels in blocks of 16, so that a head of one channel costs as much as one of 16. The
four heads of a stride have 16 channels together.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np
import onnx
from onnx import helper

from biometrics.weights import graph
from biometrics.weights.errors import ConversionError

SPLIT_OPSET = 13
"""The first operator set whose Split takes the sizes as an input."""


class _Head(NamedTuple):
    pointwise: onnx.NodeProto
    depthwise: onnx.NodeProto
    transpose: onnx.NodeProto
    reshape: onnx.NodeProto


_OPERATORS = ("Conv", "Conv", "Transpose", "Reshape")


def merge_heads(model: onnx.ModelProto) -> None:
    """Replace the heads that read one tensor by one head, whose rows are split at the end.

    Changes `model` in place. The batch, which the published shapes fix, becomes free on the way.

    Raises:
        ConversionError: the model is older than the operators that are needed.
    """
    if max(entry.version for entry in model.opset_import if entry.domain == "") < SPLIT_OPSET:
        raise ConversionError("the model's operator set is too old for its heads to be merged")
    constants = {
        name: graph.array_of(initialiser)
        for name, initialiser in graph.initialisers(model.graph).items()
    }
    heads = sorted(_find_heads(model.graph, constants), key=_features)
    groups = [list(group) for _, group in groupby(heads, _features)]
    merged = {group[0].pointwise.output[0]: _merge(group, constants, model) for group in groups}
    replaced = {node.output[0] for head in heads for node in head}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        nodes += merged.get(node.output[0], [] if node.output[0] in replaced else [node])
    graph.replace(model.graph.node, nodes)
    graph.drop_unused(model.graph)


def _find_heads(part: onnx.GraphProto, constants: dict[str, graph.Array]) -> Iterator[_Head]:
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in part.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for node in part.node:
        chain = [node]
        while len(chain) < 4 and len(following := readers.get(chain[-1].output[0], [])) == 1:
            chain += following
        if tuple(node.op_type for node in chain) == _OPERATORS:
            head = _Head(*chain)
            if _fits(head, constants):
                yield head


def _fits(head: _Head, constants: dict[str, graph.Array]) -> bool:
    """Return whether this is a head as the module's text has it, N x C x H x W to N x HW x C."""
    operands = [*head.pointwise.input[1:], *head.depthwise.input[1:], head.reshape.input[1]]
    if len(operands) != 5 or not all(name in constants for name in operands):
        return False
    mix, _, filters, _, shape = (constants[name] for name in operands)
    pointwise, depthwise = graph.attributes(head.pointwise), graph.attributes(head.depthwise)
    whole = ([1, 1], None)
    return (
        mix.shape[2:] == (1, 1)
        and filters.shape == (len(mix), 1, 3, 3)
        and pointwise.get("strides") in whole
        and depthwise.get("strides") in whole
        and depthwise.get("dilations") in whole
        and depthwise.get("pads") == [1, 1, 1, 1]
        and graph.attributes(head.transpose).get("perm") == [0, 2, 3, 1]
        and shape.tolist()[1:] == [-1, len(mix)]
    )


def _features(head: _Head) -> str:
    return str(head.pointwise.input[0])


def _merge(
    heads: list[_Head], constants: dict[str, graph.Array], model: onnx.ModelProto
) -> list[onnx.NodeProto]:
    """Return the nodes of one head that does the work of `heads`, after adding its tensors."""
    x = _features(heads[0])
    name = f"{x}/heads"

    def joined(part: str, arrays: list[graph.Array]) -> str:
        model.graph.initializer.append(graph.tensor(f"{name}/{part}", np.concatenate(arrays)))
        return f"{name}/{part}"

    def operand(part: str, nodes: list[onnx.NodeProto], index: int) -> str:
        return joined(part, [constants[node.input[index]] for node in nodes])

    pointwise = [head.pointwise for head in heads]
    depthwise = [head.depthwise for head in heads]
    sizes = np.array([len(constants[node.input[1]]) for node in pointwise])
    channels = int(sizes.sum())
    kernel, bias = operand("mix", pointwise, 1), operand("mix-bias", pointwise, 2)
    filters, offset = operand("filter", depthwise, 1), operand("filter-bias", depthwise, 2)
    # ONNX operators, Reshape: 0 keeps the dimension of the input, the batch.
    shape = joined("shape", [np.array([0, -1, channels])])
    return [
        helper.make_node("Conv", [x, kernel, bias], [f"{name}/mixed"]),
        helper.make_node(
            "Conv",
            [f"{name}/mixed", filters, offset],
            [f"{name}/filtered"],
            group=channels,
            pads=[1, 1, 1, 1],
        ),
        helper.make_node("Transpose", [f"{name}/filtered"], [f"{name}/nhwc"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"{name}/nhwc", shape], [f"{name}/rows"]),
        helper.make_node(
            "Split",
            [f"{name}/rows", joined("sizes", [sizes])],
            [head.reshape.output[0] for head in heads],
            axis=2,
        ),
    ]
