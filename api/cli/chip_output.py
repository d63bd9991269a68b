"""How `chinhchu chip` shows verdicts; nothing personal unless asked."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.output import printable
from devices.emrtd.checks import CheckResult, Outcome
from devices.emrtd.verification.document import VerifiedDocument
from devices.emrtd.verification.verifier import ChipVerdict

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
        "clone": {
            "method": verdict.clone_method,
            "result": verdict.clone_result,
            "proven_by": list(verdict.clone_methods),
        },
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
        console.print(pairs("verified document", _document(verdict.document)))
    because = f" ({', '.join(verdict.reasons)})" if verdict.reasons else ""
    console.print(Text(verdict.outcome, style=_OUTCOME_STYLES[verdict.outcome]) + because)


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


def pairs(title: str, values: dict[str, Any]) -> Table:
    """Return a table of names and values."""
    table = Table(title=title, show_header=False)
    for name, value in values.items():
        table.add_row(name.replace("_", " "), Text("" if value is None else printable(value)))
    return table
