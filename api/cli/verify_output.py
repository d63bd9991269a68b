"""What `chinhchu verify` prints: plain text, so that the verifier needs no library for it."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from api.assertions.findings import value_at
from api.cli.output import printable

if TYPE_CHECKING:
    from api.assertions.messages import Messages
    from api.assertions.verification import Check, Verification

NARROWEST = 24
"""Columns that the last column of a table gets at least, however narrow the terminal."""
GAP = "  "


def as_json(verification: "Verification") -> dict[str, Any]:
    """Return a verification as a JSON object."""
    judged_at = verification.judged_at
    return {
        "outcome": verification.outcome,
        "reasons": list(verification.reasons),
        "judged_at": judged_at and _time(judged_at),
        "time_proven": verification.time_proven,
        "checks": [
            {
                "name": check.name,
                "result": check.result,
                "reason": check.reason,
                "required": check.required,
                "detail": check.detail,
            }
            for check in verification.checks
        ],
        "claims": verification.claims,
    }


def print_verification(
    verification: "Verification", messages: "Messages", *, time_asked: bool
) -> None:
    """Print every check, the outcome with its reasons, and what the assertion says."""
    heading, reason = messages["heading"], messages["reason"]
    rows = [[heading[column] for column in ("check", "result", "meaning")]]
    rows += [_row(check, messages) for check in verification.checks]
    _print_table(rows)
    print(f"\n{messages['outcome'][verification.outcome]}")
    for code in verification.reasons:
        print(f"  - {reason[code]} [{code}]")
    if verification.judged_at is not None:
        source = "proven" if verification.time_proven else "asked" if time_asked else "now"
        print(
            f"{heading['judged_at']}: {_time(verification.judged_at)} ({heading[f'time_{source}']})"
        )
    if verification.claims is not None:
        confirmed = "confirmed" if verification.outcome == "PASSED" else "unconfirmed"
        print(f"\n{heading[confirmed]}")
        _print_table(_facts(verification.claims, messages))


def _row(check: "Check", messages: "Messages") -> list[str]:
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
    """Print rows with all columns but the last as wide as they need; the last one is wrapped."""
    table = [[printable(cell) for cell in row] for row in rows]
    if not table:
        return
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]) - 1)]
    indent = sum(widths) + len(GAP) * len(widths)
    room = max(NARROWEST, shutil.get_terminal_size().columns - indent - 1)
    for *cells, last in table:
        begin = "".join(f"{c:<{w}}{GAP}" for c, w in zip(cells, widths, strict=True))
        lines = textwrap.wrap(last, room, break_on_hyphens=False) or [""]
        print((begin + f"\n{' ' * indent}".join(lines)).rstrip())


def _facts(claims: Mapping[str, Any], messages: "Messages") -> Iterator[tuple[str, str]]:
    """Yield what the assertion says, skipping what the issuer left out."""
    heading, label = messages["heading"], messages["claim"]
    facts: list[tuple[str, Any]] = [
        (heading["level"], value_at(claims, "verified_claims", "verification", "assurance_level")),
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
        (heading["attendance"], value_at(claims, "attendance", "mode")),
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


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
