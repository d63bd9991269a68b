"""The adapter around asn1crypto: its exceptions become ours, and its work is bounded."""

import re
from datetime import datetime
from types import TracebackType
from typing import Any

from devices.errors import DeviceError

MAX_ASN1_BYTES = 64 << 10
"""More than any SOD, key or certificate."""

# Tags and object identifiers go on while the high bit is set, and asn1crypto takes quadratic time
# for them. No real one comes near this length, and no name is so long without an ASCII character.
_ENDLESS = re.compile(rb"[\x80-\xff]{1024}")

# asn1crypto parses lazily, so malformed input surfaces as any of these, wherever a field is read.
_FOREIGN = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError),
    RecursionError,
)


class asn1_errors:  # noqa: N801 - reads as what it does, in a `with`
    """Raise `error` in place of what asn1crypto and `der` raise on malformed input."""

    # A class, since every verification enters it many times, and a generator costs thrice as much.
    __slots__ = ("_error",)

    def __init__(self, error: DeviceError) -> None:
        """Take what is raised instead."""
        self._error = error

    def __enter__(self) -> None:
        """Watch what follows."""

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        """Replace a foreign exception."""
        if kind is not None and issubclass(kind, _FOREIGN):
            raise self._error from None


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
