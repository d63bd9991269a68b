"""`chinhchu verify`: the relying party's check, offline."""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.argument_types import time_with_offset
from api.cli.output import EXIT_BY_OUTCOME, print_json, read_input

if TYPE_CHECKING:
    from api.assertions.policy_file import KnownPolicy
    from api.assertions.seen import SeenAssertions

MAX_DOCUMENT_BYTES = 1 << 30
MAX_LIST_BYTES = 16 << 20
LEVELS = ("basic", "substantial", "high")

EPILOG = """\
examples:
  chinhchu verify assertion.txt --document contract.pdf --root root.pem \\
      --audience notary-7 --nonce n-0S6_WzA2Mj --status-list status-list-1.jwt --seen accepted.db
  chinhchu verify assertion.txt --document a.pdf --document b.pdf --root root.pem \\
      --audience notary-7 --nonce n-0S6_WzA2Mj --level substantial --lang vi
  chinhchu verify assertion.txt --document a.pdf --root root.pem --audience notary-7 \\
      --nonce n-0S6_WzA2Mj --timestamp assertion.tst --timestamp-root tsa.pem --crl issuing-ca.crl

Nothing is fetched: roots, lists and the nonce come from your own records. What is not given is not
checked; where that is required the verdict is INDETERMINATE.

An assertion lives for minutes. Years later --timestamp proves when it existed, and everything is
judged for that time; --at only tells what held at a time that you know from elsewhere.

exit codes:
  0  PASSED: every required check is ok
  1  FAILED: do not rely on it
  2  wrong usage
  3  INDETERMINATE: not everything could be checked ("signature valid, status unknown" too)
  4  a file could not be read or is not what it must be; nothing was decided
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
        "--status-list",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a status list of the issuer; once for each, of several the newest counts",
    )
    parser.add_argument(
        "--crl",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a certificate revocation list of the issuer's CAs; once for each",
    )
    parser.add_argument(
        "--timestamp", type=Path, metavar="FILE", help="the timestamp token over the assertion"
    )
    parser.add_argument(
        "--timestamp-root",
        type=Path,
        action="append",
        default=[],
        metavar="CA.pem",
        help="the root certificate of the timestamp authority; once for each",
    )
    parser.add_argument(
        "--seen",
        type=Path,
        metavar="FILE",
        help="file that remembers what you accepted, so that nothing is accepted twice; made if "
        "it is not there",
    )
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
    from api.assertions.verification import Outcome
    from api.assertions.verifier import verify
    from api.assertions.vocabulary import AssuranceLevel
    from api.cli.verify_output import as_json, print_verification

    assertion = read_input(args.assertion, MAX_DOCUMENT_BYTES).strip()
    given = {
        "documents": [read_input(path, MAX_DOCUMENT_BYTES) for path in args.document],
        "roots": [read_input(path) for path in args.root],
        "audience": args.audience,
        "nonce": args.nonce,
        "at": args.at,
        "minimum_level": args.level and AssuranceLevel(args.level),
        "policies": [_policy(path) for path in args.policy] if args.policy else None,
        "status_lists": [read_input(path, MAX_LIST_BYTES).strip() for path in args.status_list],
        "crls": [read_input(path, MAX_LIST_BYTES) for path in args.crl],
        "timestamp": args.timestamp and read_input(args.timestamp, MAX_LIST_BYTES),
        "timestamp_roots": [read_input(path) for path in args.timestamp_root],
    }
    with _held(args.seen) as seen:
        verification = verify(assertion, **given, seen_jti=seen)
        if seen is not None and verification.outcome is Outcome.PASSED:
            assert verification.claims is not None
            seen.add(verification.claims["jti"])
    if args.json:
        print_json(as_json(verification))
    else:
        asked = args.at is not None
        print_verification(verification, load_messages(args.lang), time_asked=asked)
    return EXIT_BY_OUTCOME[verification.outcome]


def _policy(path: Path) -> "KnownPolicy":
    from api.assertions.policy_file import MAX_POLICY_BYTES, parse_policy

    return parse_policy(read_input(path, MAX_POLICY_BYTES))


@contextmanager
def _held(file: Path | None) -> "Iterator[SeenAssertions | None]":
    if file is None:
        yield None
        return
    from api.assertions.seen import SeenAssertions

    with SeenAssertions(file) as seen:
        yield seen


def _language(environment: Mapping[str, str]) -> str:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(variable):
            return "vi" if environment[variable].startswith("vi") else "en"
    return "en"
