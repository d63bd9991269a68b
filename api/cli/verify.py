"""`chinhchu verify`: the relying party's check, offline."""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.argument_types import time_with_offset
from api.cli.output import EXIT_BY_OUTCOME, one_line, print_json, read_input
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from api.assertions.policy_file import KnownPolicy
    from api.assertions.seen import SeenAssertions
    from api.assertions.verification import Verification
    from api.pdf.verification import PdfVerification

PDF_HEADER = b"%PDF-"
MAX_SUBJECT_BYTES = 128 << 20
"""As large as a PDF that carries its assertion may be."""
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
  chinhchu verify signed.pdf --root root.pem --audience notary-7 --nonce n-0S6_WzA2Mj \\
      --timestamp-root tsa.pem --signature-root notaries.pem
  chinhchu verify two-parties.pdf --root root.pem --audience notary-7 --nonce n-0S6_WzA2Mj \\
      --nonce n-7aQ_ZkB9Xv --timestamp-root tsa.pem --signature-root notaries.pem

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
    parser.add_argument(
        "assertion",
        type=Path,
        metavar="ASSERTION",
        help="file with the assertion, or PDF that carries it",
    )
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
    parser.add_argument(
        "--nonce",
        action="append",
        metavar="NONCE",
        help="the nonce that you gave for the session; of a PDF with several assertions once for "
        "each, in any order",
    )
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
        help="a certificate revocation list of the issuer's CAs, of the timestamp authority's, and "
        "of those who sign a PDF; once for each",
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
        "--signature-root",
        type=Path,
        action="append",
        default=[],
        metavar="CA.pem",
        help="of a PDF: the root certificate of those who sign it (notary, organisation); once "
        "for each",
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
    from api.assertions.verification import Outcome, Verification
    from api.cli.verify_output import as_json, print_verification

    with _held(args.seen) as seen:
        found = _verify(args, seen)
        if seen is not None and found.outcome is Outcome.PASSED:
            for judged in [found] if isinstance(found, Verification) else found.assertions:
                assert judged.claims is not None
                seen.add(judged.claims["iss"], judged.claims["jti"])
    if args.json:
        print_json(as_json(found))
    else:
        asked = args.at is not None
        print_verification(found, load_messages(args.lang), time_asked=asked)
    return EXIT_BY_OUTCOME[found.outcome]


def _verify(
    args: argparse.Namespace, seen: "SeenAssertions | None"
) -> "Verification | PdfVerification":
    from api.assertions.verifier import verify
    from api.assertions.vocabulary import AssuranceLevel

    subject = read_input(args.assertion, MAX_SUBJECT_BYTES)
    given: dict[str, Any] = {
        "documents": [read_input(path, MAX_DOCUMENT_BYTES) for path in args.document],
        "roots": [read_input(path) for path in args.root],
        "audience": args.audience,
        "at": args.at,
        "minimum_level": args.level and AssuranceLevel(args.level),
        "policies": [_policy(path) for path in args.policy] if args.policy else None,
        "seen_jti": seen,
        "status_lists": [one_line(read_input(path, MAX_LIST_BYTES)) for path in args.status_list],
        "crls": [read_input(path, MAX_LIST_BYTES) for path in args.crl],
        "timestamp_roots": [read_input(path) for path in args.timestamp_root],
    }
    if subject.startswith(PDF_HEADER):
        if args.timestamp is not None:
            raise InputUnusableError("a PDF carries its timestamp itself: leave --timestamp out")
        roots = [read_input(path) for path in args.signature_root]
        return _verify_pdf()(subject, **given, nonce=args.nonce, signature_roots=roots)
    if args.signature_root:
        raise InputUnusableError("--signature-root is for a PDF that carries its assertion")
    nonce, *others = args.nonce or [None]
    if others:
        raise InputUnusableError("one assertion has one nonce: give --nonce once")
    token = args.timestamp and read_input(args.timestamp, MAX_LIST_BYTES)
    return verify(one_line(subject), **given, nonce=nonce, timestamp=token)


def _verify_pdf() -> "Callable[..., PdfVerification]":
    """Import the verifier of PDF files only for a PDF: assertions are verified without pyHanko."""
    try:
        from api.pdf.verification import verify_pdf
    except ImportError:
        from api.pdf.errors import PdfExtraMissingError

        raise PdfExtraMissingError(
            "a PDF is read with pyHanko, which is not installed: python -m pip install pyHanko"
        ) from None
    return verify_pdf


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
