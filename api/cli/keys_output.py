"""What `chinhchu keys` prints."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.keys.state import KeysState

WARNINGS = {
    "signing-key-missing": "no leaf can sign now: chinhchu keys renew --now",
    "signing-key-ends-soon": "the newest leaf has fewer than 30 days left: chinhchu keys renew",
    "issuing-ca-ends-soon": "a new leaf would outlive the issuing CA: chinhchu keys renew --ca",
    "root-ends-soon": "the root has less than a year left: a new one must be pinned by everyone",
    "revocation-list-stale": "a revocation list is past its next update: chinhchu keys crl",
    "revocation-list-ends-soon": "a revocation list has less than 7 days left: chinhchu keys crl",
    "clock-behind": "a revocation list is from a time to come: is this machine's clock right?",
    "keys-exposed": "any account may read a private key or write into the folder: chmod -R o= DIR",
    "signing-key-unusable": "a leaf in the folder cannot be used, see below",
}


def state_as_json(state: "KeysState") -> dict[str, Any]:
    """Return the state of a folder for machines."""
    return {
        "certificates": [
            {
                "file": c.file,
                "use": str(c.use),
                "subject": c.subject,
                "serial_number": c.serial_number,
                "sha256": c.sha256,
                "not_before": c.not_before.isoformat(),
                "not_after": c.not_after.isoformat(),
                "days_left": c.days_left,
                "issuer_identifiers": list(c.issuer_identifiers),
            }
            for c in state.certificates
        ],
        "revocation_lists": [
            {
                "file": found.file,
                "number": found.number,
                "entries": found.entries,
                "this_update": found.this_update.isoformat(),
                "next_update": found.next_update.isoformat() if found.next_update else None,
            }
            for found in state.lists
        ],
        "warnings": list(state.warnings),
        "faults": [{"name": name, "code": code} for name, code in state.faults],
    }


def print_state(state: "KeysState") -> None:
    """Print the state of a folder for people, what needs doing to standard error."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("file", "use", "until", "days"):
        table.add_column(heading, overflow="fold")
    for c in state.certificates:
        table.add_row(c.file, str(c.use), f"{c.not_after:%Y-%m-%d}", str(c.days_left))
    for found in state.lists:
        until = f"{found.next_update:%Y-%m-%d}" if found.next_update else "-"
        table.add_row(found.file, f"list {found.number}, {found.entries} revoked", until, "")
    console.print(table)
    for c in state.certificates:
        print(c.file)
        print(f"  subject  {c.subject}")
        for identifier in c.issuer_identifiers:
            print(f"  issuer   {identifier}")
        print(f"  serial   {c.serial_number}")
        print(f"  SHA-256  {c.sha256}")
    for name, code in state.faults:
        print(f"chinhchu: signing/{name} cannot be used [{code}]", file=sys.stderr)
    for warning in state.warnings:
        print(f"chinhchu: {WARNINGS[warning]} [{warning}]", file=sys.stderr)
