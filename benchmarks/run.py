"""Run stages and put their figures into one result."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from benchmarks.peers import jmrtd_build
from benchmarks.result import Skipped, machine, versions
from biometrics.errors import BiometricsError
from devices.errors import DeviceError

STAGES = ("startup", "chip", "trust", "face", "face_accuracy", "pad", "assertion", "session")


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
        except (DeviceError, BiometricsError) as error:
            skipped[stage] = f"{error} [{error.code}]"
            continue
        for name, figure in measured.items():
            if isinstance(figure, Skipped):
                skipped[name] = figure.reason
            else:
                metrics[name] = figure.to_dict()
    return {
        "machine": machine(),
        "versions": versions() | (jmrtd_build.versions() if _has_jmrtd(metrics) else {}),
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "metrics": metrics,
        "skipped": skipped,
    }


def _has_jmrtd(metrics: dict[str, Any]) -> bool:
    return "chip.jmrtd_time_ratio" in metrics
