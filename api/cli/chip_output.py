"""How `chinhchu chip` shows cards, evidence and verdicts; nothing personal unless asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from devices.emrtd.checks import CheckResult, Outcome
from devices.emrtd.dg13 import parse_dg13
from devices.emrtd.document import VerifiedDocument
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds import parse_dg1
from devices.emrtd.reader import Progress
from devices.emrtd.verifier import ChipVerdict

_RESULT_STYLES = {
    CheckResult.OK: "green",
    CheckResult.FAILED: "bold red",
    CheckResult.NOT_PERFORMED: "yellow",
    CheckResult.NOT_SUPPORTED: "dim",
}
_OUTCOME_STYLES = {
    Outcome.PASSED: "bold green",
    Outcome.INDETERMINATE: "bold yellow",
    Outcome.FAILED: "bold red",
}


@contextmanager
def progress(*, enabled: bool) -> Iterator[Callable[[Progress], None]]:
    """Show a bar a file on standard error while a chip is read."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    bars = Bars(*columns, console=Console(stderr=True), disable=not enabled, transient=True)
    tasks: dict[str, TaskID] = {}

    def listener(event: Progress) -> None:
        name = event.file or event.phase
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=event.total_bytes or None)
        bars.update(tasks[name], completed=event.done_bytes)

    with bars:
        yield listener


def print_cards(cards: list[dict[str, Any]]) -> None:
    """Print readers, answers to reset, and what the cards offer."""
    table = Table("reader", "ATR", "offers")
    for card in cards:
        if not card["card"]:
            offers = "no card"
        elif "error" in card:
            offers = f"{card['error']['message']} [{card['error']['code']}]"
        elif card["card_access"] is None:
            offers = "no EF.CardAccess: BAC, or no travel document"
        else:
            offers = "\n".join(p["name"] or p["oid"] for p in card["protocols"])
        table.add_row(Text(card["reader"]), card.get("atr", ""), Text(offers))
    Console(markup=False).print(table)


def evidence_as_json(evidence: ChipEvidence, path: Path | None, *, show: bool) -> dict[str, Any]:
    """Return what was read, and the contents only where asked."""
    summary: dict[str, Any] = {
        "access": evidence.access,
        "access_offered": list(evidence.access_offered),
        "downgrade_reason": evidence.downgrade_reason,
        "files": {name: len(data) for name, data in evidence.files.items()},
        "times_ms": dict(evidence.times_ms),
        "apdu_count": evidence.apdu_count,
        "active_authentication_answered": evidence.aa_response is not None,
        "reader": evidence.reader,
        "agent": evidence.agent,
        "evidence": str(path) if path else None,
    }
    if show:
        summary["unverified"] = _unverified(evidence)
    return summary


def print_evidence(evidence: ChipEvidence, path: Path | None, *, show: bool) -> None:
    """Print the files with sizes and times."""
    console = Console(markup=False)
    table = Table("file", title=f"{evidence.access}, {evidence.apdu_count} APDUs")
    table.add_column("bytes", justify="right")
    table.add_column("ms", justify="right")
    for name, data in evidence.files.items():
        table.add_row(name, str(len(data)), str(evidence.times_ms.get(name, "")))
    for phase, time_ms in evidence.times_ms.items():
        if phase not in evidence.files:
            table.add_row(phase, "", str(time_ms))
    table.add_section()
    total = sum(len(data) for data in evidence.files.values())
    table.add_row("all", str(total), str(sum(evidence.times_ms.values())))
    console.print(table)
    if evidence.downgrade_reason:
        console.print(
            f"downgrade: BAC was used although PACE is offered ({evidence.downgrade_reason})",
            style="yellow",
        )
    if show:
        console.print(_pairs("not verified", _unverified(evidence)))
    if path is not None:
        console.print(f"evidence written to {path}; it holds personal data", highlight=False)


def verdict_as_json(verdict: ChipVerdict, *, show: bool) -> dict[str, Any]:
    """Return the verdict, and the document only where asked."""
    described: dict[str, Any] = {
        "outcome": verdict.outcome,
        "reasons": list(verdict.reasons),
        "checks": [
            {"name": check.name, "result": check.result, "reason": check.reason}
            for check in verdict.checks
        ],
        "access": verdict.access,
        "passive_authentication": verdict.passive_authentication,
        "clone": {"method": verdict.clone_method, "result": verdict.clone_result},
        "sod_sha256": verdict.sod_sha256,
        "dsc_sha256": verdict.dsc_sha256,
        "csca_ski": verdict.csca_ski,
        "path_sha256": list(verdict.path_sha256),
        "crl_time": verdict.crl_time and verdict.crl_time.isoformat(),
        "trust_list_id": verdict.trust_list_id,
        "dg_verified": list(verdict.dg_verified),
    }
    if show:
        described["document"] = verdict.document and _document(verdict.document)
    return described


def print_verdict(verdict: ChipVerdict, *, show: bool) -> None:
    """Print the table of checks and the outcome."""
    console = Console(markup=False)
    table = Table("check", "result", "reason")
    for check in verdict.checks:
        result = Text(check.result, style=_RESULT_STYLES[check.result])
        table.add_row(check.name, result, check.reason or "")
    console.print(table)
    if show and verdict.document is not None:
        console.print(_pairs("verified document", _document(verdict.document)))
    because = f" ({', '.join(verdict.reasons)})" if verdict.reasons else ""
    console.print(Text(verdict.outcome, style=_OUTCOME_STYLES[verdict.outcome]) + because)


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


def _document(document: VerifiedDocument) -> dict[str, Any]:
    return {
        "document_number": document.document_number,
        "id_number": document.id_number,
        "name": document.name,
        "date_of_birth": document.date_of_birth and document.date_of_birth.isoformat(),
        "sex": document.sex,
        "nationality": document.nationality,
        "date_of_issue": document.date_of_issue and document.date_of_issue.isoformat(),
        "date_of_expiry": document.date_of_expiry and document.date_of_expiry.isoformat(),
        "place_of_residence": document.place_of_residence,
        "portrait": document.portrait_media_type,
    }


def _pairs(title: str, values: dict[str, Any]) -> Table:
    table = Table(title=title, show_header=False)
    for name, value in values.items():
        table.add_row(name.replace("_", " "), Text("" if value is None else str(value)))
    return table
