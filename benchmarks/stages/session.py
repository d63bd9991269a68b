"""The demonstration's honest session over HTTP, without the time to render its frames."""

import statistics
import tempfile
from pathlib import Path

from api.demo.scenario import run_demo
from benchmarks.result import Metric

STEPS = {
    "session opened": "session.open",
    "chip read and verified": "session.chip",
    "face and liveness decided": "session.decision",
    "assertion issued": "session.assertion",
    "assertion verified offline": "session.verification",
}


def measure(quick: bool) -> dict[str, Metric]:
    """Run the demonstration with the card in process."""
    n = 1 if quick else 5
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(n):
            report = run_demo(Path(folder), pcsc=False, progress=lambda _: None)
            if not report.ok:
                raise RuntimeError("the demonstration did not behave: its times mean nothing")
            runs.append({row.step: row.ms for row in report.steps})
    metrics = {
        metric: Metric(statistics.median(run[step] for run in runs), "ms", n)
        for step, metric in STEPS.items()
    }
    totals = [sum(run[step] for step in STEPS) for run in runs]
    return metrics | {"session.total": Metric(statistics.median(totals), "ms", n)}
