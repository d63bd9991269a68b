"""`chinhchu demo`: the whole way through without hardware, and four frauds refused."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.output import EXIT_FAILED, EXIT_PASSED, print_json

if TYPE_CHECKING:
    from api.demo.scenario import Report, Row

EPILOG = """\
It makes a document, opens a session on a local server, reads a simulated citizen card, takes the
frames of a rendered head that follows the server's challenge, decides, signs, verifies offline,
and then tries four frauds. The frames are simulated, everything else is the real thing.

examples:
  chinhchu demo
  chinhchu demo --pcsc          the card on a virtual reader of the real pcscd
  chinhchu demo --json --out /tmp/demo

The exit code is 0 only if every step and every fraud came out as it must.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        help="the whole way through, without hardware",
        description="Run the demonstration.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="where the files go (%(default)s)"
    )
    parser.add_argument(
        "--pcsc", action="store_true", help="reach the card over PC/SC (pcscd and vpcd needed)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the story with live progress and print what came of it."""
    from rich.console import Console

    with Console(stderr=True).status("starting …") as status:
        from api.demo.scenario import run_demo

        report = run_demo(
            args.out, pcsc=args.pcsc, progress=lambda step: status.update(f"{step} …")
        )
    if args.json:
        print_json(report.to_dict())
    else:
        _print(report)
    return EXIT_PASSED if report.ok else EXIT_FAILED


def _print(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    honest = Table("step", "result", title=f"The rightful person, card {report.via}")
    frauds = Table("fraud", "result", title="Four frauds")
    for table, rows in ((honest, report.steps), (frauds, report.frauds)):
        table.add_column("ms", justify="right")
        table.add_column("as it must be")
        for row in rows:
            table.add_row(row.step, _result(row), f"{row.ms:.0f}", "yes" if row.ok else "NO")
        console.print(table)
    if not report.ok:
        print("chinhchu: the demonstration did not behave", file=sys.stderr)
        return
    folder = report.files[0].parent
    console.print(f"Written to {folder}/. Verify again, here or on any other machine:")
    print(" ", shlex.join(report.verify_command))


def _result(row: "Row") -> str:
    return f"{row.result}: {', '.join(row.reasons)}" if row.reasons else row.result
