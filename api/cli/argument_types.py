"""Types of arguments that several commands take."""

import argparse
from datetime import datetime


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
    return moment
