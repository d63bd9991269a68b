"""What `chinhchu verify` prints: plain text, so that the verifier needs no library for it."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from api.assertions.findings import value_at
from api.assertions.verification import Outcome, Verification
from api.cli.output import printable

if TYPE_CHECKING:
    from api.assertions.messages import Messages
    from api.assertions.verification import Check
    from api.pdf.signatures import PdfSignature
    from api.pdf.verification import PdfCheck, PdfVerification

NARROWEST = 36
"""Columns that a table's last column needs beside the others, or else it goes below them; the
longest reason code fits into them."""
GAP = "  "
BELOW = "    "
"""Begins a last column that goes below the others."""


def as_json(found: "Verification | PdfVerification") -> dict[str, Any]:
    """Return a verification as a JSON object; that of a PDF has `pdf` besides."""
    if isinstance(found, Verification):
        return _assertion_as_json(found)
    judged = found.assertion
    unread: dict[str, Any] = {"judged_at": None, "time_proven": False, "checks": [], "claims": None}
    return {
        **(unread if judged is None else _assertion_as_json(judged)),
        **({"claims": None} if found.outcome is Outcome.FAILED else {}),
        "outcome": found.outcome,
        "reasons": list(found.reasons),
        "pdf": {
            "checks": [_check(check) for check in found.checks],
            "signatures": [_signature(signature) for signature in found.signatures],
        },
    }


def print_verification(
    found: "Verification | PdfVerification", messages: "Messages", *, time_asked: bool
) -> None:
    """Print every check, the outcome with its reasons, and what the assertion says."""
    heading, reason = messages["heading"], messages["reason"]
    judged = found if isinstance(found, Verification) else found.assertion
    checks: list[Check | PdfCheck] = [*found.checks]
    if judged is not None and judged is not found:
        checks += judged.checks
    head = [heading[column] for column in ("check", "result", "meaning")]
    _print_table([head, *(_row(check, messages) for check in checks)])
    print(f"\n{messages['outcome'][found.outcome]}")
    for code in found.reasons:
        _print_wrapped(f"  - {reason[code]} [{code}]")
    if not isinstance(found, Verification):
        for signature in found.signatures:
            _print_wrapped(printable(_signature_line(signature, messages)))
    if judged is None:
        return
    if judged.judged_at is not None:
        source = "proven" if judged.time_proven else "asked" if time_asked else "now"
        words = heading[f"time_{source}"]
        _print_wrapped(f"{heading['judged_at']}: {_time(judged.judged_at)} ({words})")
    if judged.claims is not None and found.outcome is not Outcome.FAILED:
        confirmed = found.outcome is Outcome.PASSED
        print(f"\n{heading['confirmed' if confirmed else 'unconfirmed']}")
        _print_table(_facts(judged.claims, messages))


def _assertion_as_json(verification: Verification) -> dict[str, Any]:
    judged_at = verification.judged_at
    return {
        "outcome": verification.outcome,
        "reasons": list(verification.reasons),
        "judged_at": judged_at and _time(judged_at),
        "time_proven": verification.time_proven,
        "checks": [_check(check) for check in verification.checks],
        "claims": verification.claims,
    }


def _check(check: "Check | PdfCheck") -> dict[str, Any]:
    return {
        "name": check.name,
        "result": check.result,
        "reason": check.reason,
        "required": check.required,
        "detail": check.detail,
    }


def _signature(signature: "PdfSignature") -> dict[str, Any]:
    return {
        "field": signature.field_name,
        "signer": signature.signer,
        "is_timestamp": signature.is_timestamp,
        "level": signature.level,
        "time": signature.time and _time(signature.time),
        "reason": signature.reason,
    }


def _signature_line(signature: "PdfSignature", messages: "Messages") -> str:
    heading = messages["heading"]
    kind = heading["document_timestamp" if signature.is_timestamp else "signature"]
    time = f", {heading['signed_at']} {_time(signature.time)}" if signature.time else ""
    code = signature.reason
    why = f": {messages['reason'][code]} [{code}]" if code else ""
    return f"{kind}: {signature.signer} ({signature.level}{time}){why}"


def _row(check: "Check | PdfCheck", messages: "Messages") -> list[str]:
    meaning = messages["reason"][check.reason] if check.reason else ""
    if check.detail and check.reason:
        meaning += f" ({check.reason}: {check.detail})"
    elif check.reason:
        meaning += f" ({check.reason})"
    result = messages["result"][check.result]
    if not check.required:
        result += f" ({messages['heading']['optional']})"
    return [messages["check"][check.name], result, meaning]


def _print_table(rows: Iterable[Sequence[str]]) -> None:
    """Print rows with all columns but the last as wide as they need.

    The last one is wrapped: beside the others, or on lines of its own where the terminal (or the
    80 columns that a pipe is taken for) leaves no room.
    """
    table = [[printable(cell) for cell in row] for row in rows]
    if not table:
        return
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]) - 1)]
    columns = _columns()
    indent = sum(widths) + len(GAP) * len(widths)
    beside = columns - indent >= NARROWEST
    margin = " " * indent if beside else BELOW
    room = columns - len(margin)
    for *cells, last in table:
        begin = "".join(f"{c:<{w}}{GAP}" for c, w in zip(cells, widths, strict=True))
        lines = textwrap.wrap(last, room, break_on_hyphens=False)
        first = lines.pop(0) if beside and lines else ""
        print("\n".join([(begin + first).rstrip(), *(margin + line for line in lines)]))


def _print_wrapped(line: str) -> None:
    print(textwrap.fill(line, _columns(), subsequent_indent=BELOW, break_on_hyphens=False))


def _columns() -> int:
    return max(NARROWEST + len(BELOW), shutil.get_terminal_size().columns - 1)


def _facts(claims: Mapping[str, Any], messages: "Messages") -> Iterator[tuple[str, str]]:
    """Yield what the assertion says, skipping what the issuer left out."""
    heading, label = messages["heading"], messages["claim"]
    level = value_at(claims, "verified_claims", "verification", "assurance_level")
    attendance = value_at(claims, "attendance", "mode")
    facts: list[tuple[str, Any]] = [
        (heading["level"], _told(level, messages)),
        (heading["issuer"], claims.get("iss")),
        (heading["procedure"], value_at(claims, "txn", "procedure_code")),
        (heading["dossier"], value_at(claims, "txn", "dossier_id")),
        (heading["party_role"], value_at(claims, "txn", "party_role")),
    ]
    for document in value_at(claims, "txn", "documents") or ():
        facts.append((heading["document"], f"{document.get('role', '')} {document['digest']}"))
    facts += [
        (heading["time"], value_at(claims, "verified_claims", "verification", "time")),
        (heading["expires"], _time(datetime.fromtimestamp(claims["exp"], UTC))),
        (heading["attendance"], _told(attendance, messages)),
    ]
    person = value_at(claims, "verified_claims", "claims")
    if isinstance(person, Mapping):
        facts += [(word, person.get(name)) for name, word in label.items()]
    evidence = value_at(claims, "verified_claims", "verification", "evidence")
    for item in evidence if isinstance(evidence, list) else ():
        number = value_at(item, "document_details", "document_number")
        facts.append((label["document_number"], number))
    facts += [
        (label["score"], value_at(claims, "face", "score")),
        (label["officer_ref"], value_at(claims, "attendance", "officer_ref")),
    ]
    for name, value in facts:
        if isinstance(value, bool):
            yield name, heading["yes" if value else "no"]
        elif value is not None:
            yield name, str(value)


def _told(code: Any, messages: "Messages") -> Any:
    """Return the words for a code of the claim set; whatever has none as it is."""
    return messages["value"].get(code, code) if isinstance(code, str) else code


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
