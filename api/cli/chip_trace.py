"""`chinhchu chip trace`: record a reading without anything personal, and go through it again."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api.cli.card_arguments import add_card_arguments, add_reading_arguments
from api.cli.output import EXIT_FAILED, EXIT_PASSED, print_json, printable

EPILOG = """\
A trace holds headers, lengths, status words and times, and the contents of EF.CardAccess alone: no
other data, no hash, no key. --play shows it and goes through the same reading again: which commands
are sent, how long the answers are, where a session is lost. It cannot show contents, the access
protocol, or whether the card's protection was right.

examples:
  chinhchu chip trace --can - --out trace.jsonl             read a card, record how
  chinhchu chip trace --play trace.jsonl                    look at a trace from elsewhere
  chinhchu chip trace --play trace.jsonl --json

exit codes of --play:
  0  the reading goes the same way      1  it breaks off, or goes another way
"""


def register(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action to the group."""
    trace = actions.add_parser(
        "trace",
        help="record the APDUs of a reading without anything personal, or play such a record",
        description="Read a card and write a redacted transcript, or play one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_card_arguments(trace)
    add_reading_arguments(trace)
    what = trace.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", metavar="FILE", type=Path, help="write the trace here")
    what.add_argument("--play", metavar="FILE", type=Path, help="show a trace, play it again")
    trace.add_argument("--json", action="store_true", help="print one JSON document")
    trace.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    return _record(args) if args.play is None else _play(args.play, as_json=args.json)


def _record(args: argparse.Namespace) -> int:
    from api.cli import chip_read_output
    from api.cli.chip_session import agent, read_card
    from api.cli.chip_source import password_of
    from devices.emrtd.terminal.access import AccessPolicy
    from devices.trace import ApduTrace

    password = password_of(args, AccessPolicy(args.policy))
    trace = ApduTrace(agent())
    try:
        with chip_read_output.progress(enabled=not args.json) as listener:
            read_card(args, password, listener, trace)
    finally:
        # What went wrong is what the trace is for; without a card there is nothing to tell.
        if trace.records:
            _write(args.out, trace.to_text())
            print(f"trace written to {args.out}; it holds nothing personal", file=sys.stderr)
    if args.json:
        print_json({"trace": str(args.out), "records": len(trace.records)})
    return EXIT_PASSED


def _play(path: Path, *, as_json: bool) -> int:
    from devices.emrtd.terminal.rerun import rerun
    from devices.trace import read_trace

    header, records = read_trace(path)
    files = [
        {
            "file": file.name,
            "bytes": file.size_bytes,
            "commands": file.commands,
            "error": file.error and file.error.code,
            "message": file.error and str(file.error),
        }
        for file in rerun(records)
    ]
    if as_json:
        print_json({"trace": header, "records": list(records), "replayed": files})
    else:
        _print(header, records, files)
    is_whole = files and not any(file["error"] for file in files)
    return EXIT_PASSED if is_whole else EXIT_FAILED


def _print(
    header: dict[str, Any], records: Sequence[dict[str, Any]], files: Sequence[dict[str, Any]]
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(markup=False)
    exchanges = Table("at ms", "command", "sent", "received", "status", "ms")
    exchanges.title = printable(f"{header.get('reader')}, ATR {header.get('atr')}")
    for record in records:
        if "apdu" in record:
            row = ("at_ms", "apdu", "command_bytes", "response_bytes", "sw", "ms")
            cells = [printable(record.get(name, "")) for name in row]
            cells[4] = cells[4] or printable(record.get("error", ""))
            exchanges.add_row(*map(Text, cells))
        elif "event" in record:
            words = (record["event"], record.get("file"), record.get("error"))
            exchanges.add_row("", Text(printable(" ".join(str(word) for word in words if word))))
    console.print(exchanges)
    if not files:
        console.print("no session was opened: there is nothing to go through again")
        return
    replayed = Table("file", "bytes", "commands", "result", title="replayed")
    for file in files:
        result = "the same way" if file["error"] is None else f"{file['message']} [{file['error']}]"
        cells = [str(file["file"]), str(file["bytes"] or ""), str(file["commands"]), result]
        replayed.add_row(*map(Text, cells))
    console.print(replayed)


def _write(path: Path, text: str) -> None:
    from api.errors import InputUnusableError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputUnusableError(f"{path}: {error.strerror or 'cannot be written'}") from None
