"""Arguments, and types of arguments, that several commands take."""

import argparse
from datetime import UTC, datetime
from pathlib import Path


def add_pack(parser: argparse.ArgumentParser) -> None:
    """Let a command take models and comparisons beside the manifest's own."""
    parser.add_argument(
        "--pack", type=Path, metavar="FILE", help="a pack of further models and comparisons"
    )


def time_with_offset(text: str) -> datetime:
    """Return a time of ISO 8601 that says its offset from UTC.

    Raises:
        argparse.ArgumentTypeError: it is none, or has no offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not a time such as 2026-11-21T10:00:00+07:00") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("a time needs its offset, such as +07:00 or Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise argparse.ArgumentTypeError("beyond the years 1 to 9999 in UTC") from None
