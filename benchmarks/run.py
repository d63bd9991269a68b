"""Run stages and put their figures into one result."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from benchmarks.peers import jmrtd_build, npm_build
from benchmarks.result import Skipped, machine, versions
from biometrics.errors import BiometricsError
from devices.errors import DeviceError

STAGES = (
    "startup",
    "chip",
    "trust",
    "face",
    "face_accuracy",
    "pad",
    "assertion",
    "status",
    "session",
)


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
        "versions": versions() | _peer_versions(metrics),
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "metrics": metrics,
        "skipped": skipped,
    }


def _peer_versions(metrics: dict[str, Any]) -> dict[str, str]:
    jmrtd = jmrtd_build.versions() if "chip.jmrtd_time_ratio" in metrics else {}
    return jmrtd | (npm_build.versions() if "assertion.verify.sd_jwt_vc" in metrics else {})
