"""`chinhchu demo`: the whole way through without hardware, and four frauds refused."""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    with _progress() as progress:
        progress("starting")
        from api.demo.scenario import run_demo

        report = run_demo(args.out, pcsc=args.pcsc, progress=progress)
    if args.json:
        print_json(report.to_dict())
    else:
        _print(report)
    return EXIT_PASSED if report.ok else EXIT_FAILED


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show each step on standard error as it begins: in place on a terminal, else a line each."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: print(f"… {step}", file=sys.stderr, flush=True)
        return
    with console.status("") as status:
        yield lambda step: status.update(f"{step} …")


def _print(report: "Report") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("step", "result", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("ms", justify="right")
    table.add_column("ok")
    for row in report.steps:
        table.add_row(*_cells(row))
    table.add_section()
    for row in report.frauds:
        table.add_row(*_cells(row))
    console = Console(highlight=False)
    console.print(table)
    passed = sum(row.ok for row in report.rows)
    seconds = sum(row.ms for row in report.rows) / 1000
    console.print(f"{passed} of {len(report.rows)} as they must be, in {seconds:.1f} s.")
    if not report.ok:
        print("chinhchu: the demonstration did not behave", file=sys.stderr)
        return
    folder = report.files[0].parent
    console.print(
        f"Written to {folder}/. Verify again, here or on any other machine, within the\n"
        "quarter of an hour that an assertion lives; later, say with --at for which time:\n"
    )
    program, *arguments = report.verify_command
    command = shlex.join((_as_called(program), *arguments))
    print("  " + command.replace(" --", " \\\n    --"))


def _cells(row: "Row") -> tuple[str, str, str, str]:
    return (
        row.step,
        "\n".join((row.result, *row.reasons)),
        f"{row.ms:.0f}",
        "yes" if row.ok else "NO",
    )


def _as_called(program: str) -> str:
    """Return how this run was started, so that the command can be pasted as it stands."""
    called = Path(sys.argv[0])
    return str(called) if called.name == program else program
