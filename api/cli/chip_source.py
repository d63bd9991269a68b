"""Where `chinhchu chip` gets its card and its password from."""

import argparse
import os
import sys
from getpass import getpass
from pathlib import Path

from api.errors import InputUnusableError
from devices.emrtd.lds.mrz import Can, MrzKey, Password
from devices.emrtd.terminal.access import AccessPolicy
from devices.transport import CardTransport


def open_card(reader: str | None, card: Path | None, wait_s: float) -> CardTransport:
    """Return the simulated card of a folder, or the card on a reader.

    Raises:
        DeviceError: there is no such reader or card.
    """
    if card is not None:
        from devices.simulator.card import SimulatedCard
        from devices.simulator.image import CardImage

        return SimulatedCard(CardImage.load(card))
    from devices.pcsc import connect

    return connect(reader, wait_s)


def password_of(
    args: argparse.Namespace, policy: AccessPolicy = AccessPolicy.PREFER_PACE
) -> Password:
    """Return the password that the arguments or the environment give, one that fits the policy.

    Raises:
        InputUnusableError: none is given, or the MRZ lacks a date.
        PasswordMalformedError: it cannot be one.
    """
    if args.mrz_document_number is not None:
        if args.date_of_birth is None or args.date_of_expiry is None:
            raise InputUnusableError(
                "the MRZ needs all of --mrz-document-number, --date-of-birth, --date-of-expiry"
            )
        number = _secret(args.mrz_document_number, "Document number")
        return MrzKey(number.upper(), args.date_of_birth, args.date_of_expiry)
    if args.can is not None:
        return Can(_secret(args.can, "CAN (six digits)"))
    if args.id_number is not None:
        return Can.from_id_number(_secret(args.id_number, "Personal identification number"))
    if args.photo is not None or args.camera is not None:
        return _scanned_password(args, policy)
    if can := os.environ.get("CHINHCHU_CAN"):
        return Can(can)
    if id_number := os.environ.get("CHINHCHU_ID_NUMBER"):
        return Can.from_id_number(id_number)
    raise InputUnusableError(
        "give the card's password: --can, --id-number, --photo, --camera, or "
        "--mrz-document-number with its dates"
    )


def _scanned_password(args: argparse.Namespace, policy: AccessPolicy) -> Password:
    """Return the CAN of the card in the picture, else its MRZ; for BAC its MRZ."""
    from api.cli.card_photos import scan_before_camera, scan_file

    if args.photo is not None:
        scan = scan_file(args.photo)
    else:
        scan = scan_before_camera(args.camera, args.wait)
    if policy is not AccessPolicy.BAC_ONLY:
        return scan.passwords[0]
    if scan.mrz is None:
        raise InputUnusableError("BAC needs the MRZ: photograph the side of the card that has it")
    return scan.mrz.key


def _secret(value: str, question: str) -> str:
    """Return the value, asked for where it is `-`."""
    if value != "-":
        return value
    try:
        answer = getpass(f"{question}: ") if sys.stdin.isatty() else sys.stdin.readline(64)
    except (EOFError, UnicodeDecodeError):
        raise InputUnusableError("no password was given") from None
    return answer.strip()
