"""Fuzz one parser: `python -m tests.fuzz PARSER --seconds 600`.

The fuzzer runs in a process of its own, over a corpus in a temporary folder that begins with the
seeds. A crash, a hang or memory beyond the limit ends it, keeps the input and exits with 1. Needs
atheris (`pip install chinhchu[fuzz]`; Linux on x86-64).
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_INPUT_BYTES = 64 << 10
CALL_TIMEOUT_S = 10
_INSTRUMENTED = ["devices", "biometrics", "asn1crypto", "cbor2", "PIL"]


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("parser", metavar="PARSER", help="a name of targets.py, or `list`")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--max-rss-mb", type=float, default=64, help="growth that calls may cause")
    parser.add_argument("--artifacts", type=Path, default=Path.cwd(), help="folder for bad inputs")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        return _fuzz(arguments.parser, arguments.work, arguments.seconds, arguments.max_rss_mb)

    from tests.fuzz.targets import TARGETS

    if arguments.parser == "list":
        print("\n".join(TARGETS))
        return 0
    if arguments.parser not in TARGETS:
        parser.error(f"no such parser; one of {', '.join(TARGETS)}")
    return _supervise(arguments)


def _supervise(arguments: argparse.Namespace) -> int:
    """Prepare the corpus, run the fuzzer, print one line and return the exit status."""
    from tests.fuzz.seeds import seeds_for

    data = Path(os.environ.get("CHINHCHU_TEST_DATA", ROOT / "../shared/data"))
    with tempfile.TemporaryDirectory(prefix="chinhchu-fuzz-") as folder:
        work = Path(folder)
        (work / "corpus").mkdir()
        (work / "bad").mkdir()
        for seed in seeds_for(arguments.parser, data):
            (work / "corpus" / hashlib.sha256(seed).hexdigest()).write_bytes(seed)
        finished = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz", arguments.parser),
                *("--work", str(work), "--seconds", str(arguments.seconds)),
                *("--max-rss-mb", str(arguments.max_rss_mb)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=arguments.seconds + 300,
        )
        bad = sorted((work / "bad").iterdir())
        for path in bad:
            arguments.artifacts.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, arguments.artifacts / f"{arguments.parser}-{path.name}")
        growth = work / "growth"
        growth_mb = int(growth.read_text(encoding="ascii")) / 1024 if growth.exists() else 0.0
        executions = _statistic(finished.stderr, "number_of_executed_units")
        print(
            f"{arguments.parser}: {executions} executions, {len(bad)} bad inputs, "
            f"peak memory +{growth_mb:.1f} MiB by the parser, "
            f"{_statistic(finished.stderr, 'peak_rss_mb')} MiB of the process, "
            f"slowest {_statistic(finished.stderr, 'slowest_unit_time_sec')} s, "
            f"exit {finished.returncode}",
            flush=True,
        )
        if finished.returncode or bad:
            print(finished.stderr[-4000:], file=sys.stderr)
            return 1
        # A fuzzer that ran nothing has found nothing.
        return 0 if executions else 1


def _statistic(log: str, name: str) -> int:
    found = re.search(rf"stat::{name}:\s*(\d+)", log)
    return int(found[1]) if found else 0


def _fuzz(name: str, work: Path, seconds: int, max_rss_mb: float) -> int:
    """Fuzz in this process; the fuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED):
        from tests.fuzz.guard import Guard
        from tests.fuzz.targets import TARGETS
    guard = Guard(TARGETS[name], max_rss_mb, work / "growth")
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-timeout={CALL_TIMEOUT_S}",
        f"-artifact_prefix={work / 'bad'}/",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(work / "corpus")], guard)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
