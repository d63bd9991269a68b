"""How `chinhchu trust` shows stores; certificates of authorities are public."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.output import print_json
from devices.emrtd.crypto.public_keys import RsaKey
from devices.emrtd.errors import KeyUnsupportedError
from devices.emrtd.trust.certificates import Certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.trust.trust_import import ImportEntry, ImportOutcome
from devices.emrtd.trust.trust_status import Concern, role_of, unusable_reason
from devices.emrtd.trust.trust_store import TrustStore

_STYLES = {
    ImportOutcome.NEW: "green",
    ImportOutcome.UNCHANGED: "dim",
    ImportOutcome.WITHDRAWN: "yellow",
    ImportOutcome.REFUSED: "bold red",
}


def difference(before: TrustStore, after: TrustStore, file: str) -> tuple[ImportEntry, ...]:
    """Return what replacing one store with another does."""
    entries = []
    for kind, old, new in (
        ("certificate", _subjects(before), _subjects(after)),
        ("crl", _issuers(before), _issuers(after)),
    ):
        for digest, subject in (old | new).items():
            if digest not in new:
                outcome = ImportOutcome.WITHDRAWN
            else:
                outcome = ImportOutcome.UNCHANGED if digest in old else ImportOutcome.NEW
            entries.append(ImportEntry(outcome, kind, file, digest, subject))
    return tuple(entries)


def show_import(entries: Sequence[ImportEntry], store: TrustStore, *, as_json: bool) -> None:
    """Print what became of each object; what was there already is only counted for people."""
    counts = {o.value: sum(e.outcome is o for e in entries) for o in ImportOutcome}
    if as_json:
        print_json(
            {
                "trust_list_id": store.anchors.digest,
                "counts": counts,
                "entries": [
                    {
                        "outcome": entry.outcome,
                        "kind": entry.kind,
                        "file": entry.file,
                        "sha256": entry.sha256,
                        "subject": entry.subject,
                        "reason": entry.reason,
                    }
                    for entry in entries
                ],
            }
        )
        return
    console = Console(markup=False)
    table = Table("outcome", "kind", "whose", "file", "reason")
    for entry in entries:
        if entry.outcome is not ImportOutcome.UNCHANGED:
            outcome = Text(entry.outcome, style=_STYLES[entry.outcome])
            whose = Text(entry.subject or entry.sha256[:16])
            table.add_row(outcome, entry.kind, whose, Text(entry.file), entry.reason or "")
    if table.row_count:
        console.print(table)
    console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    console.print(f"trust list {store.anchors.digest}", highlight=False)


def show_list(anchors: TrustAnchors, country: str | None, *, at: datetime, as_json: bool) -> None:
    """Print the certificates, by country."""
    chosen = sorted(
        (c for c in anchors.certificates if country in (None, c.country)),
        key=lambda c: (c.country or "", str(c.subject), c.not_before),
    )
    rows = [_described(certificate, anchors, at) for certificate in chosen]
    if as_json:
        print_json(
            {
                "trust_list_id": anchors.digest,
                "certificates": rows,
                "crls": [
                    {
                        "issuer": str(crl.issuer),
                        "sha256": crl.sha256,
                        "this_update": crl.this_update.isoformat(),
                        "next_update": crl.next_update and crl.next_update.isoformat(),
                        "revoked": len(crl.revoked),
                        "stale": crl.is_stale(at, anchors.policy),
                    }
                    for crl in anchors.crls
                    if country in (None, crl.issuer.country)
                ],
            }
        )
        return
    console = Console(markup=False)
    table = Table("country", "subject", "key identifier", "valid", "role", "key", "usable")
    for row in rows:
        valid = f"{row['not_before'][:10]} – {row['not_after'][:10]}"
        reason = row["unusable_reason"]
        usable = Text(reason, style="yellow") if reason else Text("yes", style="green")
        subject = Text(row["subject"])
        identifier = row["key_identifier"][:16]
        table.add_row(
            row["country"] or "", subject, identifier, valid, row["role"], row["key"], usable
        )
    console.print(table)
    usable_count = sum(row["unusable_reason"] is None for row in rows)
    console.print(f"{len(rows)} certificates, {usable_count} usable, {len(anchors.crls)} CRLs")


def show_concerns(found: Sequence[Concern], store: TrustStore, *, as_json: bool) -> None:
    """Print what needs care."""
    if as_json:
        print_json(
            {
                "trust_list_id": store.anchors.digest,
                "certificates": len(store.certificates),
                "crls": len(store.crls),
                "concerns": [
                    {"code": c.code, "subject": c.subject, "urgent": c.is_urgent} for c in found
                ],
            }
        )
        return
    console = Console(markup=False)
    if found:
        table = Table("urgent", "code", "what")
        for concern in found:
            mark = Text("yes", style="bold red") if concern.is_urgent else Text("no", style="dim")
            table.add_row(mark, concern.code, Text(concern.subject))
        console.print(table)
    console.print(f"{len(store.certificates)} certificates, {len(store.crls)} CRLs")


def show_export(
    path: Path, digest: str, store: TrustStore, *, is_signed: bool, as_json: bool
) -> None:
    """Print where the bundle is and what announces it."""
    trust_list_id = store.anchors.digest
    if as_json:
        print_json(
            {
                "bundle": str(path),
                "digest": digest,
                "signed": is_signed,
                "trust_list_id": trust_list_id,
            }
        )
        return
    console = Console(markup=False, highlight=False)
    console.print(f"{path}: {len(store.certificates)} certificates, {len(store.crls)} CRLs")
    console.print(f"digest     {digest}\ntrust list {trust_list_id}")


def _described(certificate: Certificate, anchors: TrustAnchors, at: datetime) -> dict[str, Any]:
    return {
        "country": certificate.country,
        "subject": str(certificate.subject),
        "key_identifier": certificate.key_identifier.hex(),
        "sha256": certificate.sha256,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "role": role_of(certificate),
        "key": _key(certificate),
        "sources": list(anchors.sources.get(certificate.sha256, ())),
        "unusable_reason": unusable_reason(certificate, anchors, at),
    }


def _key(certificate: Certificate) -> str:
    try:
        key = certificate.public_key
    except KeyUnsupportedError:
        return "unsupported"
    return f"RSA {key.modulus.bit_length()}" if isinstance(key, RsaKey) else key.curve.name


def _subjects(store: TrustStore) -> dict[str, str]:
    return {digest: str(c.subject) for digest, c in store.certificates.items()}


def _issuers(store: TrustStore) -> dict[str, str]:
    return {digest: str(crl.issuer) for digest, crl in store.crls.items()}
