"""A record of the exchanges with a card that holds nothing personal, for a report from the field.

What is kept of a command is its header and its lengths, of a response its length, its status word
and its time. Data fields are kept for the files alone that every reader may see without a password
(EF.CardAccess, EF.ATR/INFO, EF.DIR). Hashes of data are left out as well: there are few enough MRZs
to try them all. So is what BAC exchanges, from which an MRZ can be found offline, and what the card
says of itself in the answer to reset beyond its interface and its capabilities.

Under secure messaging each exchange is recorded twice: as it went over the wire, and as it was
meant. The second record keeps the tag and length that a file begins with, so that the reading can
be gone through again: same commands, same lengths, same status words, with zeros for contents.
"""

import json
import time
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

from devices.apdu import OK, CommandApdu, ResponseApdu, StatusWord
from devices.errors import DeviceError, TlvMalformedError, TraceMalformedError
from devices.tlv import parse_header
from devices.transport import CardTransport

FORMAT = "chinhchu-apdu-trace"
VERSION = 1
MAX_TRACE_BYTES = 64 << 20
MAX_RECORDS = 200_000

_COMPACT_TLV, _CARD_CAPABILITIES = b"\x80", 0x7
_SELECT, _READ_BINARY = 0xA4, 0xB0
_PUBLIC_SHORT_IDENTIFIERS = (0x1C, 0x01, 0x1E)
_PUBLIC_FILES = (b"\x01\x1c", b"\x2f\x01", b"\x2f\x00")
_FILE_TAGS = (0x30, 0x31, *range(0x60, 0x78))


class ApduTrace:
    """The records of one reading, or of several of the same card."""

    def __init__(self, agent: str = "chinhchu") -> None:
        """Begin; `agent` is name and version of this software."""
        self._agent = agent
        self._header: dict[str, Any] = {}
        self.records: list[dict[str, Any]] = []
        """What happened, in its order; see `save`."""

    def transport(self, inner: CardTransport) -> "TracingTransport":
        """Return a transport that records what goes through it."""
        self._header = {
            "format": FORMAT,
            "version": VERSION,
            "agent": self._agent,
            "reader": inner.name,
            "atr": redacted_atr(inner.atr).hex().upper(),
        }
        return TracingTransport(inner, self)

    def event(self, name: str, **details: Any) -> None:
        """Record a step of the reading; `details` hold nothing personal."""
        self.records.append({"event": name} | details)

    def session_exchange(
        self, command: CommandApdu, response: ResponseApdu | None, status: StatusWord
    ) -> None:
        """Record an exchange under secure messaging as it was meant.

        Args:
            command: before it was protected.
            response: after its protection was taken off; None if it had none.
            status: its status word.
        """
        record: dict[str, Any] = {
            "session": command.header.hex().upper(),
            "lc": len(command.data),
            "le": command.le,
            "sw": str(status),
        }
        if command.ins == 0xB1:
            record["offset"] = int.from_bytes(command.data[2:5], "big")
        if response is None:
            record["naked"] = True
        else:
            record["bytes"] = len(response.data)
            if (
                command.ins == _READ_BINARY
                and (command.p1 & 0x80 or not command.p1)
                and (command.p2 == 0)
            ):
                record["head"] = file_head(response.data)
        self.records.append(record)

    def to_text(self) -> str:
        """Return the trace as JSON lines: a header, then one record a line."""
        return "".join(
            json.dumps(line, separators=(",", ":")) + "\n" for line in (self._header, *self.records)
        )


class TracingTransport:
    """A `CardTransport` that records each exchange in a trace."""

    def __init__(self, inner: CardTransport, trace: ApduTrace) -> None:
        """Take the transport that reaches the card."""
        self.name = inner.name
        self.atr = inner.atr
        self._inner = inner
        self._trace = trace
        self._start_s = time.perf_counter()
        self._publicity = _Publicity()

    def transmit(self, command: bytes) -> bytes:
        """Pass one exchange on and record it, as `CardTransport.transmit`."""
        sent_s = time.perf_counter()
        record = {"apdu": command[:4].hex().upper(), "command_bytes": len(command)}
        self._trace.records.append(record)
        record["at_ms"] = _milliseconds(sent_s - self._start_s)
        try:
            response = self._inner.transmit(command)
        except DeviceError as error:
            record |= {"ms": _milliseconds(time.perf_counter() - sent_s), "error": error.code}
            raise
        record |= {
            "ms": _milliseconds(time.perf_counter() - sent_s),
            "response_bytes": len(response),
            "sw": response[-2:].hex().upper(),
        }
        if self._publicity.covers(command, response):
            record["data"] = response[:-2].hex().upper()
        return response

    def close(self) -> None:
        """Let go of the card."""
        self._inner.close()


class _Publicity:
    """Follows the plain commands: whose answers may everyone see?"""

    def __init__(self) -> None:
        self._in_master_file = True
        self._is_file_public = False

    def covers(self, command: bytes, response: bytes) -> bool:
        """Return whether the data of a response are of a public file."""
        if len(command) < 5 or command[0] != 0x00:
            self._is_file_public = False
            return False
        is_done = int.from_bytes(response[-2:], "big") == OK
        if command[1] == _SELECT:
            if command[2] == 0x04:
                self._in_master_file = False
            self._is_file_public = (
                is_done
                and self._in_master_file
                and command[2] == 0x02
                and command[5 : 5 + command[4]] in _PUBLIC_FILES
            )
            return False
        if command[1] != _READ_BINARY or not self._in_master_file:
            return False
        if command[2] & 0x80:
            self._is_file_public = command[2] & 0x1F in _PUBLIC_SHORT_IDENTIFIERS
        return self._is_file_public


def file_head(data: bytes) -> str | None:
    """Return tag and length field of the file that begins with `data`, as hexadecimal digits.

    None if no file of an eMRTD begins so: then it may be anything.
    """
    try:
        tag, header, _ = parse_header(data)
    except TlvMalformedError:
        return None
    return data[:header].hex().upper() if tag in _FILE_TAGS else None


def redacted_atr(atr: bytes) -> bytes:
    """Return the answer to reset with zeros for historical bytes that could tell cards apart.

    Interface bytes and the card's capabilities stay.

    Source: ISO/IEC 7816-3:2006, 8.2; ISO/IEC 7816-4:2020, 12.1.1.
    """
    if len(atr) < 2:
        return b""
    count, follows = atr[1] & 0x0F, atr[1] >> 4
    start = 2
    while follows:
        start += follows.bit_count()
        # TDi, the last of the interface bytes, says which ones follow.
        follows = atr[start - 1] >> 4 if follows & 0x8 and start <= len(atr) else 0
    body = atr[:start] + _capabilities_alone(atr[start : start + count])
    if len(atr) <= start + count:
        return body
    # TCK: the exclusive or of everything from T0 on is zero.
    return body + bytes([reduce(xor, body[1:])])


def _capabilities_alone(historical: bytes) -> bytes:
    """Keep tags, lengths and card capabilities (7x) of compact-TLV objects, and nothing else."""
    kept = bytearray(len(historical))
    if historical[:1] == _COMPACT_TLV:
        kept[0] = historical[0]
        offset = 1
        while offset < len(historical):
            tag, length = divmod(historical[offset], 16)
            end = offset + 1 + length
            if tag == _CARD_CAPABILITIES:
                kept[offset:end] = historical[offset:end]
            kept[offset] = historical[offset]
            offset = end
    return bytes(kept)


def parse_trace(data: bytes) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """Return header and records of a trace.

    Raises:
        TraceMalformedError: it is too large, of another format, or no JSON lines.
    """
    if len(data) > MAX_TRACE_BYTES:
        raise TraceMalformedError("the trace is too large")
    lines = data.splitlines()
    if not lines or len(lines) > MAX_RECORDS:
        raise TraceMalformedError("the trace is empty or too long")
    try:
        header, *records = (json.loads(line) for line in lines)
    except (ValueError, RecursionError):
        raise TraceMalformedError("the trace is not JSON lines") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise TraceMalformedError("this is no APDU trace")
    if header.get("version") != VERSION:
        raise TraceMalformedError("the trace is of another version")
    if not all(isinstance(record, dict) for record in records):
        raise TraceMalformedError("a record of the trace is malformed")
    return header, tuple(records)


def read_trace(path: Path) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """Return header and records of a trace file.

    Raises:
        TraceMalformedError: it cannot be read or is no trace.
    """
    try:
        with path.open("rb") as file:
            return parse_trace(file.read(MAX_TRACE_BYTES + 1))
    except OSError as error:
        raise TraceMalformedError(f"{path}: {error.strerror or 'cannot be read'}") from None


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
