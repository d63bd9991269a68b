"""Properties of the conversions and of what reads foreign bytes."""

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import helper
from onnx.reference import ReferenceEvaluator

from biometrics.errors import BiometricsError
from biometrics.manifest import parse_manifest
from biometrics.weights import graph
from biometrics.weights.archives import read_member
from biometrics.weights.conversion import convert
from biometrics.weights.folding import dequantize
from biometrics.weights.torch_state import read_state_dict

finite = st.floats(-1e3, 1e3, width=32)


@given(
    blocks=st.integers(1, 4),
    block=st.integers(1, 5),
    rows=st.integers(1, 4),
    short=st.integers(0, 4),
    data=st.data(),
)
def test_dequantizing_by_block_is_the_reference_evaluators(
    blocks: int, block: int, rows: int, short: int, data: st.DataObject
) -> None:
    width = blocks * block - min(short, block - 1)
    int8 = st.integers(-128, 127)
    weights = data.draw(hnp.arrays(np.int8, (rows, width), elements=int8))
    scale = data.draw(
        hnp.arrays(np.float32, (rows, blocks), elements=st.floats(2**-10, 10, width=32))
    )
    zero = data.draw(hnp.arrays(np.int8, (rows, blocks), elements=int8))
    node = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"], axis=1, block_size=block)
    restored = dequantize([weights, scale, zero], {"axis": 1, "block_size": block})
    column = np.arange(width) // block
    expected = (weights.astype("f4") - zero[:, column].astype("f4")) * scale[:, column]
    np.testing.assert_array_equal(restored, expected)
    if width == blocks * block:  # the reference evaluator covers whole blocks only
        (reference,) = ReferenceEvaluator(node).run(None, {"x": weights, "s": scale, "z": zero})
        np.testing.assert_allclose(restored, reference, rtol=1e-6)


@given(
    slope=hnp.arrays(np.float32, (3, 1, 1), elements=st.floats(-2, 2, width=32)),
    x=hnp.arrays(np.float32, (1, 3, 2, 2), elements=finite),
)
def test_split_prelu_is_prelu(slope: np.ndarray, x: np.ndarray) -> None:
    model = graph.build_model(
        helper.make_graph(
            [helper.make_node("PRelu", ["x", "slope"], ["y"])],
            "prelu",
            [graph.value("x", [1, 3, 2, 2])],
            [graph.value("y", [1, 3, 2, 2])],
            [graph.tensor("slope", slope)],
        ),
        13,
    )
    split = onnx.load_model_from_string(convert(["split-prelu"], {"m": graph.serialise(model)}))
    assert "PRelu" not in {node.op_type for node in split.graph.node}
    (y,) = ReferenceEvaluator(split).run(None, {"x": x})
    np.testing.assert_allclose(y, np.where(x < 0, x * slope, x), rtol=1e-5, atol=1e-4)


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_foreign_bytes_raise_our_errors_only(data: bytes) -> None:
    readers = [
        parse_manifest,
        read_state_dict,
        lambda foreign: read_member(foreign, "a", 1),
        lambda foreign: convert(["fold-dequantize"], {"m": foreign}),
        lambda foreign: convert(["tfjs"], {"m": foreign, "weights": foreign}),
        lambda foreign: convert(["minifasnet"], {"m": foreign}),
    ]
    for read in readers:
        try:
            read(data)
        except BiometricsError as error:
            assert error.code
        else:
            raise AssertionError("random bytes were taken")
