"""`chinhchu verify`: the relying party's check, offline."""

import argparse
import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.argument_types import time_with_offset
from api.cli.output import EXIT_BY_OUTCOME, print_json, read_input

if TYPE_CHECKING:
    from api.assertions.messages import Messages
    from api.assertions.verification import Verification

MAX_DOCUMENT_BYTES = 1 << 30
LEVELS = ("basic", "substantial", "high")

EPILOG = """\
examples:
  chinhchu verify assertion.txt --document contract.pdf --root root.pem \\
      --audience notary-7 --nonce n-0S6_WzA2Mj
  chinhchu verify assertion.txt --document a.pdf --document b.pdf --root root.pem \\
      --audience notary-7 --nonce n-0S6_WzA2Mj --level substantial --lang vi
  chinhchu verify assertion.txt --document a.pdf --root root.pem --audience notary-7 \\
      --nonce n-0S6_WzA2Mj --at 2026-11-21T10:00:00+07:00 --json

Nothing is fetched: root.pem and the nonce come from your own records. What is not given is not
checked, and the verdict is then INDETERMINATE. With --at it tells what held at that time.

exit codes:
  0  PASSED: every required check is ok
  1  FAILED: do not rely on it
  3  INDETERMINATE: not everything could be checked
  4  a file could not be read, or a root is not a certificate
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `verify`."""
    parser = commands.add_parser(
        "verify",
        help="verify an assertion against its documents, offline",
        description="Verify an assertion against its documents, without any connection.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("assertion", type=Path, metavar="ASSERTION", help="file with the assertion")
    parser.add_argument(
        "--document",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a document that it was made for; once for each",
    )
    parser.add_argument(
        "--root",
        type=Path,
        action="append",
        required=True,
        metavar="CA.pem",
        help="the issuer's root certificate, got by another way; once for each",
    )
    parser.add_argument("--audience", metavar="NAME", help="your own name at the issuer")
    parser.add_argument("--nonce", metavar="NONCE", help="the nonce that you gave for the session")
    parser.add_argument(
        "--at", type=time_with_offset, metavar="TIME", help="ISO 8601 with offset; now if not"
    )
    parser.add_argument("--level", choices=LEVELS, help="the lowest level that will do")
    parser.add_argument(
        "--policy",
        type=Path,
        action="append",
        metavar="FILE",
        help="a policy (procedure) file that you know; once for each",
    )
    parser.add_argument("--lang", choices=("vi", "en"), default=_language(os.environ))
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify and tell."""
    from api.assertions.messages import load_messages
    from api.assertions.sd_jwt import MAX_BYTES
    from api.assertions.verifier import verify
    from api.assertions.vocabulary import AssuranceLevel

    policies = args.policy and {hashlib.sha256(read_input(p)).hexdigest() for p in args.policy}
    verification = verify(
        read_input(args.assertion, 2 * MAX_BYTES).strip(),
        documents=[read_input(path, MAX_DOCUMENT_BYTES) for path in args.document],
        roots=[read_input(path) for path in args.root],
        audience=args.audience,
        nonce=args.nonce,
        at=args.at,
        minimum_level=args.level and AssuranceLevel(args.level),
        policy_digests=policies,
    )
    if args.json:
        print_json(_as_json(verification))
    else:
        _print(verification, load_messages(args.lang))
    return EXIT_BY_OUTCOME[verification.outcome]


def _language(environment: Mapping[str, str]) -> str:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(variable):
            return "vi" if environment[variable].startswith("vi") else "en"
    return "en"


def _as_json(verification: "Verification") -> dict[str, Any]:
    return {
        "outcome": verification.outcome,
        "reasons": list(verification.reasons),
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


def _print(verification: "Verification", messages: "Messages") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    heading = messages["heading"]
    styles = {"ok": "green", "failed": "bold red"}
    table = Table()
    for column in ("check", "result", "meaning"):
        table.add_column(heading[column], overflow="fold")
    for check in verification.checks:
        meaning = messages["reason"][check.reason] if check.reason else ""
        if check.detail and check.reason:
            meaning += f" ({check.reason}: {check.detail})"
        elif check.reason:
            meaning += f" ({check.reason})"
        result = messages["result"][check.result]
        if not check.required:
            result += f" ({heading['optional']})"
        table.add_row(
            messages["check"][check.name],
            Text(result, style=styles.get(check.result, "yellow")),
            Text(meaning),
        )
    console = Console()
    console.print(table)
    console.print(Text(messages["outcome"][verification.outcome], style="bold"))
    if verification.claims is None:
        return
    confirmed = "confirmed" if verification.outcome == "PASSED" else "unconfirmed"
    facts = Table(title=heading[confirmed], title_justify="left", show_header=False)
    for label, value in _facts(verification.claims, messages):
        facts.add_row(Text(label), Text(value, overflow="fold"))
    console.print(facts)


def _facts(claims: Mapping[str, Any], messages: "Messages") -> Iterator[tuple[str, str]]:
    """Yield what was confirmed, skipping what the issuer left out."""
    heading, label = messages["heading"], messages["claim"]
    facts: list[tuple[str, Any]] = [
        (heading["level"], _at(claims, "verified_claims", "verification", "assurance_level")),
        (heading["issuer"], claims.get("iss")),
        (heading["procedure"], _at(claims, "txn", "procedure_code")),
        (heading["dossier"], _at(claims, "txn", "dossier_id")),
        (heading["party_role"], _at(claims, "txn", "party_role")),
    ]
    for document in _at(claims, "txn", "documents") or ():
        facts.append((heading["document"], f"{document.get('role', '')} {document['digest']}"))
    expires = f"{datetime.fromtimestamp(claims['exp'], UTC):%Y-%m-%dT%H:%M:%SZ}"
    facts += [
        (heading["time"], _at(claims, "verified_claims", "verification", "time")),
        (heading["expires"], expires),
        (heading["attendance"], _at(claims, "attendance", "mode")),
    ]
    person = _at(claims, "verified_claims", "claims")
    if isinstance(person, Mapping):
        facts += [(word, person.get(name)) for name, word in label.items()]
    evidence = _at(claims, "verified_claims", "verification", "evidence")
    for item in evidence if isinstance(evidence, list) else ():
        number = _at(item, "document_details", "document_number")
        facts.append((label["document_number"], number))
    facts += [
        (label["score"], _at(claims, "face", "score")),
        (label["officer_ref"], _at(claims, "attendance", "officer_ref")),
    ]
    for name, value in facts:
        if isinstance(value, bool):
            yield name, heading["yes" if value else "no"]
        elif value is not None:
            # What a terminal would obey instead of show becomes a mark.
            yield (
                name,
                "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)),
            )


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
