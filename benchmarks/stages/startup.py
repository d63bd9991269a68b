"""How long the command and the offline verifier take to start, against a bare interpreter."""

import subprocess
import sys

from benchmarks.result import Metric, median_ms


def measure(quick: bool) -> dict[str, Metric]:
    """Time whole processes, from start to exit."""
    n = 5 if quick else 30
    bare = median_ms(lambda: _python("-c", "pass"), n)
    return {
        "startup.command": Metric(
            median_ms(lambda: _python("-m", "api.cli", "--version"), n), "ms", n, bare
        ),
        "startup.verifier": Metric(
            median_ms(lambda: _python("-c", "import api.assertions.verifier"), n), "ms", n, bare
        ),
    }


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
