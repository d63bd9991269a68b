"""What one worker process holds in memory: `python -m benchmarks.face.memory PAIRS`, as JSON."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.face.pictures import chip_portrait, webcam_frame
from biometrics.manifest import load_manifest
from biometrics.pipeline import FacePipeline

_STATUS = Path("/proc/self/status")
_TIMEOUT_S = 300


@dataclass(frozen=True)
class WorkerMemory:
    """Resident memory in MiB."""

    loaded: float
    """With every model loaded and nothing run."""
    worked: float
    """After the comparisons."""


def worker_memory(pairs: int) -> WorkerMemory | None:
    """Start a worker, let it compare, and return its memory; None where Linux does not tell."""
    if not _STATUS.is_file():
        return None
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.face.memory", str(pairs)],
        check=True,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
    )
    return WorkerMemory(**json.loads(done.stdout))


def main(pairs: int) -> None:
    """Be the worker."""
    manifest = load_manifest()
    portrait, frame = chip_portrait(manifest), webcam_frame(manifest)
    pipeline = FacePipeline(manifest)
    loaded = _resident_mib()
    for _ in range(pairs):
        pipeline.compare(pipeline.enrol(portrait), [frame])
    print(json.dumps({"loaded": loaded, "worked": _resident_mib()}))


def _resident_mib() -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("the system does not tell a process's memory")


if __name__ == "__main__":
    main(int(sys.argv[1]))
