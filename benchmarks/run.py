"""Run stages and put their figures into one result."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from benchmarks.result import machine, versions
from devices.errors import DeviceError

STAGES = ("startup", "chip", "face", "pad", "assertion", "session")


def run(stages: Sequence[str], *, quick: bool, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure the stages in order and return the result document.

    Args:
        stages: names out of `STAGES`.
        quick: few repetitions, for a first look.
        progress: called with the name of each stage before it starts.
    """
    metrics: dict[str, Any] = {}
    skipped: dict[str, str] = {}
    for stage in stages:
        progress(stage)
        try:
            measured = import_module(f"benchmarks.stages.{stage}").measure(quick)
        except DeviceError as error:
            skipped[stage] = f"{error} [{error.code}]"
            continue
        metrics |= {name: metric.to_dict() for name, metric in measured.items()}
    return {
        "machine": machine(),
        "versions": versions(),
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "metrics": metrics,
        "skipped": skipped,
    }
