"""What `chinhchu verify` prints: plain text, so that the verifier needs no library for it."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api.assertions.findings import value_at
from api.assertions.verification import CheckName, Outcome, Verification
from api.assertions.vocabulary import CheckResult
from api.cli.output import printable
from api.cli.told_times import (
    rfc3339,
    told_claimed_date,
    told_claimed_time,
    told_seconds,
    told_time,
)

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
    """Return a verification as a JSON object.

    That of a PDF has `pdf` besides. Where the PDF carries several assertions, what one alone has at
    the top is in `assertions`, once for each.
    """
    if isinstance(found, Verification):
        return _assertion_as_json(found)
    judged = found.assertion
    alone: dict[str, Any] = {"judged_at": None, "time_proven": False, "checks": [], "claims": None}
    several = len(found.assertions) > 1
    is_failed = found.outcome is Outcome.FAILED
    return {
        **(alone if judged is None else _assertion_as_json(judged)),
        **({"claims": None} if is_failed else {}),
        "outcome": found.outcome,
        "reasons": list(found.reasons),
        **({"assertions": _numbered_as_json(found)} if several else {}),
        "pdf": {
            "checks": [_check(check) for check in found.checks],
            "signatures": [_signature(signature) for signature in found.signatures],
        },
    }


def _numbered_as_json(found: "PdfVerification") -> list[dict[str, Any]]:
    is_failed = found.outcome is Outcome.FAILED
    return [
        {
            "number": number,
            "party_role": value_at(one.claims or {}, "txn", "party_role"),
            "transaction": value_at(one.claims or {}, "txn", "id"),
            **_assertion_as_json(one),
            **({"claims": None} if is_failed else {}),
        }
        for number, one in enumerate(found.assertions, start=1)
    ]


def print_verification(
    found: "Verification | PdfVerification", messages: "Messages", *, time_asked: bool
) -> None:
    """Print the verdict, every check, the verdict's reasons, and what each assertion says."""
    heading, reason = messages["heading"], messages["reason"]
    judged = (found,) if isinstance(found, Verification) else found.assertions
    verdict = _verdict(found, messages)
    print(f"{verdict}\n")
    head = [heading[column] for column in ("check", "result", "meaning")]
    own: list[Check | PdfCheck] = [] if isinstance(found, Verification) else [*found.checks]
    if len(judged) == 1:
        own += judged[0].checks
    _print_table([head, *(_row(check, messages) for check in own)])
    for number, one in enumerate(judged, start=1):
        if len(judged) > 1:
            print(f"\n{printable(_name(number, one, messages))}: {one.outcome}")
            _print_table(_row(check, messages) for check in one.checks)
    print(f"\n{verdict}")
    for code in found.reasons:
        _print_wrapped(f"  - {reason[code]} [{code}]")
    if not isinstance(found, Verification):
        for signature in found.signatures:
            _print_wrapped(printable(_signature_line(signature, messages)))
    for number, one in enumerate(judged, start=1):
        if len(judged) > 1:
            print(f"\n{printable(_name(number, one, messages))}")
        _print_what_it_says(one, found.outcome, messages, time_asked=time_asked)


def _verdict(found: "Verification | PdfVerification", messages: "Messages") -> str:
    """Return the outcome in words; of all that can be missing, a status has words of its own."""
    checks: list[Check | PdfCheck] = [*found.checks]
    if not isinstance(found, Verification):
        checks += [check for one in found.assertions for check in one.checks]
    missing = {c.name for c in checks if c.required and c.result is not CheckResult.OK}
    if found.outcome is Outcome.INDETERMINATE and missing == {CheckName.STATUS}:
        return messages["heading"]["status_unknown"]
    return messages["outcome"][found.outcome]


def _name(number: int, judged: Verification, messages: "Messages") -> str:
    """Return what tells an assertion from the others: its number, whose it is, of what."""
    role, transaction = (value_at(judged.claims or {}, "txn", key) for key in ("party_role", "id"))
    known = (_told(role, messages["party_role"]), transaction)
    said = ", ".join(str(value) for value in known if value is not None)
    return f"{messages['heading']['assertion']} {number}" + (f" ({said})" if said else "")


def _print_what_it_says(
    judged: Verification, outcome: Outcome, messages: "Messages", *, time_asked: bool
) -> None:
    heading = messages["heading"]
    if judged.judged_at is not None:
        source = "proven" if judged.time_proven else "asked" if time_asked else "now"
        words = heading[f"time_{source}"]
        _print_wrapped(f"{heading['judged_at']}: {told_time(judged.judged_at, messages)} ({words})")
    if judged.claims is not None and outcome is not Outcome.FAILED:
        confirmed = outcome is Outcome.PASSED
        print(f"\n{heading['confirmed' if confirmed else 'unconfirmed']}")
        _print_table(_facts(judged.claims, messages))


def _assertion_as_json(verification: Verification) -> dict[str, Any]:
    judged_at = verification.judged_at
    return {
        "outcome": verification.outcome,
        "reasons": list(verification.reasons),
        "judged_at": judged_at and rfc3339(judged_at),
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
        "time": signature.time and rfc3339(signature.time),
        "reason": signature.reason,
    }


def _signature_line(signature: "PdfSignature", messages: "Messages") -> str:
    heading = messages["heading"]
    kind = heading["document_timestamp" if signature.is_timestamp else "signature"]
    moment = signature.time and told_time(signature.time, messages)
    time = f", {heading['signed_at']} {moment}" if moment else ""
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
    party_role = value_at(claims, "txn", "party_role")
    verified_at = value_at(claims, "verified_claims", "verification", "time")
    facts: list[tuple[str, Any]] = [
        (heading["level"], _told(level, messages["value"])),
        (heading["issuer"], claims.get("iss")),
        (heading["procedure"], value_at(claims, "txn", "procedure_code")),
        (heading["dossier"], value_at(claims, "txn", "dossier_id")),
        (heading["party_role"], _told(party_role, messages["party_role"])),
    ]
    for document in value_at(claims, "txn", "documents") or ():
        facts.append((heading["document"], f"{document.get('role', '')} {document['digest']}"))
    facts += [
        (heading["time"], told_claimed_time(verified_at, messages)),
        (heading["expires"], told_seconds(claims["exp"], messages)),
        (heading["attendance"], _told(attendance, messages["value"])),
    ]
    person = value_at(claims, "verified_claims", "claims")
    if isinstance(person, Mapping):
        facts += [(word, _of_person(name, person, messages)) for name, word in label.items()]
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


def _of_person(name: str, person: Mapping[str, Any], messages: "Messages") -> Any:
    value = person.get(name)
    if name == "birthdate":
        return told_claimed_date(value, messages)
    return _told(value, messages[name]) if name in ("sex", "nationality") else value


def _told(code: Any, words: Mapping[str, str]) -> Any:
    """Return the words for a code of the claim set; whatever has none as it is."""
    return words.get(code, code) if isinstance(code, str) else code
