"""Hash and decode each file on the host while the card sends the next one.

What comes out is a notice to whoever stands at the reader; nothing here decides about the chip.
"""

import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from devices.emrtd.lds import PARSERS
from devices.emrtd.lds.sod import Sod
from devices.errors import DeviceError


@dataclass(frozen=True)
class FileReading:
    """One file as it was read."""

    name: str
    """`EF.CardAccess`, `EF.SOD`, `EF.DG1` …"""
    size_bytes: int
    time_ms: int
    """How long reading it took; 0 where an earlier reading brought it."""
    hash_matches: bool | None
    """Whether it has the hash that EF.SOD lists; None for a file that EF.SOD does not cover."""
    parsed: object | None = field(repr=False)
    """What the file holds, of the type that its parser returns; None if it has no parser here."""
    error: DeviceError | None
    """Why it could not be parsed; None if it could."""


FileListener = Callable[[FileReading], None]


class FileDecoder:
    """Decodes files on a thread of its own, in the order in which they come."""

    def __init__(self, listener: FileListener | None) -> None:
        """Take who is told of each file, on the thread that calls `submit` and `finish`."""
        self._listener = listener
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chip-files")
        self._pending: list[Future[FileReading]] = []
        self._sod: Sod | None = None

    def submit(self, name: str, data: bytes, time_ms: int) -> "Future[FileReading]":
        """Take a file, tell of those that are done, and return what will come of this one."""
        future = self._worker.submit(self._decode, name, data, time_ms)
        self._pending.append(future)
        while self._pending and self._pending[0].done():
            self._tell(self._pending.pop(0))
        return future

    def finish(self) -> None:
        """Wait for all files and tell of them."""
        for future in self._pending:
            self._tell(future)
        self._pending = []

    def close(self) -> None:
        """Drop what is not begun and wait for the rest."""
        self._worker.shutdown(cancel_futures=True)

    def _tell(self, future: "Future[FileReading]") -> None:
        reading = future.result()
        if self._listener is not None:
            self._listener(reading)

    def _decode(self, name: str, data: bytes, time_ms: int) -> FileReading:
        parsed, error = None, None
        try:
            if name in PARSERS:
                parsed = PARSERS[name](data)
        except DeviceError as fault:
            error = fault
        if isinstance(parsed, Sod):
            self._sod = parsed
        return FileReading(name, len(data), time_ms, self._matches(name, data), parsed, error)

    def _matches(self, name: str, data: bytes) -> bool | None:
        number = name.removeprefix("EF.DG")
        if self._sod is None or not number.isdigit() or int(number) not in self._sod.hashes:
            return None
        found = hashlib.new(self._sod.hash_name, data, usedforsecurity=False).digest()
        return hmac.compare_digest(found, self._sod.hashes[int(number)])
