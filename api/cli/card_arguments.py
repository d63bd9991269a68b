"""The arguments that say where a card is and how it opens."""

import argparse
import re
from pathlib import Path

from api.cli.output import number_between


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the card is."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--reader", metavar="NAME", help="reader, or a part of its name")
    source.add_argument("--card", metavar="DIR", type=Path, help="a simulated card, in process")


def add_card_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the card is, and its password."""
    password = parser.add_mutually_exclusive_group()
    password.add_argument("--can", metavar="DIGITS", help="card access number, or - to be asked")
    password.add_argument(
        "--id-number", metavar="DIGITS", help="twelve-digit number that ends in the CAN, or -"
    )
    password.add_argument(
        "--photo", metavar="FILE", type=Path, help="photo of the card: its QR code or its MRZ"
    )
    password.add_argument(
        "--camera", metavar="NUMBER", type=camera_number, help="hold the card before this camera"
    )
    password.add_argument(
        "--mrz-document-number", metavar="NUMBER", help="document number of the MRZ, or -"
    )
    parser.add_argument("--date-of-birth", metavar="DATE", type=_mrz_date, help="with the MRZ")
    parser.add_argument("--date-of-expiry", metavar="DATE", type=_mrz_date, help="with the MRZ")
    add_source_arguments(parser)
    parser.add_argument(
        "--wait", metavar="SECONDS", type=seconds, default=30.0, help="for a card (%(default)s)"
    )


def camera_number(text: str) -> int:
    """Return the number of a camera, from 0."""
    return int(number_between(text, 0, 99))


def seconds(text: str) -> float:
    """Return how long to wait."""
    return number_between(text, 0, 3600)


def _mrz_date(text: str) -> str:
    """Return YYMMDD for YYMMDD or an ISO date; `00` and `<<` stand for what is unknown."""
    match = re.fullmatch(r"[0-9]{2}([0-9]{2})-([0-9]{2})-([0-9]{2})", text)
    date = "".join(match.groups()) if match else text
    # A typing error shall not cost a try of the password.
    if not re.fullmatch(r"([0-9]{2}|<<)(0[0-9]|1[0-2]|<<)([0-2][0-9]|3[01]|<<)", date):
        raise argparse.ArgumentTypeError("not a date such as 1990-05-20 or 900520")
    return date


def challenge(text: str) -> bytes:
    """Return the eight bytes that an argument gives for the chip to sign."""
    if not re.fullmatch(r"[0-9a-fA-F]{16}", text):
        raise argparse.ArgumentTypeError("a challenge is eight bytes: 16 hexadecimal digits")
    return bytes.fromhex(text)


def data_groups(text: str) -> tuple[int, ...]:
    """Return the data group numbers that an argument lists."""
    if not re.fullmatch(r"[0-9]{1,2}(,[0-9]{1,2}){0,15}", text):
        raise argparse.ArgumentTypeError("not a list of numbers such as 1,2,13")
    return tuple(int(number) for number in text.split(","))


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what of a card is read, and how it is opened."""
    parser.add_argument(
        "--data-groups",
        metavar="N,N,…",
        type=data_groups,
        help="data groups to read where the chip has them (1,2,13,14,15)",
    )
    parser.add_argument(
        "--challenge", metavar="HEX", type=challenge, help="eight bytes for the chip to sign"
    )
    parser.add_argument(
        "--policy",
        choices=["prefer_pace", "require_pace", "bac_only"],
        default="prefer_pace",
        help="access protocol: BAC where PACE is offered is recorded as a downgrade (prefer_pace)",
    )
    parser.add_argument(
        "--last-try",
        action="store_true",
        help="use the password although the card says that one try is left before it blocks",
    )
