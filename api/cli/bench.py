"""`chinhchu bench`: measure a stage on this machine."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from api.cli.output import EXIT_FAULT, EXIT_PASSED, print_json
from api.errors import ApiError

EPILOG = """\
examples:
  chinhchu bench chip --quick            a first look at the chip read over pcscd
  chinhchu bench all --json --out benchmarks/results/counter-pc.json

Every figure stands beside its bound (what nothing could beat: the formula, or the bare calls of the
library) and their ratio. Compare ratios between machines, not milliseconds.
"""

STAGES = (
    *("startup", "chip", "trust", "face", "face_accuracy"),
    *("pad", "assertion", "status", "session"),
)
"""Those of `benchmarks.run`, which is imported only to work."""


class BenchmarksMissingError(ApiError):
    """The benchmarks are part of the source checkout, not of the installed package."""

    code = "benchmarks-missing"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bench",
        help="measure a stage on this machine",
        description="Measure one stage, or all, on this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "stage",
        nargs="?",
        default="all",
        choices=("all", *STAGES),
        metavar="STAGE",
        help=f"{', '.join(STAGES)} or all (default)",
    )
    parser.add_argument("--quick", action="store_true", help="few repetitions: under a minute")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, write."""
    try:
        from benchmarks.run import run as measure
    except ModuleNotFoundError as error:
        if error.name != "benchmarks":
            raise
        raise BenchmarksMissingError("run the benchmarks from a source checkout") from None
    stages = STAGES if args.stage == "all" else (args.stage,)
    result = measure(
        stages,
        quick=args.quick,
        progress=lambda stage: print(f"measuring {stage} …", file=sys.stderr),
    )
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    if args.json:
        print_json(result)
    else:
        _print_table(result)
    return EXIT_PASSED if result["metrics"] else EXIT_FAULT


def _print_table(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    machine = result["machine"]
    title = f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}"
    metrics = result["metrics"]
    columns = ["value", "unit", "bound", "peer", "ratio", "n"]
    if all(metric["peer"] is None for metric in metrics.values()):
        columns.remove("peer")
    table = Table(title=title)
    table.add_column("metric", overflow="fold")
    rows = {
        name: ["" if metric[column] is None else str(metric[column]) for column in columns]
        for name, metric in metrics.items()
    }
    for number, column in enumerate(columns):
        # On a narrow terminal a name is folded; a figure is never cut.
        width = max((len(cells[number]) for cells in rows.values()), default=0)
        table.add_column(column, justify="left" if column == "unit" else "right", min_width=width)
    for name, cells in rows.items():
        table.add_row(name, *cells)
    console = Console()
    if metrics:
        console.print(table)
    for stage, reason in result["skipped"].items():
        console.print(f"{stage}: skipped, {reason}")
