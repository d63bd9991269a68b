"""`chinhchu chip scan`: what the photo of a card says, before its chip is read."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.card_arguments import camera_number, seconds
from api.cli.output import EXIT_PASSED, print_json, printable

if TYPE_CHECKING:
    from devices.card_scan import CardScan

EPILOG = """\
Reads the QR code and the machine-readable zone (MRZ), whichever the photo shows. Check digits
decide: what is not read for certain is refused. `chip read --photo` reads the same and opens the
chip with it.

examples:
  chinhchu chip scan back.jpg                 what was found, nothing personal
  chinhchu chip scan front.jpg --show         what it says
  chinhchu chip scan back.jpg --json
  chinhchu chip scan --camera 0               the first camera, until it sees a card

exit codes:
  0  something was read      4  nothing was, or not for certain
"""


def register(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the group `chip`."""
    scan = actions.add_parser(
        "scan",
        help="read the QR code and the MRZ of a card, by photo or camera",
        description="Read the QR code and the machine-readable zone of a card, by photo or camera.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = scan.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "photo", metavar="PHOTO", type=Path, nargs="?", help="a photo of either side"
    )
    source.add_argument(
        "--camera", metavar="NUMBER", type=camera_number, help="hold the card before this camera"
    )
    scan.add_argument(
        "--wait", metavar="SECONDS", type=seconds, default=30.0, help="at the camera (%(default)s)"
    )
    scan.add_argument("--show", action="store_true", help="show personal data too, unverified")
    scan.add_argument("--json", action="store_true", help="print one JSON document")
    scan.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from api.cli.card_photos import scan_before_camera, scan_file

    scan = scan_file(args.photo) if args.photo else scan_before_camera(args.camera, args.wait)
    found = _found(scan, show=args.show)
    if args.json:
        print_json(found)
    else:
        _print(found)
    return EXIT_PASSED


def _found(scan: "CardScan", *, show: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "qr": scan.qr is not None,
        "mrz": scan.mrz and {"format": scan.mrz.format, "issuer": scan.mrz.issuer},
        "passwords": [password.kind for password in scan.passwords],
        "lacks": [error.code for error in scan.lacks],
    }
    if show:
        found["unverified"] = _contents(scan)
    return found


def _contents(scan: "CardScan") -> dict[str, Any]:
    qr, mrz = scan.qr, scan.mrz
    return {
        "id_number": scan.id_number,
        "document_number": mrz and mrz.document_number,
        "name": qr and qr.name,
        "date_of_birth": qr.date_of_birth.isoformat() if qr else mrz and mrz.date_of_birth,
        "sex": qr.sex if qr else mrz and mrz.sex,
        "date_of_issue": qr and qr.date_of_issue.isoformat(),
        "date_of_expiry": mrz and mrz.date_of_expiry,
        "address": qr and qr.address,
        "old_number": qr and qr.old_number,
    }


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    mrz = found["mrz"]
    table = Table(show_header=False)
    table.add_row("QR code", "read" if found["qr"] else "not read")
    table.add_row("MRZ", f"read ({mrz['format']}, {mrz['issuer']})" if mrz else "not read")
    table.add_row("opens the chip", ", ".join(found["passwords"]))
    if found["lacks"]:
        table.add_row("not read, because", ", ".join(found["lacks"]))
    for name, value in found.get("unverified", {}).items():
        if value is not None:
            table.add_row(name.replace("_", " "), Text(printable(value)))
    Console(markup=False, highlight=False).print(table)
