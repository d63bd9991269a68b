"""The bound of a face path is what the path itself ran."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from benchmarks.face import bound
from biometrics.manifest import InputContract, ModelEntry, SourceFile
from biometrics.onnx import Model, open_session
from biometrics.weights import graph

FILE = SourceFile(name="relu.onnx", sha256="0" * 64, bytes=1, sources=())


def session() -> onnxruntime.InferenceSession:
    model = graph.build_model(
        helper.make_graph(
            [helper.make_node("Relu", ["x"], ["y"])],
            "relu",
            [graph.value("x", ["batch", 3])],
            [graph.value("y", ["batch", 3])],
        ),
        13,
    )
    return open_session("relu", graph.serialise(model))


@pytest.fixture
def model() -> Model:
    """Return a model that passes what is positive."""
    entry = ModelEntry(
        title="relu",
        role="embedding",
        required=True,
        licence="none",
        conversion=(),
        sha256="0" * 64,
        bytes=1,
        files=(FILE,),
        input=InputContract(
            tensor="x",
            width=1,
            height=1,
            colour_order="RGB",
            layout="NCHW",
            mean=0.0,
            divisor=1.0,
            crop="frame",
        ),
        outputs=("y",),
        name="relu",
    )
    return Model(entry, session())


def test_every_run_of_the_path_is_counted_with_its_input(model: Model) -> None:
    tensor = np.ones((2, 3), np.float32)

    def path() -> None:
        model.run(tensor)
        tensor[:] = 5  # a buffer used again must not change what was recorded
        model.run(tensor)

    runs = bound.runs_of(path)
    assert [(run.model, run.input, run.outputs) for run in runs] == [("relu", "x", ("y",))] * 2
    assert [float(run.tensor.max()) for run in runs] == [1, 5]


def test_nothing_listens_afterwards(model: Model) -> None:
    original = Model.run

    def broken() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        bound.runs_of(broken)
    assert Model.run is original


def test_the_bare_runs_are_made_on_the_sessions_given(model: Model) -> None:
    runs = bound.runs_of(lambda: model.run(np.ones((1, 3), np.float32)))
    with pytest.raises(KeyError):
        bound.bare(runs, {})
    calls = []

    class Spy:
        def run(self, outputs: list[str], feeds: dict[str, object]) -> None:
            calls.append((outputs, list(feeds)))

    bound.bare(runs, {"relu": Spy()})()
    assert calls == [(["y"], ["x"])]
