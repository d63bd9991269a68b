"""`chinhchu keys`: the keys that sign assertions, from making them to revoking them."""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from api.cli import keys_renewal, keys_revocation
from api.cli.argument_types import time_with_offset
from api.cli.keys_output import print_state, state_as_json
from api.cli.keys_secrets import (
    PASSWORD_VARIABLE,
    PIN_VARIABLE,
    first_line,
    new_password,
    token_pin,
)
from api.cli.output import EXIT_FAILED, EXIT_PASSED, print_json
from api.errors import InputUnusableError
from api.settings import Settings

EPILOG = f"""\
examples:
  chinhchu keys init --name "Văn phòng công chứng số 7" --issuer https://vpcc7.example
  chinhchu keys init --out demo-keys --no-password      for a demonstration only
  chinhchu keys init --pkcs11 /usr/lib/softhsm/libsofthsm2.so --token chinhchu
  chinhchu keys show                                    what signs, what ends soon
  chinhchu keys renew                                   daily: a new leaf when one is due
  chinhchu keys renew --ca --root-key /media/safe/root.key.pem
  chinhchu keys crl                                     weekly: a new revocation list
  chinhchu keys revoke 20261122-938b49cb --reason key-compromise
  chinhchu keys publish /media/usb/chinhchu             all that a counter without network needs

The password comes from --password-file, else from {PASSWORD_VARIABLE}, else it is asked for;
the PIN of a token from --pin-file, else {PIN_VARIABLE}, else from the file that keys.toml names.
root.pem is public: give it to relying parties by another way than the assertions. Move
offline/root.key.pem to a medium that is kept in a safe. Private files get mode 0600; on Windows
they inherit the folder's access list, so choose a folder that only the service's account may read.
"""

SHOW_EPILOG = """\
examples:
  chinhchu keys show
  chinhchu keys show keys --at 2027-02-01T00:00:00+07:00 --json

exit codes: 0 a leaf can sign, 1 none can, or one in the folder cannot be used
"""

PUBLISH_EPILOG = """\
examples:
  chinhchu keys publish /media/usb/chinhchu
  cd /media/usb/chinhchu && sha256sum -c SHA256SUMS     whether a copy is whole
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group."""
    group = commands.add_parser(
        "keys",
        help="make, renew, revoke and publish the keys that sign assertions",
        description="The small certificate authority behind the assertions.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    _register_init(actions)

    show = actions.add_parser(
        "show",
        help="show what signs now, what comes, what ends soon",
        description="Show the certificates and revocation lists of a folder; needs no password.",
        epilog=SHOW_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = Settings.from_environment().keys
    show.add_argument("folder", type=Path, nargs="?", default=default, metavar="DIR",
                      help="the folder of `keys init` (%(default)s)")  # fmt: skip
    show.add_argument("--at", type=time_with_offset, metavar="TIME", help="as at another time")
    show.add_argument("--json", action="store_true", help="print one JSON document")
    show.set_defaults(run=run_show)

    publish = actions.add_parser(
        "publish",
        help="write what relying parties need of the keys into a folder",
        description="Write root, issuing CAs, revocation lists and JWKS, all public, with digests.",
        epilog=PUBLISH_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    publish.add_argument("out", type=Path, metavar="DIR", help="new, empty, or published before")
    publish.add_argument("--keys", type=Path, default=default, metavar="DIR",
                         help="the folder of `keys init` (%(default)s)")  # fmt: skip
    publish.add_argument("--json", action="store_true", help="print one JSON document")
    publish.set_defaults(run=run_publish)

    keys_renewal.register(actions)
    keys_revocation.register(actions)


def _register_init(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    init.add_argument("--root-password-file", type=Path, metavar="FILE",
                      help="another password for the root's key")  # fmt: skip
    init.add_argument("--pkcs11", type=Path, metavar="MODULE",
                      help="make the leaf's key in a security module, by its library")  # fmt: skip
    init.add_argument("--token", metavar="LABEL", help="which token of that module")
    init.add_argument("--pin-file", type=Path, metavar="FILE",
                      help="the token's PIN, first line; keys.toml says where it is")  # fmt: skip
    init.add_argument("--ca-in-token", action="store_true", help="the issuing CA's key too")
    init.add_argument("--json", action="store_true", help="print one JSON document")
    init.set_defaults(run=run_init)


def run_init(args: argparse.Namespace) -> int:
    """Make the keys."""
    from api.keys import keys
    from api.keys.folder import KeyFolder
    from api.keys.keys_toml import TokenPlace
    from api.keys.state import keys_state

    token = None
    if args.pkcs11 is not None and args.token:
        pin_file = args.pin_file.absolute() if args.pin_file else None
        token = TokenPlace(args.pkcs11.absolute(), args.token, pin_file)
    elif args.pkcs11 or args.token or args.pin_file or args.ca_in_token:
        raise InputUnusableError("a security module needs both --pkcs11 and --token")
    password = None if args.no_password else new_password(args.password_file, os.environ)
    root_file = args.root_password_file
    key = keys.init(
        args.out,
        name=args.name,
        issuer=args.issuer,
        password=password,
        root_password=first_line(root_file) if root_file else None,
        token=token,
        pin=token_pin(args.pin_file, token),
        ca_in_token=args.ca_in_token,
    )
    state = keys_state(KeyFolder.read(args.out), datetime.now(UTC))
    if args.json:
        print_json(state_as_json(state))
        return EXIT_PASSED
    print_state(state)
    print(f"\nissuer (iss): {key.issuer}")
    print(f"pin at the relying parties: {args.out / keys.ROOT}")
    print(f"move to a safe:             {args.out / keys.ROOT_KEY}")
    if password is None:
        print("the private keys are not encrypted: for demonstrations only", file=sys.stderr)
    return EXIT_PASSED


def run_show(args: argparse.Namespace) -> int:
    """Show the certificates."""
    from api.keys.folder import KeyFolder
    from api.keys.state import keys_state

    state = keys_state(KeyFolder.read(args.folder), args.at or datetime.now(UTC))
    if args.json:
        print_json(state_as_json(state))
    else:
        print_state(state)
    return EXIT_FAILED if state.current is None or state.faults else EXIT_PASSED


def run_publish(args: argparse.Namespace) -> int:
    """Write what relying parties need."""
    from api.keys.folder import KeyFolder
    from api.keys.list_memory import ListMemory
    from api.keys.publication import publish

    folder = KeyFolder.read(args.keys)
    ListMemory.beside(args.keys).check(folder)
    publication = publish(folder, datetime.now(UTC))
    publication.write(args.out)
    files = publication.files
    if args.json:
        digests = {name: file.sha256 for name, file in files.items()}
        print_json({"issuer": publication.issuer, "folder": str(args.out), "files": digests})
        return EXIT_PASSED
    for name, file in files.items():
        print(f"{file.sha256}  {args.out / name}")
    return EXIT_PASSED
