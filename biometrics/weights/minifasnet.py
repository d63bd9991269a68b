"""MiniFASNet from its PyTorch weights to ONNX, without PyTorch.

The architecture is read from the parameters' names and shapes: how many blocks a stage has, how
wide they are, whether the last block of a stage has squeeze and excitation (V1SE). What names and
shapes cannot tell (strides, paddings, the order in a block) is the published architecture's.

Source: minivision-ai/Silent-Face-Anti-Spoofing, MiniFASNet; MobileFaceNet (Chen et al. 2018).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from biometrics.weights import graph
from biometrics.weights.errors import ConversionError
from biometrics.weights.torch_state import read_state_dict

OPSET = 13
INPUT_SIDE_PX = 80
BATCH_NORM_EPSILON = 1e-5
CHANNEL_BLOCK = 16
"""onnxruntime keeps convolutions in its quick layout while channels come in multiples of this."""

State = dict[str, npt.NDArray[np.generic]]


def read_minifasnet(files: Mapping[str, bytes]) -> onnx.ModelProto:
    """Return MiniFASNet as ONNX: input N×3×80×80, output `probabilities` N×3.

    Raises:
        ConversionError: the file is not a MiniFASNet state dict.
    """
    state = read_state_dict(next(iter(files.values())))
    try:
        return _Builder(state).build()
    except KeyError as error:
        raise ConversionError(f"the state dict lacks the parameter {error}") from error


class _Builder:
    def __init__(self, state: State):
        self._state = {name: _fill(values) for name, values in state.items()}
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[str, onnx.TensorProto] = {}

    def build(self) -> onnx.ModelProto:
        x = self._conv_block("conv1", "input", stride=2)
        x = self._conv_block("conv2_dw", x)
        for stage in ("3", "4", "5"):
            x = self._bottleneck(f"conv_{int(stage) - 1}{stage}", x, stride=2)
            for index in self._blocks(f"conv_{stage}.model."):
                x = self._residual(f"conv_{stage}.model.{index}", x)
        x = self._conv_block("conv_6_sep", x)
        # Global depthwise convolution: the kernel is as large as what is left of the picture.
        x = self._norm("conv_6_dw.bn", self._conv("conv_6_dw.conv", x, padding=0))
        x = self._node("Flatten", [x], axis=1)
        x = self._node("Gemm", [x, self._tensor("linear.weight")], transB=1)
        x = self._norm("bn", x)
        x = self._node("Gemm", [x, self._tensor("prob.weight")], transB=1)
        self._nodes.append(helper.make_node("Softmax", [x], ["probabilities"], axis=1))
        classes = self._state["prob.weight"].shape[0]
        side = INPUT_SIDE_PX
        return graph.build_model(
            onnx.GraphProto(
                name="minifasnet",
                node=self._nodes,
                initializer=self._tensors.values(),
                input=[graph.value("input", ["batch", 3, side, side])],
                output=[graph.value("probabilities", ["batch", classes])],
            ),
            OPSET,
        )

    def _blocks(self, prefix: str) -> list[int]:
        names = (name[len(prefix) :] for name in self._state if name.startswith(prefix))
        return sorted({int(name.split(".", 1)[0]) for name in names})

    def _residual(self, name: str, x: str) -> str:
        y = self._bottleneck(name, x)
        if f"{name}.se_module.fc1.weight" in self._state:
            y = self._squeeze_excite(f"{name}.se_module", y)
        return self._node("Add", [x, y])

    def _bottleneck(self, name: str, x: str, stride: int = 1) -> str:
        x = self._conv_block(f"{name}.conv", x)
        x = self._conv_block(f"{name}.conv_dw", x, stride)
        return self._norm(f"{name}.project.bn", self._conv(f"{name}.project.conv", x))

    def _squeeze_excite(self, name: str, x: str) -> str:
        y = self._node("GlobalAveragePool", [x])
        y = self._node("Relu", [self._norm(f"{name}.bn1", self._conv(f"{name}.fc1", y))])
        y = self._norm(f"{name}.bn2", self._conv(f"{name}.fc2", y))
        return self._node("Mul", [x, self._node("Sigmoid", [y])])

    def _conv_block(self, name: str, x: str, stride: int = 1) -> str:
        y = self._norm(f"{name}.bn", self._conv(f"{name}.conv", x, stride))
        slope = self._state[f"{name}.prelu.weight"].reshape(-1, 1, 1)
        return self._node("PRelu", [y, self._tensor(f"{name}.prelu.weight", slope)])

    def _conv(self, name: str, x: str, stride: int = 1, padding: int | None = None) -> str:
        outputs, inputs_a_group, height, width = self._state[f"{name}.weight"].shape
        # In this family a kernel that sees one channel of several is depthwise.
        group = outputs if inputs_a_group == 1 else 1
        pad = height // 2 if padding is None else padding
        return self._node(
            "Conv",
            [x, self._tensor(f"{name}.weight")],
            kernel_shape=[height, width],
            strides=[stride, stride],
            pads=[pad] * 4,
            group=group,
        )

    def _norm(self, name: str, x: str) -> str:
        parameters = ("weight", "bias", "running_mean", "running_var")
        tensors = [self._tensor(f"{name}.{parameter}") for parameter in parameters]
        return self._node("BatchNormalization", [x, *tensors], epsilon=BATCH_NORM_EPSILON)

    def _tensor(self, name: str, values: npt.NDArray[np.generic] | None = None) -> str:
        self._tensors[name] = graph.tensor(name, self._state[name] if values is None else values)
        return name

    def _node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output


def _fill(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Return a parameter with zeros for further channels, up to a whole block.

    The published widths are pruned (103, 52, 13 channels). An added channel is zero everywhere: its
    kernel, its normalisation's weight and bias, its slope, and what the next kernel makes of it.
    """
    if values.ndim == 1:
        return np.pad(values, (0, -len(values) % CHANNEL_BLOCK))
    if values.ndim != 4:
        return values
    outputs, inputs = values.shape[:2]
    # The picture has 3 channels; a depthwise kernel sees one.
    more_inputs = -inputs % CHANNEL_BLOCK if inputs > 3 else 0
    return np.pad(values, ((0, -outputs % CHANNEL_BLOCK), (0, more_inputs), (0, 0), (0, 0)))
