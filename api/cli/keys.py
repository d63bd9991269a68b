"""`chinhchu keys`: make and show the keys that sign assertions."""

import argparse
import os
import sys
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.output import EXIT_PASSED, print_json, read_input
from api.errors import InputUnusableError
from api.settings import Settings

if TYPE_CHECKING:
    from api.assertions.keys import CertificateSummary

PASSWORD_VARIABLE = "CHINHCHU_KEYS_PASSWORD"  # noqa: S105 - the variable's name, not a password
MAX_PASSWORD_FILE = 4096

EPILOG = f"""\
examples:
  chinhchu keys init --name "Văn phòng công chứng số 7" --issuer https://vpcc7.example
  chinhchu keys init --out demo-keys --no-password      for a demonstration only
  chinhchu keys show keys                               what relying parties must pin, validity

The password comes from --password-file, else from {PASSWORD_VARIABLE}, else it is asked for.
root.pem is public: give it to relying parties by another way than the assertions. Move
offline/root.key.pem to a medium that is kept in a safe; the server needs only signing.pem,
signing.key.pem and root.pem. Private files get mode 0600; on Windows they inherit the folder's
access list, so choose a folder that only the service's account may read.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `keys init` and `keys show`."""
    group = commands.add_parser(
        "keys",
        help="make and show the keys that sign assertions",
        description="The small certificate authority behind the assertions.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)

    init = actions.add_parser(
        "init",
        help="make root, issuing CA (3 years) and signing leaf (90 days) in an empty folder",
        description="Make a root (10 years), an issuing CA (3 years) and a signing leaf (90 days).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    init.add_argument(
        "--out",
        type=Path,
        default=Settings.from_environment().keys,
        metavar="DIR",
        help="empty or new folder (%(default)s, where `serve` looks)",
    )
    init.add_argument("--name", default="chinhchu", metavar="ORGANISATION", help="in the names")
    init.add_argument("--issuer", metavar="URI", help="iss of the assertions (default: urn:uuid:…)")
    secret = init.add_mutually_exclusive_group()
    secret.add_argument("--password-file", type=Path, metavar="FILE", help="its first line")
    secret.add_argument("--no-password", action="store_true", help="leave the keys unencrypted")
    init.add_argument("--json", action="store_true", help="print one JSON document")
    init.set_defaults(run=run_init)

    show = actions.add_parser(
        "show",
        help="show the certificates of a folder",
        description="Show what the certificates of a folder say; needs no password.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    show.add_argument("folder", type=Path, metavar="DIR", help="the folder of `keys init`")
    show.add_argument("--json", action="store_true", help="print one JSON document")
    show.set_defaults(run=run_show)


def run_init(args: argparse.Namespace) -> int:
    """Make the keys."""
    from api.assertions import keys

    password = None if args.no_password else new_password(args.password_file, os.environ)
    key = keys.init(args.out, name=args.name, issuer=args.issuer, password=password)
    summaries = keys.describe(args.out)
    if args.json:
        print_json(_as_json(args.out, summaries))
        return EXIT_PASSED
    _print(summaries)
    print(f"\nissuer (iss): {key.issuer}")
    print(f"pin at the relying parties: {args.out / keys.ROOT}")
    print(f"move to a safe:             {args.out / keys.ROOT_KEY}")
    if password is None:
        print("the private keys are not encrypted: for demonstrations only", file=sys.stderr)
    return EXIT_PASSED


def run_show(args: argparse.Namespace) -> int:
    """Show the certificates."""
    from api.assertions import keys

    summaries = keys.describe(args.folder)
    if args.json:
        print_json(_as_json(args.folder, summaries))
    else:
        _print(summaries)
    return EXIT_PASSED


def new_password(
    file: Path | None, environment: Mapping[str, str], variable: str = PASSWORD_VARIABLE
) -> str:
    """Return a new password from a file's first line, the environment, or a person (twice).

    Raises:
        InputUnusableError: none is to be had, the two do not agree, or the file is unreadable.
    """
    if file is not None:
        try:
            text = read_input(file, MAX_PASSWORD_FILE).decode("utf-8")
        except UnicodeDecodeError:
            raise InputUnusableError(f"{file} is not text in UTF-8") from None
        return text.partition("\n")[0].rstrip("\r")
    given = environment.get(variable)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise InputUnusableError(
            f"no password: set {variable}, or use --password-file or --no-password"
        )
    password = getpass("Password for the new keys: ")
    if getpass("The same again: ") != password:
        raise InputUnusableError("the two passwords are not the same")
    return password


def _as_json(folder: Path, summaries: "tuple[CertificateSummary, ...]") -> dict[str, Any]:
    certificates = [
        {
            "file": str(folder / summary.file),
            "subject": summary.subject,
            "sha256": summary.sha256,
            "not_before": summary.not_before.isoformat(),
            "not_after": summary.not_after.isoformat(),
            "issuer_identifiers": list(summary.issuer_identifiers),
        }
        for summary in summaries
    ]
    return {"certificates": certificates}


def _print(summaries: "tuple[CertificateSummary, ...]") -> None:
    for summary in summaries:
        print(summary.file)
        print(f"  subject      {summary.subject}")
        for identifier in summary.issuer_identifiers:
            print(f"  issuer       {identifier}")
        print(f"  valid until  {summary.not_after:%Y-%m-%d %H:%MZ}")
        print(f"  SHA-256      {summary.sha256}")
