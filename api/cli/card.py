"""`chinhchu card`: make a specimen card and lay it on a virtual reader."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.card_run import register_run
from api.cli.output import EXIT_PASSED, print_json, read_input
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from devices.simulator.image import CardImage
    from devices.simulator.pki import TestPki
    from devices.simulator.profile import CardProfile

EPILOG = """\
examples:
  chinhchu card new --portrait face.jpg --out card    the shipped specimen, with a portrait
  chinhchu card profiles                              the shipped kinds of cards
  chinhchu card new --profile pace-cam --out card     one of them
  chinhchu card new child.toml --out card             a card of your own profile
  chinhchu card show card --show                      what is on it, and what opens it
  chinhchu card run card                              lay it on the system's virtual reader
"""

EPILOG_NEW = """\
The specimen's access number (CAN) is 123456: the last six digits of its invented number; `card show
DIR --show` tells what opens any other card. A profile of your own starts as a copy of the shipped
one:

  chinhchu card new --print-profile > mine.toml
  chinhchu card new mine.toml --portrait face.jpg --out card

Several cards of one issuer share a CSCA, whose key stays in a folder:

  chinhchu card new --profile pace-im --pki pki --out first
  chinhchu card new --profile pace-dh --pki pki --out second

DIR/trust then holds the test CSCA's certificate, to be given to the reader as its trust anchor.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group to the command line."""
    group = commands.add_parser(
        "card",
        help="make a specimen citizen card in software and run it",
        description="A software citizen card: chip files, keys and protocols of an invented "
        "person, signed by a test CSCA.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    _register_new(actions)
    register_run(actions)
    profiles = actions.add_parser(
        "profiles",
        help="list the shipped profiles",
        description="List the profiles that `card new --profile` knows.",
        epilog="examples:\n  chinhchu card profiles\n  chinhchu card profiles --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    profiles.add_argument("--json", action="store_true", help="print JSON")
    profiles.set_defaults(run=_profiles)
    show = actions.add_parser(
        "show",
        help="say what is on a card",
        description="List files, protocols and signer of a card; nothing personal, no key.",
        epilog="examples:\n  chinhchu card show card\n  chinhchu card show card --show --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    show.add_argument("card", metavar="DIR", type=Path, help="folder that `card new` made")
    show.add_argument("--show", action="store_true", help="show what opens it too: CAN and MRZ")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=_show)


def _register_new(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    new = actions.add_parser(
        "new",
        help="personalise a card",
        description="Make a card: build and sign its files, make the chip's keys and a test CSCA.",
        epilog=EPILOG_NEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    profile = new.add_mutually_exclusive_group()
    profile.add_argument(
        "file",
        metavar="PROFILE.toml",
        type=Path,
        nargs="?",
        help="who and what the card is (default: the shipped specimen, which needs --portrait)",
    )
    profile.add_argument("--profile", metavar="NAME", help="a shipped profile: see `card profiles`")
    target = new.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", metavar="DIR", type=Path, help="folder of the card")
    target.add_argument("--print-profile", action="store_true", help="print the shipped profile")
    new.add_argument(
        "--portrait",
        metavar="PICTURE",
        type=Path,
        help="picture of the holder, any usual format; without one the card has no DG2",
    )
    new.add_argument(
        "--pki",
        metavar="DIR",
        type=Path,
        help="folder of a test CSCA, made if need be, that shall sign (default: a fresh one)",
    )
    new.add_argument("--json", action="store_true", help="print JSON")
    new.set_defaults(run=_new)


def _new(args: argparse.Namespace) -> int:
    from devices.simulator.personalise import personalise
    from devices.simulator.profile import SPECIMEN, load_profile
    from devices.simulator.shipped_profiles import shipped_profile

    if args.print_profile:
        path = SPECIMEN if args.profile is None else shipped_profile(args.profile)
        print(path.read_text("utf-8"), end="")
        return EXIT_PASSED
    if args.file is None and args.profile is None and args.portrait is None:
        raise InputUnusableError("The shipped specimen needs a picture: give --portrait PICTURE.")
    path = args.file or (SPECIMEN if args.profile is None else shipped_profile(args.profile))
    profile = load_profile(path)
    portrait = None if args.portrait is None else read_input(args.portrait)
    image = personalise(profile, portrait=portrait, pki=_pki(args.pki, profile))
    image.save(args.out)
    if args.json:
        print_json({"card": str(args.out), "trust": str(args.out / "trust")} | _describe(image))
        return EXIT_PASSED
    _print_card(args.out, image)
    if "EF.DG2" not in image.files:
        print("No portrait was given: the card has no DG2, and no face can be compared with it.")
    print(f"The reader's trust anchor is in {args.out / 'trust'}.")
    return EXIT_PASSED


def _pki(folder: Path | None, profile: "CardProfile") -> "TestPki | None":
    """Return a document signer of the CSCA that the folder keeps, None without a folder."""
    from devices.simulator.pki_store import keep_csca

    if folder is None:
        return None
    signers = profile.signers
    return keep_csca(folder, signers).issue(
        signers.dsc,
        document_type=profile.document.document_code.rstrip("<"),
        digest=signers.digest,
        rsa_padding=signers.rsa_padding,
    )


def _profiles(args: argparse.Namespace) -> int:
    from devices.simulator.shipped_profiles import shipped_profiles

    profiles = shipped_profiles()
    if args.json:
        print_json(profiles)
        return EXIT_PASSED
    from rich.console import Console
    from rich.table import Table

    table = Table("profile", "card")
    for name, line in profiles.items():
        table.add_row(name, line)
    Console(markup=False).print(table)
    return EXIT_PASSED


def _show(args: argparse.Namespace) -> int:
    from devices.simulator.image import CardImage

    image = CardImage.load(args.card)
    passwords = _passwords(image) if args.show else {}
    if args.json:
        print_json({"card": str(args.card)} | _describe(image) | passwords)
    else:
        _print_card(args.card, image, passwords)
    return EXIT_PASSED


def _passwords(image: "CardImage") -> dict[str, str]:
    """Return what opens the card, by the names of the arguments of `chip read`.

    Source: Doc 9303-11, 4.3.2: the MRZ information ends in birth and expiry, each with its digit.
    """
    mrz = image.behaviour.mrz_information
    can = {"can": image.behaviour.can} if image.behaviour.can else {}
    return can | {
        "mrz_document_number": mrz[:-15],
        "date_of_birth": mrz[-14:-8],
        "date_of_expiry": mrz[-7:-1],
    }


def _describe(image: "CardImage") -> dict[str, Any]:
    """Return what is on a card, without anything personal or secret."""
    from devices.simulator.keys import load_key, type_of
    from devices.simulator.pki import fingerprint

    behaviour = image.behaviour
    return {
        "files": {name: len(content) for name, content in sorted(image.files.items())},
        "access": list(behaviour.access),
        "active_authentication": type_of(load_key(image.aa_key)) if image.aa_key else "none",
        "pace": [
            f"{offer.mapping} {offer.cipher} parameter {offer.parameter_id}"
            for offer in behaviour.pace
        ],
        "chip_authentication": [
            f"{cipher} parameter {key.parameter_id}"
            for key in behaviour.chip_authentication
            for cipher in key.ciphers
        ],
        "extended_length": behaviour.extended_length,
        "max_read_bytes": behaviour.max_read_bytes,
        "quirks": list(behaviour.quirks),
        "csca_sha256": fingerprint(image.csca),
    }


def _print_card(folder: Path, image: "CardImage", passwords: dict[str, str] | None = None) -> None:
    from rich.console import Console
    from rich.table import Table

    described = _describe(image) | (passwords or {})
    table = Table("what", title=f"card {folder}", title_justify="left")
    table.add_column("value", overflow="fold")
    for name, size in described.pop("files").items():
        table.add_row(name, f"{size} bytes")
    for what, value in described.items():
        text = ", ".join(value) or "none" if isinstance(value, list) else str(value)
        table.add_row(what.replace("_", " "), text)
    Console(markup=False).print(table)
