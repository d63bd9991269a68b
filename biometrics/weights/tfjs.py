"""From a TensorFlow.js graph model to ONNX, with numpy and onnx alone.

Covers what the face mesh is made of: convolutions with fused bias and activation, PReLU, pooling,
padding, reshaping, element-wise operators. The input stays NHWC; convolutions and pooling are put
between transpositions, most of which onnxruntime's optimiser removes. Any other operator is
refused.

Source: TensorFlow.js graph model (model.json: `modelTopology`, `weightsManifest`); TensorFlow
operators' data format NHWC.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from biometrics.weights import graph
from biometrics.weights.errors import ConversionError

OPSET = 13

Array = npt.NDArray[np.generic]

_TO_NCHW = (0, 3, 1, 2)
_TO_NHWC = (0, 2, 3, 1)
_ELEMENTWISE = {
    "Add": "Add",
    "AddV2": "Add",
    "Mul": "Mul",
    "Sub": "Sub",
    "Maximum": "Max",
    "Minimum": "Min",
    "Relu": "Relu",
    "Abs": "Abs",
    "Sigmoid": "Sigmoid",
    "Identity": "Identity",
}
_STORED = {"float32": "<f4", "int32": "<i4"}
_QUANTISED = {"float16": "<f2", "uint8": "u1", "uint16": "<u2"}


def read_tfjs(files: Mapping[str, bytes]) -> onnx.ModelProto:
    """Return a TensorFlow.js graph model as ONNX.

    Args:
        files: the model's JSON first, then its weight files under the names that it gives them.

    Raises:
        ConversionError: not a graph model, damaged, or made of operators that are not covered.
    """
    try:
        description = json.loads(next(iter(files.values())))
        weights = _read_weights(description["weightsManifest"], files)
        return _Converter(description["modelTopology"]["node"], weights).convert(
            description["signature"]
        )
    except ConversionError:
        raise
    except (
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        RecursionError,
        binascii.Error,
    ) as error:
        raise ConversionError("the TensorFlow.js model is damaged or incomplete") from error


def _read_weights(groups: list[dict[str, Any]], files: Mapping[str, bytes]) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    for group in groups:
        data = b"".join(files[path] for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            array = _read_weight(entry, data, offset)
            offset += array.nbytes
            weights[entry["name"]] = _restore(entry, array)
        if offset != len(data):
            raise ConversionError("the TensorFlow.js weights are longer than their description")
    return weights


def _read_weight(entry: dict[str, Any], data: bytes, offset: int) -> Array:
    quantisation = entry.get("quantization")
    dtype = _QUANTISED[quantisation["dtype"]] if quantisation else _STORED[entry["dtype"]]
    count = int(np.prod(entry["shape"], dtype=np.int64))
    return np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])


def _restore(entry: dict[str, Any], array: Array) -> Array:
    if entry["dtype"] == "int32":
        return array.astype(np.int64)
    quantisation = entry.get("quantization", {})
    values = array.astype(np.float32)
    if "scale" in quantisation:
        values = values * np.float32(quantisation["scale"]) + np.float32(quantisation["min"])
    return values


class _Converter:
    def __init__(self, nodes: list[dict[str, Any]], weights: dict[str, Array]):
        self._source = nodes
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[str, onnx.TensorProto] = {}

    def convert(self, signature: dict[str, Any]) -> onnx.ModelProto:
        for node in self._source:
            self._convert(node)
        outputs = []
        for name, entry in sorted(signature["outputs"].items()):
            self._nodes.append(helper.make_node("Identity", [_plain(entry["name"])], [name]))
            outputs.append(graph.value(name, _shape(entry["tensorShape"])))
        inputs = [
            graph.value(_plain(entry["name"]), _shape(entry["tensorShape"]))
            for entry in signature["inputs"].values()
        ]
        model = graph.build_model(
            onnx.GraphProto(
                name="tfjs",
                node=self._nodes,
                initializer=self._tensors.values(),
                input=inputs,
                output=outputs,
            ),
            OPSET,
        )
        graph.drop_unused(model.graph)
        return model

    def _convert(self, node: dict[str, Any]) -> None:
        operator, name = node["op"], node["name"]
        inputs = [_plain(entry) for entry in node.get("input", [])]
        if operator == "Placeholder":
            return
        if operator == "Const":
            self._tensor(name, self._weights[name])
        elif operator in _ELEMENTWISE:
            self._emit(_ELEMENTWISE[operator], inputs, name)
        elif operator in ("_FusedConv2D", "Conv2D"):
            self._convolve(node, inputs, depthwise=False)
        elif operator in ("FusedDepthwiseConv2dNative", "DepthwiseConv2dNative"):
            self._convolve(node, inputs, depthwise=True)
        elif operator == "MaxPool":
            self._pool(node, inputs[0])
        elif operator == "Prelu":
            self._emit("PRelu", inputs, name)
        elif operator == "Pad":
            paddings = self._weights[inputs[1]]
            ends = np.concatenate([paddings[:, 0], paddings[:, 1]])
            self._emit("Pad", [inputs[0], self._tensor(f"{name}/pads", ends)], name)
        elif operator == "Reshape":
            shape = self._tensor(f"{name}/shape", self._weights[inputs[1]])
            self._emit("Reshape", [inputs[0], shape], name)
        else:
            raise ConversionError(f"the TensorFlow.js operator {operator} is not covered")

    def _convolve(self, node: dict[str, Any], inputs: list[str], *, depthwise: bool) -> None:
        name = node["name"]
        kernel = self._weights[inputs[1]]
        height, width, channels, last = kernel.shape
        if depthwise:  # HWCM: M filters for each of C channels
            kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * last, 1, height, width)
        else:  # HWIO
            kernel = kernel.transpose(3, 2, 0, 1)
        fused = _attribute(node, "fused_ops") or []
        operands = inputs[2:]
        x = self._transpose(inputs[0], _TO_NCHW, f"{name}/nchw")
        arguments = [x, self._tensor(f"{name}/kernel", kernel)]
        if "BiasAdd" in fused:
            bias = operands.pop(0)
            arguments.append(self._tensor(f"{name}/bias", self._weights[bias].reshape(-1)))
        y = self._emit(
            "Conv",
            arguments,
            f"{name}/conv",
            kernel_shape=[height, width],
            strides=_attribute(node, "strides")[1:3],
            dilations=(_attribute(node, "dilations") or [1, 1, 1, 1])[1:3],
            group=channels if depthwise else 1,
            auto_pad=_auto_pad(node),
        )
        for activation in (entry for entry in fused if entry != "BiasAdd"):
            y = self._activate(activation, y, operands, name)
        self._transpose(y, _TO_NHWC, name)

    def _activate(self, activation: str, x: str, operands: list[str], name: str) -> str:
        if activation == "Relu":
            return self._emit("Relu", [x], f"{name}/relu")
        if activation == "Prelu":
            slope = self._weights[operands.pop(0)].reshape(-1, 1, 1)
            return self._emit("PRelu", [x, self._tensor(f"{name}/slope", slope)], f"{name}/prelu")
        raise ConversionError(f"the fused TensorFlow.js operator {activation} is not covered")

    def _pool(self, node: dict[str, Any], x: str) -> None:
        name = node["name"]
        y = self._emit(
            "MaxPool",
            [self._transpose(x, _TO_NCHW, f"{name}/nchw")],
            f"{name}/pool",
            kernel_shape=_attribute(node, "ksize")[1:3],
            strides=_attribute(node, "strides")[1:3],
            auto_pad=_auto_pad(node),
        )
        self._transpose(y, _TO_NHWC, name)

    def _transpose(self, x: str, order: tuple[int, ...], output: str) -> str:
        return self._emit("Transpose", [x], output, perm=order)

    def _emit(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _tensor(self, name: str, values: Array) -> str:
        self._tensors[name] = graph.tensor(name, values)
        return name


def _plain(name: str) -> str:
    return name.removesuffix(":0")


def _shape(entry: dict[str, Any]) -> list[int | str]:
    sizes = [int(dimension["size"]) for dimension in entry["dim"]]
    return ["batch" if size == -1 else size for size in sizes]


def _auto_pad(node: dict[str, Any]) -> str:
    padding = _attribute(node, "padding")
    modes = {"SAME": "SAME_UPPER", "VALID": "VALID"}
    if padding not in modes or _attribute(node, "data_format") not in (None, "NHWC"):
        raise ConversionError("a padding or data format of the TensorFlow.js model is not covered")
    return modes[padding]


def _attribute(node: dict[str, Any], name: str) -> Any:
    entry = node.get("attr", {}).get(name)
    if entry is None:
        return None
    if "s" in entry:
        return base64.b64decode(entry["s"]).decode()
    entries = entry["list"]
    if "i" in entries:
        return [int(item) for item in entries["i"]]
    return [base64.b64decode(item).decode() for item in entries.get("s", [])]
