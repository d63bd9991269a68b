"""`chinhchu chip read`: read a card into an evidence file."""

import argparse
from pathlib import Path

from api.cli.card_arguments import add_card_arguments, add_reading_arguments
from api.cli.output import EXIT_PASSED, print_json

EPILOG = """\
The CAN is the last six digits of the twelve-digit number. `-` as a value asks for it without
showing it; the environment variables CHINHCHU_CAN and CHINHCHU_ID_NUMBER keep it out of the
process list. A wrong CAN or MRZ is never tried twice.

A card that is taken away too early can be placed again: the reading goes on where it was. The
hashes in the table are compared with what the chip says of itself; whether the chip is genuine is
for `chip verify`.

examples:
  chinhchu chip read --can - --out evidence.cbor
  chinhchu chip read --photo back.jpg --out evidence.cbor   a photo of the card saves typing
  chinhchu chip read --id-number 001190123456 --challenge 8f3b0a1c22d4e596 --out evidence.cbor
  chinhchu chip read --mrz-document-number 190123456 --date-of-birth 1990-05-20 \\
      --date-of-expiry 2030-05-20
  chinhchu chip read --can - --challenge-file secret.json --out evidence.cbor
  chinhchu chip read --card card --can 123456 --json        a simulated card's folder
"""


def register(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action to the group."""
    read = actions.add_parser(
        "read",
        help="read a card into an evidence file",
        description="Open the chip by PACE (or BAC where it offers no PACE) and read its files.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_card_arguments(read)
    read.add_argument("--json", action="store_true", help="print one JSON document")
    add_reading_arguments(read)
    read.add_argument(
        "--challenge-file",
        metavar="FILE",
        type=Path,
        help="be the verifier too: challenge the chip by Active and Chip Authentication, and write "
        "here, for `chip verify`, what nobody else may see",
    )
    read.add_argument("--out", metavar="FILE", type=Path, help="write the evidence here")
    read.add_argument("--show", action="store_true", help="show personal data too, unverified")
    read.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from api.cli import chip_read_output
    from api.cli.chip_challenges import Challenger, write_secret
    from api.cli.chip_session import read_card
    from api.cli.chip_source import password_of
    from api.errors import InputUnusableError
    from devices.emrtd.terminal.access import AccessPolicy

    password = password_of(args, AccessPolicy(args.policy))
    challenger = None if args.challenge_file is None else Challenger()
    if challenger is not None and args.challenge is not None:
        raise InputUnusableError("--challenge-file makes challenges of its own: no --challenge")
    with chip_read_output.progress(enabled=not args.json) as listener:
        evidence, files = read_card(args, password, listener, challenger=challenger)
    if args.out is not None:
        # It holds personal data.
        write_secret(args.out, evidence.to_bytes())
    if challenger is not None:
        write_secret(args.challenge_file, challenger.challenges.to_bytes())
    if args.json:
        print_json(chip_read_output.as_json(evidence, files, args.out, show=args.show))
    else:
        chip_read_output.print_reading(evidence, files, args.out, show=args.show)
    return EXIT_PASSED
