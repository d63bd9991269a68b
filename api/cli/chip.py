"""`chinhchu chip`: look at a card, read it into evidence, verify the evidence."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from api.cli import chip_info, chip_read, chip_scan, chip_trace
from api.cli.argument_types import time_with_offset
from api.cli.card_arguments import challenge
from api.cli.output import EXIT_BY_OUTCOME, print_json, read_input

EPILOG = """\
examples:
  chinhchu chip info                                        readers, cards, what they offer
  chinhchu chip scan back.jpg                               what a photo of the card says
  chinhchu chip read --can - --out evidence.cbor            ask for the CAN, read the card
  chinhchu chip verify evidence.cbor --trust anchors        is the chip genuine?
  chinhchu chip trace --can - --out trace.jsonl             for a report: nothing personal in it
"""

EPILOG_VERIFY = """\
Nothing is fetched, and nothing that the terminal claims is believed. Without the challenges that
were given to the terminal, Active and Chip Authentication are not performed and the verdict is
INDETERMINATE.

examples:
  chinhchu chip verify evidence.cbor --trust anchors --challenge 8f3b0a1c22d4e596
  chinhchu chip verify evidence.cbor --trust anchors --challenge-file secret.json
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
    chip_info.register(actions)
    chip_read.register(actions)
    chip_scan.register(actions)
    chip_trace.register(actions)
    _register_verify(actions)


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
    asked = verify.add_mutually_exclusive_group()
    asked.add_argument(
        "--challenge",
        metavar="HEX",
        type=challenge,
        help="the challenge for Active Authentication that you had given",
    )
    asked.add_argument(
        "--challenge-file",
        metavar="FILE",
        type=Path,
        help="the challenges that `chip read --challenge-file` wrote",
    )
    verify.add_argument(
        "--at", metavar="TIME", type=time_with_offset, help="ISO 8601 with offset; now if not"
    )
    verify.add_argument("--show", action="store_true", help="show personal data too")
    verify.add_argument("--json", action="store_true", help="print one JSON document")
    verify.set_defaults(run=_run_verify)


def _run_verify(args: argparse.Namespace) -> int:
    from api.cli import chip_output
    from api.cli.chip_challenges import load_challenges
    from devices.emrtd.evidence import MAX_EVIDENCE_BYTES, ChipEvidence
    from devices.emrtd.trust.csca import TrustAnchors
    from devices.emrtd.verification.challenges import Challenges
    from devices.emrtd.verification.verifier import verify_evidence

    evidence = ChipEvidence.from_bytes(read_input(args.evidence, MAX_EVIDENCE_BYTES))
    file = args.challenge_file
    challenges = Challenges(args.challenge) if file is None else load_challenges(file)
    verdict = verify_evidence(
        evidence,
        TrustAnchors.from_directory(args.trust),
        challenge=challenges.aa,
        ca_challenge=challenges.ca,
        at=args.at or datetime.now(UTC),
    )
    if args.json:
        print_json(chip_output.verdict_as_json(verdict, show=args.show))
    else:
        chip_output.print_verdict(verdict, show=args.show)
    return EXIT_BY_OUTCOME[verdict.outcome]
