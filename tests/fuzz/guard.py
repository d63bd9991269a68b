"""What a parser is held to, call by call: our errors only, and little memory."""

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

from biometrics.errors import BiometricsError
from devices.errors import DeviceError

WARM_UP_CALLS = 100


class MemoryGrewError(Exception):
    """A parser made the process larger than it may."""


class Guard:
    """Calls a parser and adds up what its calls add to the process's peak memory.

    Growth between calls belongs to the fuzzer and its corpus, and that of the first hundred calls
    to what Python loads on first use; neither is counted.
    """

    def __init__(
        self, parse: Callable[[bytes], Any], max_growth_mb: float, record: Path | None = None
    ) -> None:
        """Take the parser, its limit and a file that is told the growth in KiB."""
        self._parse = parse
        self._max_growth_kb = max_growth_mb * 1024
        self._record = record
        self._calls = 0
        self.growth_kb = 0

    def __call__(self, data: bytes) -> None:
        """Parse `data`.

        Raises:
            MemoryGrewError: the calls so far added more to the peak than they may.
            Exception: whatever the parser raises that is no error of ours with a code of its own.
        """
        before = _peak_kb()
        try:
            self._parse(data)
        except (DeviceError, BiometricsError) as error:
            if type(error) in (DeviceError, BiometricsError) or not error.code:
                raise AssertionError("an error without a code of its own") from error
        grown = _peak_kb() - before
        self._calls += 1
        if grown and self._calls > WARM_UP_CALLS:
            self.growth_kb += grown
            if self._record is not None:
                self._record.write_text(str(self.growth_kb), encoding="ascii")
            if self.growth_kb > self._max_growth_kb:
                raise MemoryGrewError(f"{self.growth_kb} KiB")


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
