"""How `chinhchu chip read` shows a reading; nothing personal unless asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from api.cli.chip_output import pairs
from api.cli.chip_session import CARD_REMOVED
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds import parse_dg1
from devices.emrtd.lds.dg13 import parse_dg13
from devices.emrtd.terminal.decoding import FileReading
from devices.emrtd.terminal.reader import Progress, ProgressListener

_HASHES = {True: "ok", False: "mismatch", None: None}


@contextmanager
def progress(*, enabled: bool) -> Iterator[ProgressListener]:
    """Show a bar a file on standard error while a chip is read."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    is_seen = enabled and console.is_terminal
    bars = Bars(*columns, console=console, disable=not is_seen, transient=True)
    tasks: dict[str, TaskID] = {}

    def listener(event: Progress) -> None:
        if event.phase == CARD_REMOVED:
            # Said to whoever stands at the reader, however the result is printed.
            console.print("The card was taken away too early: place the same card again.")
            return
        name = event.file or event.phase
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=None)
        count = f" ({event.files_done + 1} of {event.files_total})" if event.files_total else ""
        bars.update(
            tasks[name],
            description=name + (count if event.file else ""),
            completed=event.done_bytes,
            total=event.total_bytes or None,
        )

    with bars:
        yield listener


def as_json(
    evidence: ChipEvidence, files: Sequence[FileReading], path: Path | None, *, show: bool
) -> dict[str, Any]:
    """Return what was read, and the contents only where asked."""
    summary: dict[str, Any] = {
        "access": evidence.access,
        "access_offered": list(evidence.access_offered),
        "downgrade_reason": evidence.downgrade_reason,
        "policy": evidence.policy,
        "files": {name: len(data) for name, data in evidence.files.items()},
        "read": [
            {
                "file": file.name,
                "bytes": file.size_bytes,
                "ms": file.time_ms,
                "hash": _HASHES[file.hash_matches],
                "error": file.error and file.error.code,
            }
            for file in files
        ],
        "times_ms": dict(evidence.times_ms),
        "apdu_count": evidence.apdu_count,
        "resumed": evidence.resumed,
        "active_authentication_answered": evidence.aa_response is not None,
        "chip_authentication_answered": evidence.ca is not None and evidence.ca.answer is not None,
        "reader": evidence.reader,
        "agent": evidence.agent,
        "evidence": str(path) if path else None,
    }
    if show:
        summary["unverified"] = _unverified(evidence)
    return summary


def print_reading(
    evidence: ChipEvidence, files: Sequence[FileReading], path: Path | None, *, show: bool
) -> None:
    """Print the files with sizes, times and what their hashes say."""
    console = Console(markup=False)
    console.print(_table(evidence, files))
    if evidence.downgrade_reason:
        console.print(
            f"downgrade: BAC was used although PACE is offered ({evidence.downgrade_reason})",
            style="yellow",
        )
    if evidence.resumed:
        console.print(f"the reading went on {evidence.resumed} times after it had broken off")
    if show:
        console.print(pairs("not verified", _unverified(evidence)))
    if path is not None:
        console.print(f"evidence written to {path}; it holds personal data", highlight=False)


def _table(evidence: ChipEvidence, files: Sequence[FileReading]) -> Table:
    table = Table(title=f"{evidence.access}, {evidence.apdu_count} APDUs")
    table.add_column("file", no_wrap=True)
    for name in ("bytes", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("hash", no_wrap=True)
    table.add_column("contents", overflow="fold")
    for file in files:
        hash_style = "bold red" if file.hash_matches is False else "green"
        table.add_row(
            file.name,
            str(file.size_bytes),
            str(file.time_ms or ""),
            Text(_HASHES[file.hash_matches] or "", style=hash_style),
            file.error.code if file.error else "",
        )
    for phase, time_ms in evidence.times_ms.items():
        if phase not in evidence.files:
            table.add_row(phase, "", str(time_ms))
    table.add_section()
    total = sum(len(data) for data in evidence.files.values())
    table.add_row("all", str(total), str(sum(evidence.times_ms.values())))
    return table


def _unverified(evidence: ChipEvidence) -> dict[str, Any]:
    dg1, dg13 = evidence.data_group(1), evidence.data_group(13)
    mrz = parse_dg1(dg1) if dg1 else None
    fields = parse_dg13(dg13) if dg13 else None
    return {
        "document_number": mrz and mrz.document_number,
        "id_number": (fields and fields.id_number) or (mrz and mrz.vietnamese_id_number),
        "name": (fields and fields.name) or (mrz and mrz.name),
        "date_of_birth": (fields and fields.date_of_birth) or (mrz and mrz.date_of_birth),
        "date_of_expiry": (fields and fields.date_of_expiry) or (mrz and mrz.date_of_expiry),
    }
