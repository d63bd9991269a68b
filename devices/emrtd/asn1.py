"""The adapter around asn1crypto: its exceptions become ours, and its work is bounded."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from devices.errors import DeviceError

MAX_ASN1_BYTES = 64 << 10
"""More than any SOD, key or certificate."""

# Tags and object identifiers go on while the high bit is set, and asn1crypto takes quadratic time
# for them. No real one comes near this length, and no name is so long without an ASCII character.
_ENDLESS = re.compile(rb"[\x80-\xff]{1024}")

# asn1crypto parses lazily, so malformed input surfaces as any of these, wherever a field is read.
_FOREIGN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


@contextmanager
def asn1_errors(error: DeviceError) -> Iterator[None]:
    """Raise `error` in place of what asn1crypto raises on malformed input."""
    try:
        yield
    except (*_FOREIGN, RecursionError):
        raise error from None


def load_asn1(kind: Any, data: bytes) -> Any:
    """Return the asn1crypto object of `kind` that `data` is; call it inside `asn1_errors`.

    Raises:
        ValueError: it is longer than 64 KiB, holds a tag or number without end, is malformed, or
            something follows it.
    """
    if len(data) > MAX_ASN1_BYTES or _ENDLESS.search(data):
        raise ValueError("too long")
    return kind.load(data, strict=True)


def parse_time(native: object) -> datetime:
    """Return a time with its zone; call it inside `asn1_errors`.

    Raises:
        ValueError: it has no time zone, or is a year that Python does not count.
    """
    if not isinstance(native, datetime) or native.tzinfo is None:
        raise ValueError("not a time")
    return native
