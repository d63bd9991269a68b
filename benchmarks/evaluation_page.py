"""Write the figures and plots of docs/evaluation.md: `make evaluation`.

Each picture is encoded once a degradation, with every model; the reports are those of
`chinhchu evaluate faces`, with the listed pairs and with all.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from biometrics.calibration import Calibration
from biometrics.evaluation import plots
from biometrics.evaluation.degradation import DEGRADATIONS
from biometrics.evaluation.faces import compare_all, compare_listed, encode_pictures
from biometrics.evaluation.pairs import PairList, load_pairs
from biometrics.evaluation.report import Evaluated, build_report
from biometrics.evaluation.under_test import open_comparison
from biometrics.manifest import load_manifest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "evaluation.md"
PLOTS = PAGE.with_name("evaluation")
MARKERS = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- /figures -->)", re.DOTALL)
COMPARISONS = ("default", "fused")
DEGRADED = (None, "chip-jp2-12k", "chip-jpeg-2.5k")
HEAD = (
    *("comparison", "portraits", "accuracy, listed", "EER, listed", "EER, all pairs"),
    *("fold 2 at `fmr-1e-4`: FMR", "FNMR", "at `fmr-1e-3`: FMR", "FNMR"),
    *("hits at FMR 1e-4 \\*", "at 1e-5 \\*"),
)


def main(file: Path) -> None:
    """Evaluate both comparisons on the pair list and rewrite the page."""
    pairs = load_pairs(file)
    calibrations = [_calibration(name) for name in COMPARISONS]
    rows = []
    for degradation in DEGRADED:
        for calibration, listed, crossed in _evaluate(pairs, calibrations, degradation):
            rows.append(_row(calibration.comparison, degradation, listed, crossed))
            if degradation is None:
                for name, plot in plots.draw(crossed).items():
                    PLOTS.mkdir(exist_ok=True)
                    (PLOTS / f"{calibration.comparison}-{name}").write_bytes(plot)
    lines = [
        f"| {' | '.join(HEAD)} |",
        f"|{'---|' * len(HEAD)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    page = PAGE.read_text("utf-8")
    PAGE.write_text(MARKERS.sub(lambda _: "\n".join(lines) + "\n", page), "utf-8")


def _calibration(name: str) -> Calibration:
    found = open_comparison(load_manifest(), name).calibration
    if found is None:
        raise SystemExit(f"the comparison {name} is not calibrated")
    return found


def _evaluate(
    pairs: PairList, calibrations: list[Calibration], degradation: str | None
) -> Iterator[tuple[Calibration, dict[str, Any], dict[str, Any]]]:
    """Yield each comparison's reports: of the listed pairs, and of all cross pairs."""
    chosen = DEGRADATIONS[degradation] if degradation else None
    every = open_comparison(load_manifest(), COMPARISONS[-1])
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(degradation or "as they are", total=None)
        encoded = encode_pictures(
            pairs,
            every.encode,
            degradation=chosen,
            all_pairs=True,
            threads=2,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for calibration in calibrations:
        listed = Evaluated(
            pairs=pairs,
            encoded=encoded,
            listed=compare_listed(pairs, encoded, calibration.centres),
            crossed=None,
            calibration=calibration,
            degradation=chosen,
            subjects="middle",
        )
        crossed = replace(listed, crossed=compare_all(pairs, encoded, calibration.centres))
        yield calibration, build_report(listed), build_report(crossed)


def _row(
    comparison: str, degradation: str | None, listed: dict[str, Any], crossed: dict[str, Any]
) -> list[str]:
    points = crossed["operating_points"]["points"]
    looks = {look["fmr"]: look["fnmr"] for look in crossed["fnmr_at_fmr"]}
    return [
        f"`{comparison}`",
        f"`{degradation}`" if degradation else "as they are",
        _percent(listed["accuracy"]),
        _percent(listed["eer"]),
        _percent(crossed["eer"]),
        *(
            _percent(points[point][rate])
            for point in ("fmr-1e-4", "fmr-1e-3")
            for rate in ("fmr", "generalised_fnmr")
        ),
        *(f"{100 * (1 - looks[rate]):.2f}" for rate in (1e-4, 1e-5)),
    ]


def _percent(rate: dict[str, Any]) -> str:
    low, high = rate["interval"]
    return f"{_digits(rate['value'])} ({_digits(low)} to {_digits(high)})"


def _digits(value: float) -> str:
    percent = 100 * value
    return f"{percent:.2f}" if percent >= 0.1 or percent == 0 else f"{percent:.2g}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
