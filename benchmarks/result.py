"""The format of a result, and how a figure is taken."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "chinhchu",
    "cryptography",
    "dlib-bin",
    "joserfc",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "orjson",
    "pillow",
    "pyscard",
    "python-pkcs11",
)


@dataclass(frozen=True)
class Metric:
    """One measured figure, named `stage.name[.variant]` by its key."""

    value: float
    unit: str
    n: int
    """How many times it was taken; `value` is the median."""
    bound: float | None = None
    """What nothing could beat, in the same unit: the formula's figure, or the bare calls alone."""
    peer: float | None = None
    """What another implementation takes for the same work in the same run, in the same unit."""

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON, with the ratio to its bound, else to its peer."""
        against = self.bound if self.bound is not None else self.peer
        ratio = round(self.value / against, 3) if against else None
        return {key: _rounded(value) for key, value in asdict(self).items()} | {"ratio": ratio}


@dataclass(frozen=True)
class Skipped:
    """Stands in the place of a figure that could not be taken here."""

    reason: str


Figures = dict[str, Metric | Skipped]
"""What a stage measured, by name."""


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def median_ms(work: Callable[[], object], n: int) -> float:
    """Run the work once to warm up and `n` times for the median of its wall time in ms."""
    work()
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


Times = list[float]
"""Milliseconds, a round each."""


def timed(work: Callable[[], object], repeat: int = 1) -> Callable[[], float]:
    """Return work that says how many milliseconds of wall time it took.

    Args:
        work: what is measured.
        repeat: how many times it is done in one go, for work so short that what was done before
            it tells in its time; the median counts.
    """

    def measured() -> float:
        times = []
        for _ in range(repeat):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1000)
        return statistics.median(times)

    return measured


def in_turn(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Times]:
    """Let each work say what it took, round by round, after one round to warm up."""
    taken = [{name: work() for name, work in works.items()} for _ in range(rounds + 1)][1:]
    return {name: [times[name] for times in taken] for name in works}


def ratio(times: Times, against: Times) -> Metric:
    """Return the median of the rounds' ratios."""
    ratios = [ours / theirs for ours, theirs in zip(times, against, strict=True)]
    return Metric(statistics.median(ratios), "×", len(ratios))


def machine() -> dict[str, Any]:
    """Say what this was measured on: processor, cores, memory, system. No host name."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Return the versions of what the figures depend on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None
