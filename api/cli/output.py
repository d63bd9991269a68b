"""What all commands share: exit codes, JSON for machines, files and numbers that people name."""

import argparse
import codecs
import json
import math
import secrets
import sys
from pathlib import Path
from typing import Any

from api.errors import InputUnusableError

EXIT_PASSED = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INDETERMINATE = 3
EXIT_FAULT = 4
EXIT_INTERRUPTED = 130

EXIT_BY_OUTCOME = {
    "PASSED": EXIT_PASSED,
    "FAILED": EXIT_FAILED,
    "INDETERMINATE": EXIT_INDETERMINATE,
}


def printable(text: object) -> str:
    """Return text from a card, a file or a driver without characters that command a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    print(flush=True)


def read_input(path: Path, limit: int = 64 << 20) -> bytes:
    """Return the bytes of a file that a person named.

    Raises:
        InputUnusableError: it is missing, not readable, or larger than `limit` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)  # a pipe or a device does not say how long it is
    except OSError as error:
        raise InputUnusableError(f"{path}: {error.strerror or 'cannot be read'}") from None
    if len(data) > limit:
        raise InputUnusableError(f"{path} is larger than {_size(limit)}")
    return data


def write_output(path: Path, data: bytes) -> None:
    """Write the file that a person named: whole, or what was there stays as it was.

    What is no ordinary file, such as a pipe, is written to as it is.

    Raises:
        InputUnusableError: it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        path = path.resolve()  # a link stays, and leads to the new file
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            unfinished.write_bytes(data)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InputUnusableError(f"{path}: {error.strerror or 'cannot be written'}") from None


def one_line(file: bytes) -> bytes:
    """Return the line of ASCII in a file, whatever mark or line end an editor or a shell left."""
    if file.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-8-sig" if file.startswith(codecs.BOM_UTF8) else "utf-16"
        try:
            file = file.decode(encoding).encode("ascii")
        except UnicodeError:
            return file
    return file.strip()


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count} bytes"


def number_between(text: str, low: float, high: float) -> float:
    """Return the number that an argument gives.

    Raises:
        argparse.ArgumentTypeError: it is none, or out of range.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"must be a number from {low} to {high}")
    return value
