"""Go through a traced reading again: the same reading logic, with zeros for what was not recorded.

It shows which commands, lengths, status words and lost sessions a card answered with, and where the
reading of today would go another way. It cannot show contents, the access protocol, or whether the
card's protection was right: none of these are in a trace.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.apdu import CommandApdu, ResponseApdu, StatusWord
from devices.emrtd.errors import UnprotectedResponseError
from devices.emrtd.files import BY_NAME
from devices.emrtd.terminal.file_reading import FileReader
from devices.emrtd.terminal.lengths import EVEN_OFFSET_END
from devices.emrtd.terminal.secure_messaging import RecoverableChannel
from devices.errors import CardRemovedError, DeviceError, ReplayMismatchError, TraceMalformedError
from devices.tlv import encode_tlv

_MAX_BYTES = 1 << 16


@dataclass(frozen=True)
class FileRerun:
    """One file of a trace, gone through again."""

    name: str
    size_bytes: int | None
    """What the reading made of the lengths; None if it found no file or broke off."""
    commands: int
    """Exchanges of the trace that it took."""
    error: DeviceError | None
    """What the reading broke off with; `replay-mismatch` where it goes another way than then."""


def rerun(records: Sequence[Mapping[str, Any]]) -> tuple[FileRerun, ...]:
    """Read every file of a trace again; none where the trace ends before a session was open.

    Args:
        records: the records of a trace, as `devices.trace.parse_trace` returns them.

    Raises:
        TraceMalformedError: a record is malformed, or a file is read before a session is open.
    """
    channel = _RecordedSession(records)
    reader: FileReader | None = None
    reruns: list[FileRerun] = []
    while (event := channel.next_event()) is not None:
        if event["event"] == "session-opened" and "chunks" in event:
            reader = channel.reader = FileReader(
                channel,
                _chunks(event["chunks"]),
                renew=channel.renew,
                short_identifiers=event.get("short_identifiers") is True,
            )
        elif event["event"] == "file":
            if reader is None:
                raise TraceMalformedError("the trace reads a file before it opens a session")
            reruns.append(_rerun_file(reader, channel, event))
    return tuple(reruns)


def _rerun_file(
    reader: FileReader, channel: "_RecordedSession", event: Mapping[str, Any]
) -> FileRerun:
    file = BY_NAME.get(str(event.get("file")))
    if file is None:
        raise TraceMalformedError("the trace names an unknown file")
    begun = _filler(_number(event, "start"), event.get("head"))
    played = channel.played
    data, error = None, None
    try:
        data = reader.read(file, begun)
    except DeviceError as fault:
        error = fault
    if error is None and channel.is_in_file:
        error = ReplayMismatchError(f"{file.name}: the trace holds more commands than were sent")
    size = None if data is None else len(data)
    return FileRerun(file.name, size, channel.played - played, error)


class _RecordedSession(RecoverableChannel):
    """A channel that answers as the trace says, with zeros for contents."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._records = [record for record in records if "session" in record or "event" in record]
        self._next = 0
        self.played = 0
        """Exchanges that were played."""
        self.reader: FileReader | None = None
        """Who reads over this channel; a card may have told it its limits."""

    @property
    def is_in_file(self) -> bool:
        """Whether the next record is another exchange of the same file."""
        return self._next < len(self._records) and "session" in self._records[self._next]

    def next_event(self) -> Mapping[str, Any] | None:
        """Skip to the next event and return it; None at the end."""
        while self._next < len(self._records):
            record = self._records[self._next]
            self._next += 1
            if "event" in record:
                return record
        return None

    def renew(self) -> "_RecordedSession | None":
        """Go on where the trace opened a session anew; None if it did not."""
        names = [record.get("event") for record in self._records[self._next : self._next + 2]]
        if names != ["session-lost", "session-opened"]:
            return None
        opened = self._records[self._next + 1]
        self._next += 2
        if self.reader is not None and "chunk" in opened:
            self.reader.ask_at_most(*_chunks([opened["chunk"]]))
        return self

    def send(self, command: CommandApdu) -> ResponseApdu:
        """Return the recorded answer.

        Raises:
            ReplayMismatchError: the trace holds another command here.
            UnprotectedResponseError: the card answered without protection.
            CardRemovedError: the trace breaks off here.
        """
        if not self.is_in_file:
            if self._next < len(self._records) and self._records[self._next]["event"] != "end":
                raise ReplayMismatchError("the reading sends a command that the trace has not")
            raise CardRemovedError("the trace breaks off here")
        record = self._records[self._next]
        sent = (command.header.hex().upper(), len(command.data), command.le)
        if sent != (record["session"], record.get("lc"), record.get("le")):
            raise ReplayMismatchError(
                f"the reading sends {sent[0]} with Le {sent[2]}, the trace has "
                f"{record['session']} with Le {record.get('le')}"
            )
        self._next += 1
        self.played += 1
        status = _status(record)
        if record.get("naked") is True:
            raise UnprotectedResponseError(f"the card left secure messaging ({status})", status)
        return ResponseApdu(_data(command, record), status)

    def send_instead(self, command: CommandApdu) -> ResponseApdu:
        """Return the recorded answer; a trace has no counters."""
        return self.send(command)


def _data(command: CommandApdu, record: Mapping[str, Any]) -> bytes:
    size = _number(record, "bytes")
    if command.ins == 0xB1 and size > 1:
        header = 2 if size < 0x82 else 3 if size < 0x103 else 4
        return encode_tlv(0x53, bytes(max(0, size - header)))
    return _filler(size, record.get("head"))


def _filler(size: int, head: Any) -> bytes:
    """Return `size` bytes that begin with the recorded tag and length, zeros after them."""
    try:
        begin = bytes.fromhex(head) if isinstance(head, str) else b""
    except ValueError:
        raise TraceMalformedError("a record of the trace is malformed") from None
    return (begin + bytes(size))[:size]


def _number(record: Mapping[str, Any], name: str) -> int:
    value = record.get(name, 0)
    if type(value) is not int or not 0 <= value <= _MAX_BYTES << 4:
        raise TraceMalformedError("a record of the trace is malformed")
    return value


def _status(record: Mapping[str, Any]) -> StatusWord:
    try:
        return StatusWord(int(str(record["sw"]), 16) & 0xFFFF)
    except (KeyError, ValueError):
        raise TraceMalformedError("a record of the trace is malformed") from None


def _chunks(value: Any) -> tuple[int, ...]:
    is_list = isinstance(value, list) and 0 < len(value) <= 64
    if not is_list or not all(type(size) is int and 8 <= size <= EVEN_OFFSET_END for size in value):
        raise TraceMalformedError("a record of the trace is malformed")
    return tuple(sorted(value, reverse=True))
