"""What the conversions share: ONNX tensors and models written the same way by every onnx version.

The digest of a converted model is pinned in the manifest, so nothing here leaves a byte to the
version of the onnx package: tensors are raw little-endian data, models carry no producer, and the
serialisation is deterministic.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from biometrics.weights.errors import ConversionError

Array = npt.NDArray[np.generic]

IR_VERSION = 8
"""The oldest that the opset of the conversions needs, so that every runtime in use loads it."""

_ONNX_TYPES = {
    np.dtype("<f4"): onnx.TensorProto.FLOAT,
    np.dtype("<i8"): onnx.TensorProto.INT64,
}


def tensor(name: str, values: npt.ArrayLike) -> onnx.TensorProto:
    """Return a float32 or int64 tensor as an ONNX initialiser."""
    array = np.asarray(values)
    array = array.astype("<f4" if array.dtype.kind == "f" else "<i8")
    return onnx.TensorProto(
        name=name,
        data_type=_ONNX_TYPES[array.dtype],
        dims=array.shape,
        raw_data=array.tobytes(),
    )


def array_of(initialiser: onnx.TensorProto) -> Array:
    """Return the values of an initialiser.

    Raises:
        ConversionError: its data do not fit its shape, or lie in another file.
    """
    if initialiser.data_location == onnx.TensorProto.EXTERNAL:
        raise ConversionError("a tensor of the model lies in another file")
    try:
        return numpy_helper.to_array(initialiser)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConversionError("a tensor of the model does not fit its shape") from error


def initialisers(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """Return a graph's initialisers by name."""
    return {initialiser.name: initialiser for initialiser in graph.initializer}


def value(name: str, shape: Sequence[int | str] | None) -> onnx.ValueInfoProto:
    """Return the description of a float32 input or output; a string is a free dimension."""
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


def drop_unused(graph: onnx.GraphProto) -> None:
    """Remove initialisers that no node reads, and inputs that are not fed from outside."""
    used = {name for node in graph.node for name in node.input}
    used |= {output.name for output in graph.output}
    kept = [initialiser for initialiser in graph.initializer if initialiser.name in used]
    made = {initialiser.name for initialiser in kept}
    made |= {name for node in graph.node for name in node.output}
    inputs = [entry for entry in graph.input if entry.name in used - made]
    replace(graph.initializer, kept)
    replace(graph.input, inputs)


def replace(field: "onnx.internal.RepeatedField", items: Sequence[object]) -> None:  # type: ignore
    """Set a repeated field of a protobuf message."""
    del field[:]
    field.extend(items)


def attributes(node: onnx.NodeProto) -> Mapping[str, object]:
    """Return a node's attributes by name."""
    return {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}


def build_model(graph: onnx.GraphProto, opset: int) -> onnx.ModelProto:
    """Return a model of one graph in the default operator set."""
    model = onnx.ModelProto(ir_version=IR_VERSION, graph=graph)
    model.opset_import.add(domain="", version=opset)
    return model


def load(data: bytes) -> onnx.ModelProto:
    """Parse an ONNX model.

    Raises:
        ConversionError: it is not one.
    """
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's exceptions differ by its implementation
        raise ConversionError("the file is not an ONNX model") from error
    if not model.graph.node:
        raise ConversionError("the ONNX model is empty")
    return model


def serialise(model: onnx.ModelProto) -> bytes:
    """Return the bytes of a model, the same for the same model whatever wrote it.

    Raises:
        ConversionError: the model is not valid ONNX.
    """
    model.producer_name = model.producer_version = model.doc_string = ""
    del model.graph.value_info[:]
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ConversionError("the converted model is not valid ONNX") from error
    return bytes(model.SerializeToString(deterministic=True))
