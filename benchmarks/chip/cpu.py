"""Where the CPU time of the reader's process goes.

The sum is taken without a profiler. A profiler slows Python down and native calls hardly: so the
time in native calls stands as profiled, and what is left of the sum is shared out to Python code
as the profile shares it.
"""

import cProfile
import pstats
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from devices.transport import CardTransport

CRYPTOGRAPHY = "cryptography"
"""The cryptographic library and OpenSSL below it: native calls and its own Python."""
EXCHANGE = "exchange"
"""SCardTransmit with libpcsclite and the kernel below it; waiting costs no CPU time."""
ASN1 = "asn1"
"""asn1crypto, for EF.SOD."""
READER = "reader"
"""This project's Python, and Python's own library below it."""
PARTS = (CRYPTOGRAPHY, EXCHANGE, ASN1, READER)
PYTHON = (ASN1, READER)
"""Python outside the cryptographic library."""

_PACKAGES = {"cryptography": CRYPTOGRAPHY, "asn1crypto": ASN1}
_NATIVE = "~"  # pstats names no file for what is written in C or Rust
# The types say their module; functions only the last part of it, as in `ec.generate_private_key`.
_CRYPTOGRAPHY_NATIVE = re.compile(
    r"cryptography\.hazmat|_hashlib|<built-in method (ec|dh|rsa|keys|ciphers|cmac|hmac|hashes)\."
)
_Function = tuple[str, int, str]
_Callers = Mapping[_Function, tuple[int, int, float, float]]
_Profile = defaultdict[tuple[str, bool], float]
"""Milliseconds of one reading, by part and whether in native code."""


def cpu_ms(
    connect: Callable[[], CardTransport], read: Callable[[CardTransport], object], n: int
) -> tuple[float, Mapping[str, float]]:
    """Return the median CPU time of one reading in ms, and its parts by name.

    Args:
        connect: makes a connection; not measured.
        read: one whole reading.
        n: how many readings each figure is taken from.
    """
    _process_ms(connect, read)
    total = statistics.median(_process_ms(connect, read) for _ in range(n))
    native, python = _medians([_profile(connect, read) for _ in range(n)])
    scale = max(0.0, total - sum(native.values())) / sum(python.values())
    return total, {part: native[part] + python[part] * scale for part in PARTS}


def _medians(profiles: Sequence[_Profile]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the median ms of each part over all profiles, in native code and in Python."""
    native, python = (
        {part: statistics.median(one[part, is_native] for one in profiles) for part in PARTS}
        for is_native in (True, False)
    )
    return native, python


def _process_ms(
    connect: Callable[[], CardTransport], read: Callable[[CardTransport], object]
) -> float:
    transport = connect()
    try:
        start = time.process_time()
        read(transport)
        return (time.process_time() - start) * 1e3
    finally:
        transport.close()


def _profile(
    connect: Callable[[], CardTransport], read: Callable[[CardTransport], object]
) -> _Profile:
    profiler = cProfile.Profile(time.process_time)
    transport = connect()
    try:
        profiler.runcall(read, transport)
    finally:
        transport.close()
    spent: _Profile = defaultdict(float)
    for part, is_native, seconds in _functions(profiler):
        spent[part, is_native] += seconds * 1e3
    return spent


def _functions(profiler: cProfile.Profile) -> Iterator[tuple[str, bool, float]]:
    """Yield the part, whether it is native code, and the seconds of each function."""
    functions: Mapping[_Function, tuple[int, int, float, float, _Callers]]
    functions = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    for (file, _, name), (_, _, seconds, _, callers) in functions.items():
        if file != _NATIVE:
            yield _part(file), False, seconds
        elif _CRYPTOGRAPHY_NATIVE.search(name):
            yield CRYPTOGRAPHY, True, seconds
        elif "SCard" in name:
            yield EXCHANGE, True, seconds
        else:  # Python's own, such as `len`: work of the code that calls it
            for (caller, _, _), (_, _, spent, _) in callers.items():
                yield _part(caller), False, spent


def _part(file: str) -> str:
    """Return which part a Python file belongs to."""
    packages = Path(file).parts
    for package, part in _PACKAGES.items():
        if package in packages:
            return part
    return READER
