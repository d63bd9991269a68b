"""Files of an exact size, by filler in a place where readers expect any bytes."""

from collections.abc import Callable

from devices.simulator.errors import FileSizeError

_ATTEMPTS = 8


def fit(name: str, size: int, build: Callable[[int | None], bytes]) -> bytes:
    """Return a file of exactly `size` bytes.

    Args:
        name: of the file, for the message.
        size: wanted, bytes.
        build: makes the file with a filler of so many bytes, or without one.

    Raises:
        FileSizeError: the file is larger without filler, or no filler meets the size.
    """
    content = build(None)
    if len(content) == size:
        return content
    if len(content) > size:
        raise FileSizeError(f"{name} has at least {len(content)} bytes, more than {size}")
    filler = 0
    for _ in range(_ATTEMPTS):
        content = build(filler)
        if len(content) == size:
            return content
        filler += size - len(content)
        if filler < 0:
            break
    raise FileSizeError(f"{name} cannot be made exactly {size} bytes long")
