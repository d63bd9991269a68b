"""`chinhchu keys revoke` and `keys crl`: what must not be believed any more."""

import argparse
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.argument_types import time_with_offset
from api.cli.keys_secrets import (
    add_root_password,
    add_secrets,
    opening_secrets,
    root_password,
)
from api.cli.output import EXIT_PASSED, print_json
from api.settings import Settings

if TYPE_CHECKING:
    from api.keys.authority import KeyPair
    from api.keys.folder import KeyFolder
    from api.keys.private_keys import KeySecrets

REASONS = (
    "key-compromise",
    "ca-compromise",
    "affiliation-changed",
    "superseded",
    "cessation-of-operation",
    "privilege-withdrawn",
)

REVOKE_EPILOG = """\
examples:
  chinhchu keys revoke 20261122-938b49cb --reason key-compromise \\
      --invalid-since 2026-12-24T00:00:00+07:00
  chinhchu keys revoke keys/signing/20261122-938b49cb.pem --reason superseded
  chinhchu keys revoke 20261122-5e9e7c8c --reason ca-compromise --root-key /media/safe/root.key.pem

A leaf is revoked with the issuing CA's key, an issuing CA with the root's; it cannot be undone.
First make the next one (chinhchu keys renew --now), for a running server does not sign with a
revoked leaf any more; then chinhchu keys publish, for relying parties know nothing until they have
the new list. With it they refuse all assertions of that leaf but those that a trusted timestamp
proves to be from before.
"""

CRL_EPILOG = """\
examples:
  chinhchu keys crl                                          the issuing CAs' lists, for 30 days
  chinhchu keys crl --root-key /media/safe/root.key.pem      the root's list, for a year
"""


def register(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `keys revoke` and `keys crl`."""
    revoke = actions.add_parser(
        "revoke",
        help="put a leaf or an issuing CA on its revocation list, for good",
        description="Put a leaf or an issuing CA on its revocation list, for good.",
        epilog=REVOKE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    revoke.add_argument("certificate", metavar="NAME|FILE|SERIAL", help="as `keys show` has it")
    revoke.add_argument("--reason", choices=REASONS, help="why (default: not said)")
    revoke.add_argument(
        "--invalid-since",
        type=time_with_offset,
        metavar="TIME",
        help="when the key was, or may have been, in other hands",
    )
    revoke.set_defaults(run=run_revoke)

    crl = actions.add_parser(
        "crl",
        help="make new revocation lists",
        description="Make new revocation lists with the same entries.",
        epilog=CRL_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    crl.set_defaults(run=run_crl)
    for parser in (revoke, crl):
        parser.add_argument(
            "--keys",
            type=Path,
            default=Settings.from_environment().keys,
            metavar="DIR",
            help="the folder of `keys init` (%(default)s)",
        )
        parser.add_argument("--ca-key", type=Path, metavar="FILE",
                            help="where the issuing CA's key is")  # fmt: skip
        parser.add_argument("--root-key", type=Path, metavar="FILE", help="where the root's key is")
        add_root_password(parser)
        add_secrets(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON document")


def run_revoke(args: argparse.Namespace) -> int:
    """Revoke one certificate."""
    from api.keys import keys
    from api.keys.folder import ROOT_LIST, KeyFolder
    from api.keys.revocation import find_certificate, revoke

    folder = KeyFolder.read(args.keys)
    stored = find_certificate(folder, args.certificate)
    signer = folder.issuer_name_of(stored.certificate)
    secrets = opening_secrets(args, folder.token)
    if signer == ROOT_LIST:
        ca = keys.open_root(folder, root_password(args, secrets), args.root_key)
    else:
        ca = keys.open_issuing_ca(folder, signer, secrets, args.ca_key)
    made = revoke(
        folder,
        stored,
        ca,
        datetime.now(UTC),
        reason=args.reason,
        invalid_since=args.invalid_since,
    )
    if args.json:
        print_json({"revoked": stored.name, "list": _list_as_json(signer, made)})
    else:
        print(f"revoked {stored.name} on crl/{signer}.crl; publish it: chinhchu keys publish DIR")
    return EXIT_PASSED


def run_crl(args: argparse.Namespace) -> int:
    """Renew revocation lists."""
    from api.keys import keys
    from api.keys.folder import ROOT_LIST, KeyFolder
    from api.keys.revocation import renew_list

    now = datetime.now(UTC)
    folder = KeyFolder.read(args.keys)
    secrets = opening_secrets(args, folder.token)
    if args.root_key is not None:
        password = root_password(args, secrets)
        authorities = {ROOT_LIST: keys.open_root(folder, password, args.root_key)}
    else:
        authorities = _issuing_cas(folder, secrets, now, args.ca_key)
    made = {name: renew_list(folder, name, ca, now) for name, ca in authorities.items()}
    if args.json:
        print_json({"lists": [_list_as_json(name, found) for name, found in made.items()]})
    for name, found in made.items() if not args.json else ():
        print(f"crl/{name}.crl: {len(found)} revoked, until {found.next_update_utc:%Y-%m-%d}")
    return EXIT_PASSED


def _issuing_cas(
    folder: "KeyFolder", secrets: "KeySecrets", at: datetime, key_file: Path | None
) -> "dict[str, KeyPair]":
    """Open every issuing CA that signs lists, or the one whose key is in a file elsewhere."""
    from api.assertions.errors import SigningKeyExpiredError, SigningKeyUnusableError
    from api.keys import keys
    from api.keys.state import check_clock

    check_clock(folder, at)
    valid = folder.usable(folder.issuing_cas, at, at)
    if not valid:
        raise SigningKeyExpiredError("no issuing CA is valid now that could sign a list")
    if key_file is None:
        return {ca.name: keys.open_issuing_ca(folder, ca.name, secrets) for ca in valid}
    for ca in valid:
        with suppress(SigningKeyUnusableError):  # it is another one's
            return {ca.name: keys.open_issuing_ca(folder, ca.name, secrets, key_file)}
    raise SigningKeyUnusableError(f"{key_file} holds no key of an issuing CA that is valid now")


def _list_as_json(name: str, found: Any) -> dict[str, Any]:
    return {
        "file": f"crl/{name}.crl",
        "entries": len(found),
        "next_update": found.next_update_utc.isoformat(),
    }
