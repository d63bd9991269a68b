"""Conversions on small models, against the ONNX reference evaluator and by hand."""

import base64
import json

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from biometrics.weights import graph
from biometrics.weights.conversion import convert
from biometrics.weights.errors import ConversionError

RNG = np.random.default_rng(5)


def run(model: bytes | onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    loaded = onnx.load_model_from_string(model) if isinstance(model, bytes) else model
    (output,) = ReferenceEvaluator(loaded).run(None, {"input": x})
    return np.asarray(output)


def quantised_model() -> onnx.ModelProto:
    """Return a convolution whose int8 kernel is restored as OpenCV Zoo's models do it."""
    kernel = RNG.integers(-128, 128, (4, 27), dtype=np.int8)
    scale = RNG.uniform(0.01, 0.1, (4, 3)).astype(np.float32)
    zero = RNG.integers(-5, 6, (4, 3), dtype=np.int8)
    tensors = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(scale, "scale"),
        numpy_helper.from_array(zero, "zero"),
        numpy_helper.from_array(np.array([4, 3, 3, 3]), "shape"),
    ]
    nodes = [
        helper.make_node(
            "DequantizeLinear", ["kernel", "scale", "zero"], ["flat"], axis=1, block_size=9
        ),
        helper.make_node("Reshape", ["flat", "shape"], ["weight"]),
        helper.make_node("Conv", ["input", "weight"], ["output"]),
    ]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "quantised",
            [graph.value("input", [1, 3, 8, 8])],
            [graph.value("output", [1, 4, 6, 6])],
            tensors,
        ),
        opset_imports=[helper.make_opsetid("", 21)],
    )


def test_folding_computes_what_the_quantised_model_computes() -> None:
    model = quantised_model()
    folded = convert(["fold-dequantize"], {"m": model.SerializeToString()})
    x = RNG.normal(size=(1, 3, 8, 8)).astype(np.float32)
    np.testing.assert_allclose(run(folded, x), run(model, x), rtol=1e-5, atol=1e-5)
    operators = [node.op_type for node in onnx.load_model_from_string(folded).graph.node]
    assert operators == ["Conv"]


def test_folding_drops_inputs_that_a_node_makes() -> None:
    model = quantised_model()
    model.graph.input.append(graph.value("weight", [4, 3, 3, 3]))
    folded = convert(["fold-dequantize"], {"m": model.SerializeToString()})
    inputs = onnx.load_model_from_string(folded).graph.input
    assert [entry.name for entry in inputs] == ["input"]


def test_a_scale_that_does_not_fit_is_refused() -> None:
    model = quantised_model()
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.ones((3, 5), "f4"), "scale"))
    with pytest.raises(ConversionError) as caught:
        convert(["fold-dequantize"], {"m": model.SerializeToString()})
    assert caught.value.code == "model-conversion-failed"


def test_free_sizes_leave_the_result_as_it_is() -> None:
    model = quantised_model()
    freed = convert(
        ["fold-dequantize", "free-size", "free-batch"], {"m": model.SerializeToString()}
    )
    x = RNG.normal(size=(1, 3, 8, 8)).astype(np.float32)
    np.testing.assert_allclose(run(freed, x), run(model, x), rtol=1e-5, atol=1e-5)
    dimensions = onnx.load_model_from_string(freed).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param for d in dimensions] == ["batch", "", "height", "width"]


def prelu_model(slopes: list[float]) -> onnx.ModelProto:
    """Return one PReLU with a slope a channel."""
    return helper.make_model(
        helper.make_graph(
            [helper.make_node("PRelu", ["input", "slope"], ["output"])],
            "prelu",
            [graph.value("input", [1, len(slopes), 4, 4])],
            [graph.value("output", [1, len(slopes), 4, 4])],
            [graph.tensor("slope", np.array(slopes, np.float32).reshape(-1, 1, 1))],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
    )


@pytest.mark.parametrize("slopes", [[0.25, 0.0, 1.0, -0.8], [0.5, 1.2, -1.3, 0.0]])
def test_split_prelu_computes_prelu(slopes: list[float]) -> None:
    model = prelu_model(slopes)
    split = convert(["split-prelu"], {"m": model.SerializeToString()})
    x = RNG.normal(size=(1, 4, 4, 4)).astype(np.float32)
    np.testing.assert_allclose(run(split, x), run(model, x), rtol=1e-6, atol=1e-6)
    operators = [node.op_type for node in onnx.load_model_from_string(split).graph.node]
    assert "PRelu" not in operators


def pad_model(pads: list[int]) -> onnx.ModelProto:
    """Return one Pad of an NHWC picture of 3 channels."""
    return helper.make_model(
        helper.make_graph(
            [helper.make_node("Pad", ["input", "pads"], ["output"])],
            "pad",
            [graph.value("input", ["batch", 4, 4, 3])],
            [graph.value("output", ["batch", "h", "w", "c"])],
            [graph.tensor("pads", np.array(pads))],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
    )


@pytest.mark.parametrize(
    ("pads", "left"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 5], 0),
        ([0, 1, 1, 0, 0, 1, 1, 0], 1),
        ([0, 0, 0, 2, 0, 0, 0, 5], 1),
        ([0, 0, 0, 0, 0, 0, 0, 0], 1),
    ],
)
def test_a_pad_of_channels_becomes_a_convolution(pads: list[int], left: int) -> None:
    model = pad_model(pads)
    changed = convert(["convolve-pad"], {"m": model.SerializeToString()})
    x = RNG.normal(size=(2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(run(changed, x), run(model, x))
    nodes = onnx.load_model_from_string(changed).graph.node
    assert [node.op_type for node in nodes].count("Pad") == left


def heads_model(strides: int = 1) -> onnx.ModelProto:
    """Return two heads of 1 and 4 channels on the same features, one of them with a sigmoid."""
    nodes, tensors = [], []
    for name, channels in (("a", 1), ("b", 4)):
        shapes = {"mix": (channels, 8, 1, 1), "filter": (channels, 1, 3, 3)}
        for part, shape in shapes.items():
            tensors.append(graph.tensor(f"{name}.{part}", RNG.normal(size=shape)))
            tensors.append(graph.tensor(f"{name}.{part}.bias", RNG.normal(size=channels)))
        tensors.append(graph.tensor(f"{name}.shape", np.array([1, -1, channels])))
        nodes += [
            helper.make_node("Conv", ["features", f"{name}.mix", f"{name}.mix.bias"], [f"{name}1"]),
            helper.make_node(
                "Conv",
                [f"{name}1", f"{name}.filter", f"{name}.filter.bias"],
                [f"{name}2"],
                group=channels,
                pads=[1, 1, 1, 1],
                strides=[strides, strides],
            ),
            helper.make_node("Transpose", [f"{name}2"], [f"{name}3"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"{name}3", f"{name}.shape"], [f"{name}4"]),
        ]
    nodes = [
        helper.make_node("Relu", ["input"], ["features"]),
        *nodes,
        helper.make_node("Sigmoid", ["a4"], ["score"]),
        helper.make_node("Concat", ["score", "b4"], ["output"], axis=2),
    ]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "heads",
            [graph.value("input", [1, 8, 6, 6])],
            [graph.value("output", [1, 36 // strides**2, 5])],
            tensors,
        ),
        opset_imports=[helper.make_opsetid("", 13)],
    )


def test_heads_on_the_same_features_run_as_one() -> None:
    model = heads_model()
    merged = convert(["merge-heads"], {"m": model.SerializeToString()})
    x = RNG.normal(size=(1, 8, 6, 6)).astype(np.float32)
    np.testing.assert_allclose(run(merged, x), run(model, x), rtol=1e-5, atol=1e-5)
    operators = [node.op_type for node in onnx.load_model_from_string(merged).graph.node]
    assert operators.count("Conv") == 2


def test_heads_of_another_kind_stay_as_they_are() -> None:
    model = heads_model(strides=2)
    merged = convert(["merge-heads"], {"m": model.SerializeToString()})
    operators = [node.op_type for node in onnx.load_model_from_string(merged).graph.node]
    assert operators.count("Conv") == 4


def test_merged_heads_take_a_batch() -> None:
    data = heads_model().SerializeToString()
    model = convert(["merge-heads", "free-batch"], {"m": data})
    x = RNG.normal(size=(3, 8, 6, 6)).astype(np.float32)
    alone = [run(model, x[i : i + 1]) for i in range(3)]
    np.testing.assert_allclose(run(model, x), np.concatenate(alone), rtol=1e-5, atol=1e-5)


def test_free_batch_frees_the_shapes_inside() -> None:
    data = heads_model().SerializeToString()
    freed = convert(["free-batch"], {"m": data})
    x = RNG.normal(size=(2, 8, 6, 6)).astype(np.float32)
    assert run(freed, x).shape == (2, 36, 5)


def test_conversion_gives_the_same_bytes_each_time() -> None:
    files = {"m": quantised_model().SerializeToString()}
    steps = ["fold-dequantize", "free-batch"]
    assert convert(steps, files) == convert(steps, files)


def test_without_steps_the_file_stays_as_it_is() -> None:
    assert convert([], {"m": b"anything"}) == b"anything"


@pytest.mark.parametrize(
    ("steps", "files"),
    [
        (["fold-dequantize"], {"m": b""}),
        (["fold-dequantize"], {"m": b"\x00" * 50}),
        (["fold-dequantize"], {}),
        (["quantise"], {"m": quantised_model().SerializeToString()}),
        (["tfjs"], {"m": b"{}"}),
        (["tfjs"], {"m": b"[" * 100_000}),
        (["tfjs"], {"m": b"\xff"}),
        (["minifasnet"], {"m": b""}),
        (["minifasnet"], {"m": b"\x80\x02."}),
    ],
)
def test_what_cannot_be_converted_is_refused(steps: list[str], files: dict[str, bytes]) -> None:
    with pytest.raises(ConversionError):
        convert(steps, files)


def _text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def tfjs_model(
    kernel: np.ndarray, bias: np.ndarray, slope: np.ndarray, operator: str, padding: str = "SAME"
) -> dict[str, bytes]:
    """Return a TensorFlow.js model of one fused convolution with stride 2."""
    fused = [_text("BiasAdd"), _text("Prelu")] if operator == "_FusedConv2D" else []
    inputs = ["x", "kernel", "bias", "slope"] if fused else ["x", "kernel"]
    weights = {"kernel": kernel, "bias": bias, "slope": slope}
    attributes = {
        "fused_ops": {"list": {"s": fused}},
        "strides": {"list": {"i": ["1", "2", "2", "1"]}},
        "padding": {"s": _text(padding)},
        "data_format": {"s": _text("NHWC")},
    }
    shape = {"dim": [{"size": "-1"}, {"size": "7"}, {"size": "7"}, {"size": "3"}]}
    return {
        "model.json": json.dumps(
            {
                "signature": {
                    "inputs": {"x": {"name": "x:0", "tensorShape": shape}},
                    "outputs": {
                        "y": {"name": "Identity:0", "tensorShape": {"dim": [{"size": "-1"}] * 4}}
                    },
                },
                "modelTopology": {
                    "node": [
                        *({"name": name, "op": "Const"} for name in weights),
                        {"name": "x", "op": "Placeholder"},
                        {"name": "c", "op": operator, "input": inputs, "attr": attributes},
                        {"name": "Identity", "op": "Identity", "input": ["c"]},
                    ]
                },
                "weightsManifest": [
                    {
                        "paths": ["model.bin"],
                        "weights": [
                            {
                                "name": name,
                                "shape": list(array.shape),
                                "dtype": "float32",
                                "quantization": {"dtype": "float16"},
                            }
                            for name, array in weights.items()
                        ],
                    }
                ],
            }
        ).encode(),
        "model.bin": b"".join(array.astype("<f2").tobytes() for array in weights.values()),
    }


def same_convolution(
    x: np.ndarray, kernel: np.ndarray, stride: int, *, depthwise: bool
) -> np.ndarray:
    """Convolve NHWC as TensorFlow defines padding SAME: the odd row of zeros comes last."""
    height, width = kernel.shape[:2]
    size = -(-x.shape[1] // stride)
    need = (size - 1) * stride + height - x.shape[1]
    low = need // 2
    padded = np.pad(x, ((0, 0), (low, need - low), (low, need - low), (0, 0)))
    rows = []
    for i in range(size):
        for j in range(size):
            patch = padded[:, i * stride : i * stride + height, j * stride : j * stride + width]
            if depthwise:
                cell = np.einsum("nhwc,hwcm->ncm", patch, kernel).reshape(len(x), -1)
            else:
                cell = np.einsum("nhwc,hwco->no", patch, kernel)
            rows.append(cell)
    return np.stack(rows, 1).reshape(len(x), size, size, -1)


KERNEL = RNG.normal(size=(3, 3, 3, 4)).astype("f2").astype("f4")
BIAS = RNG.normal(size=4).astype("f2").astype("f4")
SLOPE = RNG.uniform(0, 1, (1, 1, 4)).astype("f2").astype("f4")


@pytest.mark.parametrize("steps", [["tfjs"], ["tfjs", "split-prelu"]])
def test_tfjs_convolution_with_bias_and_prelu(steps: list[str]) -> None:
    model = convert(steps, tfjs_model(KERNEL, BIAS, SLOPE, "_FusedConv2D"))
    x = RNG.normal(size=(2, 7, 7, 3)).astype(np.float32)
    (got,) = ReferenceEvaluator(onnx.load_model_from_string(model)).run(None, {"x": x})
    y = same_convolution(x, KERNEL, 2, depthwise=False) + BIAS
    np.testing.assert_allclose(got, np.where(y < 0, y * SLOPE, y), rtol=1e-4, atol=1e-5)


def test_tfjs_depthwise_convolution_with_a_channel_multiplier() -> None:
    files = tfjs_model(KERNEL, BIAS, SLOPE, "DepthwiseConv2dNative")
    x = RNG.normal(size=(2, 7, 7, 3)).astype(np.float32)
    model = onnx.load_model_from_string(convert(["tfjs"], files))
    (got,) = ReferenceEvaluator(model).run(None, {"x": x})
    wanted = same_convolution(x, KERNEL, 2, depthwise=True)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cut", [-1, 1])
def test_tfjs_weights_of_another_length_are_refused(cut: int) -> None:
    files = tfjs_model(KERNEL, BIAS, SLOPE, "_FusedConv2D")
    weights = files["model.bin"]
    files["model.bin"] = weights[:cut] if cut < 0 else weights + b"\x00"
    with pytest.raises(ConversionError):
        convert(["tfjs"], files)


def test_tfjs_operator_that_is_not_covered_is_named() -> None:
    with pytest.raises(ConversionError, match="Einsum is not covered"):
        convert(["tfjs"], tfjs_model(KERNEL, BIAS, SLOPE, "Einsum"))


def test_tfjs_padding_that_is_not_covered_is_refused() -> None:
    with pytest.raises(ConversionError, match="padding"):
        convert(["tfjs"], tfjs_model(KERNEL, BIAS, SLOPE, "_FusedConv2D", "EXPLICIT"))
