"""`chinhchu status`: suspend and revoke assertions, and hand out the lists that say so."""

import argparse
import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli import status_export
from api.cli.output import EXIT_PASSED, one_line, print_json, printable, read_input
from api.cli.status_database import server_database
from api.errors import InputUnusableError
from api.settings import Settings

if TYPE_CHECKING:
    from api.assertions.status_list import Status, StatusReference
    from api.status.register import StatusEntry, StatusRegister

EPILOG = """\
examples:
  chinhchu status show                                     the lists, and how full they are
  chinhchu status show --dossier HS-2026-117               the assertions of a dossier
  chinhchu status suspend --session 3f9c… --reason "ticket 41: reported stolen"
  chinhchu status reinstate --jti d2Fz… --reason "ticket 41: found again"
  chinhchu status revoke --assertion assertion.txt --reason "ticket 44: wrong person"
  chinhchu status export /media/usb --days 7               for counters without network
  chinhchu status close                                    once, after a restore from a backup

Which assertion: by the file that a relying party sends, by --jti, --session or --dossier (while the
server still knows whose it is: see server.toml), or by --list URI --index N as the assertion says.
Suspending can be undone, revoking cannot. The reason of a change is kept for good: write no names.
HOME is --home, else $CHINHCHU_HOME, else ~/.chinhchu. A server that is running sees each change at
once; relying parties that have a list see it when they fetch the next, within an hour.

exit codes: 0 done, 1 a list is of another issuer than the signing key's and was not exported
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group."""
    group = commands.add_parser(
        "status",
        help="suspend and revoke assertions; export the status lists",
        description="Which assertions still stand, in the lists that relying parties look into.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    show = _action(actions, "show", "show the lists, or what became of assertions", run_show)
    _add_selectors(show, required=False)
    for name, words, run in (
        ("suspend", "make assertions invalid for now", run_suspend),
        ("revoke", "make assertions invalid for good", run_revoke),
        ("reinstate", "make suspended assertions valid again", run_reinstate),
    ):
        change = _action(actions, name, words, run)
        _add_selectors(change, required=True)
        change.add_argument("--reason", required=True, metavar="TEXT", help="kept for good")
        change.add_argument(
            "--by", metavar="WHO", help="who decided it (default: the name of your account)"
        )
        change.add_argument("--all", action="store_true", help="also where it is several")
    export = _action(actions, "export", "write every list as a file to carry", status_export.run)
    status_export.add_arguments(export)
    _action(actions, "close", "give no more indices of the present lists out", run_close)


def run_show(args: argparse.Namespace) -> int:
    """Show lists or assertions."""
    with _register(args) as statuses:
        references = _references(args, statuses)
        if references:
            entries = [statuses.entry(reference) for reference in references]
            _print_entries(args, entries)
            return EXIT_PASSED
        lists = statuses.lists()
    if args.json:
        print_json({"lists": [_plain(vars(found)) for found in lists]})
        return EXIT_PASSED
    for found in lists:
        print(printable(found.uri))
        print(printable(f"  issuer   {found.issuer}"))
        print(f"  indices  {found.used:,} of {found.size:,} given out")
        print(f"  changes  {found.changes:,}")
    if not lists:
        print("no assertion has been issued: there is no list yet")
    return EXIT_PASSED


def run_suspend(args: argparse.Namespace) -> int:
    """Suspend assertions."""
    from api.assertions.status_list import Status

    return _change(args, Status.SUSPENDED)


def run_revoke(args: argparse.Namespace) -> int:
    """Revoke assertions."""
    from api.assertions.status_list import Status

    return _change(args, Status.INVALID)


def run_reinstate(args: argparse.Namespace) -> int:
    """Reinstate assertions."""
    from api.assertions.status_list import Status

    return _change(args, Status.VALID)


def run_close(args: argparse.Namespace) -> int:
    """Close the present lists: the next assertion opens a new one."""
    from api.status.allocation import StatusAllocation

    with server_database(Settings.from_environment(args.home)) as engine:
        closed = StatusAllocation(engine).close()
    if args.json:
        print_json({"closed": closed})
    else:
        print(f"lists closed: {closed}; they are served on")
    return EXIT_PASSED


def _change(args: argparse.Namespace, status: "Status") -> int:
    from api.status.errors import StatusFinalError

    who = args.by or _account()
    with _register(args) as statuses:
        references = _references(args, statuses)
        if len(references) > 1 and not args.all:
            raise InputUnusableError(
                f"that is {len(references)} assertions; look at them with `status show`, then say "
                "--all or name one"
            )
        final = 0
        for reference in references:
            try:
                statuses.change(reference, status, reason=args.reason, who=who)
            except StatusFinalError:
                if len(references) == 1:
                    raise
                # It must not keep the others from being suspended.
                final += 1
        if final:
            raise StatusFinalError(
                f"{final} of {len(references)} assertions are revoked for good; the others are "
                f"{status.name} now"
            )
        entries = [statuses.entry(reference) for reference in references]
    _print_entries(args, entries)
    return EXIT_PASSED


def _account() -> str:
    """Return the name of the account that runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        raise InputUnusableError("your account has no name: say --by who decides") from None


def _references(
    args: argparse.Namespace, statuses: "StatusRegister"
) -> "tuple[StatusReference, ...]":
    """Return the places that the arguments name; empty where they name none."""
    from api.assertions.status_list import StatusReference

    if (args.index is None) != (args.list is None):
        raise InputUnusableError("--list and --index go together")
    if args.audience is not None and args.dossier is None:
        raise InputUnusableError("--audience goes with --dossier")
    if args.list is not None:
        return (StatusReference(args.index, args.list),)
    if args.session is not None:
        return statuses.of_session(args.session)
    if args.jti is not None:
        return statuses.of_jti(args.jti)
    if args.dossier is not None:
        return statuses.of_dossier(args.dossier, args.audience)
    if args.assertion is not None:
        keys = Settings.from_environment(args.home).keys
        return (_of_assertion(args.assertion, keys, statuses),)
    return ()


def _of_assertion(path: Path, keys: Path, statuses: "StatusRegister") -> "StatusReference":
    """Return the place that an assertion of this server names: a forged one names anybody's.

    So may one that a thief of the key signed, as long as it is kept whose the place is.
    """
    from api.assertions import jws, sd_jwt
    from api.assertions.chain import check_issuer, load_roots
    from api.assertions.signing_path import PathMemory
    from api.assertions.status_list import StatusReference
    from api.keys.folder import ROOT

    token = sd_jwt.parse(one_line(read_input(path, 4 * sd_jwt.MAX_BYTES))).issued
    jws.check_algorithm(token.header)
    jws.check_type(token.header, sd_jwt.TYPE)
    roots = load_roots(read_input(keys / ROOT))
    issued_at = _issued_at(path, token.payload)
    signer = PathMemory().verify(jws.certificates(token.header), roots, issued_at)
    jws.verify(token, signer.signing_key)
    check_issuer(signer.leaf, token.payload.get("iss"))
    reference = StatusReference.from_payload(token.payload)
    if reference is None:
        raise InputUnusableError(f"{path} names no status list: it cannot be revoked")
    known = statuses.entry(reference).jti
    if known is not None and known != token.payload.get("jti"):
        raise InputUnusableError(
            f"{path} names the place of another assertion, which was issued here; this one was not"
        )
    return reference


def _issued_at(path: Path, payload: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(payload["iat"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise InputUnusableError(f"{path} does not say when it was issued") from None


@contextmanager
def _register(args: argparse.Namespace) -> "Iterator[StatusRegister]":
    from api.status.register import StatusRegister

    with server_database(Settings.from_environment(args.home)) as engine:
        yield StatusRegister(engine)


def _print_entries(args: argparse.Namespace, entries: "list[StatusEntry]") -> None:
    if args.json:
        print_json({"assertions": [_as_json(entry) for entry in entries]})
        return
    for entry in entries:
        print(f"{entry.status.name:9}  index {entry.reference.idx} of {entry.reference.uri}")
        if entry.session_id is not None:
            print(f"           session {entry.session_id}, jti {printable(entry.jti)}")
        for change in entry.changes:
            words = f"{change.previous.name} to {change.status.name}, {change.who}: {change.reason}"
            print(printable(f"           {change.at:%Y-%m-%d %H:%M:%SZ}  {words}"))


def _as_json(entry: "StatusEntry") -> dict[str, Any]:
    changes = [
        {**_plain(vars(c)), "previous": c.previous.name, "status": c.status.name}
        for c in entry.changes
    ]
    plain = _plain(vars(entry))
    reference = plain.pop("reference")
    return {**vars(reference), **plain, "status": entry.status.name, "changes": changes}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return times as text."""
    return {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in values.items()}


def _add_selectors(parser: argparse.ArgumentParser, *, required: bool) -> None:
    which = parser.add_argument_group("which assertion")
    one = which.add_mutually_exclusive_group(required=required)
    one.add_argument("--assertion", type=Path, metavar="FILE", help="the assertion itself")
    one.add_argument("--jti", type=_text, metavar="ID", help="its `jti`")
    one.add_argument("--session", type=_text, metavar="ID", help="the session it was issued for")
    one.add_argument("--dossier", type=_text, metavar="ID", help="all of a party's dossier")
    one.add_argument("--index", type=int, metavar="N", help="its place in --list")
    which.add_argument("--audience", type=_text, metavar="NAME", help="whose --dossier it is")
    which.add_argument("--list", type=_text, metavar="URI", help="the `uri` in the assertion")


def _text(argument: str) -> str:
    """Return an argument that is text, and not other bytes of a shell's."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("not text in UTF-8") from None
    return argument


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    words: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=words,
        description=f"{words[0].upper()}{words[1:]}.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--home", type=Path, help="the server's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)
    return parser
