"""The bare model runs of a path: counted by listening to it, so the bound cannot drift from it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import onnxruntime

from benchmarks.face.published import shipped_model
from biometrics.manifest import Manifest
from biometrics.onnx import Float32Array, Model, model_bytes, open_session

Sessions = Mapping[str, onnxruntime.InferenceSession]
"""By the model's name."""


@dataclass(frozen=True)
class Run:
    """One run of a model."""

    model: str
    input: str
    outputs: tuple[str, ...]
    tensor: Float32Array = field(repr=False)


def runs_of(path: Callable[[], object]) -> list[Run]:
    """Return every model run that one pass of the path makes, with its input."""
    runs: list[Run] = []
    with _listening(runs):
        path()
    return runs


def bare(runs: Sequence[Run], sessions: Sessions) -> Callable[[], None]:
    """Return what makes the runs and nothing else."""
    calls = [(sessions[r.model], list(r.outputs), {r.input: r.tensor}) for r in runs]

    def work() -> None:
        for session, outputs, feeds in calls:
            session.run(outputs, feeds)

    return work


def rewritten_sessions(manifest: Manifest, runs: Sequence[Run]) -> Sessions:
    """Return the models as they are installed."""
    names = {run.model for run in runs}
    return {name: open_session(name, model_bytes(manifest, name)) for name in names}


def shipped_sessions(manifest: Manifest, runs: Sequence[Run]) -> Sessions:
    """Return the models as they are published, but for what makes onnxruntime run them.

    Raises:
        FileUnobtainableError: a published file can no longer be had.
    """
    return {
        name: open_session(name, shipped_model(manifest, name)) for name in {r.model for r in runs}
    }


@contextmanager
def _listening(runs: list[Run]) -> Iterator[None]:
    original = Model.run

    def run(self: Model, tensor: Float32Array) -> dict[str, Any]:
        entry = self.entry
        runs.append(Run(entry.name, entry.input.tensor, tuple(entry.outputs), tensor.copy()))
        return original(self, tensor)

    Model.run = run  # type: ignore[method-assign]
    try:
        yield
    finally:
        Model.run = original  # type: ignore[method-assign]
