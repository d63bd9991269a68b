"""The adapter around asn1crypto: its exceptions become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from devices.errors import DeviceError

# asn1crypto parses lazily, so malformed input surfaces as any of these, wherever a field is read.
_FOREIGN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


@contextmanager
def asn1_errors(error: DeviceError) -> Iterator[None]:
    """Raise `error` in place of what asn1crypto raises on malformed input."""
    try:
        yield
    except (*_FOREIGN, RecursionError):
        raise error from None
