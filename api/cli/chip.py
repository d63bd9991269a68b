"""`chinhchu chip`: look at a card, read it into evidence, verify the evidence."""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.card_arguments import add_card_arguments, add_source_arguments
from api.cli.output import EXIT_BY_OUTCOME, EXIT_PASSED, print_json, read_input

if TYPE_CHECKING:
    from devices.emrtd.evidence import ChipEvidence

EPILOG = """\
examples:
  chinhchu chip info                                        readers, cards, what they offer
  chinhchu chip read --can - --out evidence.cbor            ask for the CAN, read the card
  chinhchu chip verify evidence.cbor --trust anchors        is the chip genuine?
"""

EPILOG_INFO = """\
Nothing personal is read: only EF.CardAccess, which every reader may see.

examples:
  chinhchu chip info
  chinhchu chip info --reader ACR1252 --json
  chinhchu chip info --card card                            a simulated card's folder
"""

EPILOG_READ = """\
The CAN is the last six digits of the twelve-digit number. `-` as a value asks for it without
showing it; the environment variables CHINHCHU_CAN and CHINHCHU_ID_NUMBER keep it out of the
process list. A wrong CAN or MRZ is never tried twice.

examples:
  chinhchu chip read --can - --out evidence.cbor
  chinhchu chip read --qr front.jpg --out evidence.cbor     a photo of the card saves typing
  chinhchu chip read --id-number 001190123456 --challenge 8f3b0a1c22d4e596 --out evidence.cbor
  chinhchu chip read --mrz-document-number 190123456 --date-of-birth 1990-05-20 \\
      --date-of-expiry 2030-05-20
  chinhchu chip read --card card --can 123456 --json        a simulated card's folder
"""

EPILOG_VERIFY = """\
Nothing is fetched, and nothing that the terminal claims is believed. Without the challenge that
was given to the terminal, Active Authentication is not performed and the verdict INDETERMINATE.

examples:
  chinhchu chip verify evidence.cbor --trust anchors --challenge 8f3b0a1c22d4e596
  chinhchu chip verify evidence.cbor --trust anchors --at 2026-11-21T10:00:00+07:00 --json

exit codes:
  0  PASSED      1  FAILED      3  INDETERMINATE      4  a file could not be read
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group to the command line."""
    group = commands.add_parser(
        "chip",
        help="read a citizen card's chip and verify what was read",
        description="Read the chip of a citizen card or passport, and verify what was read.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    _register_info(actions)
    _register_read(actions)
    _register_verify(actions)


def _register_info(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    info = actions.add_parser(
        "info",
        help="list readers and what their cards offer",
        description="List the readers, the answer to reset of their cards, and the protocols "
        "that EF.CardAccess offers.",
        epilog=EPILOG_INFO,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source_arguments(info)
    info.add_argument("--json", action="store_true", help="print one JSON document")
    info.set_defaults(run=_run_info)


def _register_read(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    read = actions.add_parser(
        "read",
        help="read a card into an evidence file",
        description="Open the chip by PACE (or BAC where it offers no PACE) and read its files.",
        epilog=EPILOG_READ,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_card_arguments(read)
    read.add_argument("--json", action="store_true", help="print one JSON document")
    read.add_argument(
        "--data-groups",
        metavar="N,N,…",
        type=_data_groups,
        help="data groups to read where the chip has them (1,2,13,14,15)",
    )
    read.add_argument(
        "--challenge", metavar="HEX", type=_challenge, help="eight bytes for the chip to sign"
    )
    read.add_argument(
        "--policy",
        choices=["prefer_pace", "require_pace", "bac_only"],
        default="prefer_pace",
        help="access protocol: BAC where PACE is offered is recorded as a downgrade (prefer_pace)",
    )
    read.add_argument("--out", metavar="FILE", type=Path, help="write the evidence here")
    read.add_argument("--show", action="store_true", help="show personal data too, unverified")
    read.set_defaults(run=_run_read)


def _register_verify(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verify = actions.add_parser(
        "verify",
        help="verify an evidence file",
        description="Verify evidence against the trust anchors of a folder, offline.",
        epilog=EPILOG_VERIFY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("evidence", metavar="EVIDENCE", type=Path, help="what `chip read` wrote")
    verify.add_argument(
        "--trust",
        metavar="DIR",
        type=Path,
        required=True,
        help="trust store (see `chinhchu trust`), or a folder of certificates and CRLs",
    )
    verify.add_argument(
        "--challenge", metavar="HEX", type=_challenge, help="the challenge that you had given"
    )
    verify.add_argument("--at", metavar="TIME", type=_time, help="ISO 8601 with offset; now if not")
    verify.add_argument("--show", action="store_true", help="show personal data too")
    verify.add_argument("--json", action="store_true", help="print one JSON document")
    verify.set_defaults(run=_run_verify)


def _run_info(args: argparse.Namespace) -> int:
    from api.cli import chip_output
    from api.cli.chip_source import describe_cards

    cards = describe_cards(args.reader, args.card)
    if args.json:
        print_json({"readers": cards})
    else:
        chip_output.print_cards(cards)
    return EXIT_PASSED


def _run_read(args: argparse.Namespace) -> int:
    from api.cli import chip_output
    from api.cli.chip_source import open_card, password_of
    from devices.emrtd.access import AccessPolicy
    from devices.emrtd.reader import DEFAULT_DATA_GROUPS, read_chip

    password = password_of(args)
    transport = open_card(args.reader, args.card, args.wait)
    try:
        with chip_output.progress(enabled=not args.json) as listener:
            evidence = read_chip(
                transport,
                password,
                data_groups=args.data_groups or DEFAULT_DATA_GROUPS,
                challenge=args.challenge,
                agent=_agent(),
                progress=listener,
                policy=AccessPolicy(args.policy),
            )
    finally:
        transport.close()
    if args.out is not None:
        _write_evidence(args.out, evidence)
    if args.json:
        print_json(chip_output.evidence_as_json(evidence, args.out, show=args.show))
    else:
        chip_output.print_evidence(evidence, args.out, show=args.show)
    return EXIT_PASSED


def _run_verify(args: argparse.Namespace) -> int:
    from api.cli import chip_output
    from devices.emrtd.csca import TrustAnchors
    from devices.emrtd.evidence import MAX_EVIDENCE_BYTES, ChipEvidence
    from devices.emrtd.verifier import verify_evidence

    evidence = ChipEvidence.from_bytes(read_input(args.evidence, MAX_EVIDENCE_BYTES))
    verdict = verify_evidence(
        evidence,
        TrustAnchors.from_directory(args.trust),
        challenge=args.challenge,
        at=args.at or datetime.now(UTC),
    )
    if args.json:
        print_json(chip_output.verdict_as_json(verdict, show=args.show))
    else:
        chip_output.print_verdict(verdict, show=args.show)
    return EXIT_BY_OUTCOME[verdict.outcome]


def _write_evidence(path: Path, evidence: "ChipEvidence") -> None:
    """Write the evidence, readable by its owner alone: it holds personal data."""
    from api.errors import InputUnusableError

    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_bytes(evidence.to_bytes())
    except OSError as error:
        raise InputUnusableError(f"{path}: {error.strerror or 'cannot be written'}") from None


def _agent() -> str:
    from importlib import metadata

    return f"chinhchu {metadata.version('chinhchu')}"


def _challenge(text: str) -> bytes:
    if not re.fullmatch(r"[0-9a-fA-F]{16}", text):
        raise argparse.ArgumentTypeError("a challenge is eight bytes: 16 hexadecimal digits")
    return bytes.fromhex(text)


def _data_groups(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]{1,2}(,[0-9]{1,2}){0,15}", text):
        raise argparse.ArgumentTypeError("not a list of numbers such as 1,2,13")
    return tuple(int(number) for number in text.split(","))


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not a time such as 2026-11-21T10:00:00+07:00") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("a time needs its offset, such as +07:00 or Z")
    return moment
