"""`chinhchu status export`: the lists as files, for counters without network."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.cli.keys_secrets import add_secrets, opening_secrets
from api.cli.output import EXIT_FAILED, EXIT_PASSED, print_json, printable
from api.cli.status_database import server_database
from api.errors import InputUnusableError
from api.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="where to; made if missing")
    parser.add_argument(
        "--days",
        type=int,
        default=7,
        metavar="N",
        help="how long they hold, 1 to 31: so late may a counter see a revocation (%(default)s)",
    )
    add_secrets(parser)


def run(args: argparse.Namespace) -> int:
    """Write every list of the present issuer into a folder."""
    from api.keys.files import write_file
    from api.keys.folder import KeyFolder
    from api.keys.ring import KeyRing
    from api.status.publishing import MAX_EXPORT_DAYS, StatusPublisher
    from api.status.register import StatusRegister

    if not 1 <= args.days <= MAX_EXPORT_DAYS:
        raise InputUnusableError(f"--days is 1 to {MAX_EXPORT_DAYS}")
    settings = Settings.from_environment(args.home)
    with server_database(settings) as engine:
        secrets = opening_secrets(args, KeyFolder.read(settings.keys).token)
        ring = KeyRing.open(settings.keys, secrets.password, pin=secrets.pin)
        issuer = ring.current(datetime.now(UTC)).issuer
        publisher = StatusPublisher(engine, ring)
        lists = StatusRegister(engine).lists()
        own = [found for found in lists if found.issuer == issuer]
        tokens = {found.id: publisher.exported(found.id, args.days) for found in own}
    args.folder.mkdir(parents=True, exist_ok=True)
    files = []
    for found in own:
        path, token = args.folder / f"{found.id}.statuslist.jwt", tokens[found.id]
        write_file(path, token.encode("ascii"), replace=True)
        files.append({"file": str(path), "uri": found.uri, "expires_at": _end(token).isoformat()})
    others = [found.uri for found in lists if found.issuer != issuer]
    _print_export(args, files, others)
    return EXIT_FAILED if others else EXIT_PASSED


def _end(token: str) -> datetime:
    from api.assertions import jws

    return datetime.fromtimestamp(jws.parse(token).payload["exp"], UTC)


def _print_export(args: argparse.Namespace, files: list[dict[str, str]], others: list[str]) -> None:
    if args.json:
        print_json({"days": args.days, "files": files, "of_another_issuer": others})
    for file in files if not args.json else ():
        until = datetime.fromisoformat(file["expires_at"])
        print(f"{file['file']}\n  {printable(file['uri'])}\n  until {until:%Y-%m-%d %H:%MZ}")
    if not args.json:
        print(f"lists: {len(files)}")
    wanted = datetime.now(UTC) + timedelta(days=args.days, hours=-1)
    if any(datetime.fromisoformat(file["expires_at"]) < wanted for file in files):
        print(
            f"chinhchu: the lists do not last for {args.days} days, for the signing certificate "
            "ends before: chinhchu keys renew",
            file=sys.stderr,
        )
    for uri in others:
        print(
            f"chinhchu: {printable(uri)} is of another issuer than the signing key's and cannot be "
            "exported",
            file=sys.stderr,
        )
