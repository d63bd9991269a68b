"""`chinhchu keys renew`: a new leaf or a new issuing CA beside the old one."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from api.cli.argument_types import time_with_offset
from api.cli.keys_secrets import (
    add_root_password,
    add_secrets,
    opening_secrets,
    root_password,
)
from api.cli.output import EXIT_PASSED, print_json
from api.errors import InputUnusableError
from api.settings import Settings

EPILOG = """\
examples:
  chinhchu keys renew                         does nothing while a leaf has 30 days left: run it
                                              daily, by cron or a systemd timer
  chinhchu keys renew --now                   in any case, as after a leaf was revoked
  chinhchu keys renew --now --from 2027-01-01T00:00:00+07:00
  chinhchu keys renew --ca-key /media/safe/issuing.key.pem
  chinhchu keys renew --ca --root-key /media/safe/root.key.pem

A running server takes the new leaf with its next assertion; the old one stays, for its assertions
and its revocation. With --ca the root's revocation list is renewed too. The new keys' files are
encrypted with the password that opens the old ones.
"""


def register(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `keys renew`."""
    renew = actions.add_parser(
        "renew",
        help="make a new leaf where one is due, or a new issuing CA",
        description="Make a new leaf (90 days) where none has 30 days left, or a new issuing CA.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    renew.add_argument(
        "--keys",
        type=Path,
        default=Settings.from_environment().keys,
        metavar="DIR",
        help="the folder of `keys init` (%(default)s)",
    )
    renew.add_argument("--now", action="store_true", help="also where none is due")
    renew.add_argument(
        "--from",
        dest="begin",
        type=time_with_offset,
        metavar="TIME",
        help="when it begins (default: now)",
    )
    renew.add_argument("--ca-key", type=Path, metavar="FILE", help="where the issuing CA's key is")
    renew.add_argument("--ca", action="store_true", help="renew the issuing CA by the root")
    renew.add_argument("--root-key", type=Path, metavar="FILE", help="where the root's key is")
    add_root_password(renew)
    renew.add_argument(
        "--ca-in-token", action="store_true", help="make the new issuing CA's key in the token"
    )
    add_secrets(renew)
    renew.add_argument("--json", action="store_true", help="print one JSON document")
    renew.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make what is due."""
    from api.keys import keys
    from api.keys.folder import ROOT_LIST, KeyFolder
    from api.keys.revocation import renew_list
    from api.keys.state import is_issuing_ca_due, is_leaf_due

    now = datetime.now(UTC)
    folder = KeyFolder.read(args.keys)
    begin = args.begin or now
    is_due = is_issuing_ca_due(folder, begin) if args.ca else is_leaf_due(folder, begin)
    if not is_due and not args.now:
        if args.json:
            print_json({"renewed": None})
        else:
            print("nothing is due (--now renews in any case)", file=sys.stderr)
        return EXIT_PASSED
    if args.ca_in_token and folder.token is None:
        raise InputUnusableError(f"{args.keys} names no token: it was made without --pkcs11")
    secrets = opening_secrets(args, folder.token)
    if args.ca:
        root = keys.open_root(folder, root_password(args, secrets), args.root_key)
        made = keys.renew_issuing_ca(folder, root, secrets, begin, in_token=args.ca_in_token)
        renew_list(folder, ROOT_LIST, root, now)
    else:
        ca = keys.open_newest_issuing_ca(folder, secrets, begin, args.ca_key)
        made = keys.renew_leaf(folder, ca, secrets, begin)
    file = made.path.relative_to(args.keys).as_posix()
    until = made.certificate.not_valid_after_utc
    if made.key_path.exists() or folder.token is None:
        place = made.key_path.relative_to(args.keys).as_posix()
    else:
        place = f"token {folder.token.token}"
    if args.json:
        print_json({"renewed": file, "not_after": until.isoformat(), "private_key": place})
    else:
        print(f"made {file}, valid until {until:%Y-%m-%d}; publish it: chinhchu keys publish DIR")
        print(f"its private key is in {place}")
    return EXIT_PASSED
