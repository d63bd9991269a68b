"""Read whole files with as few commands as the card allows, and never more than a file is worth.

Source: ICAO Doc 9303-10, 3.6 (READ BINARY); ISO/IEC 7816-4:2020, 11.3.3.
"""

from collections.abc import Callable, Sequence

from devices.apdu import (
    CONDITIONS_NOT_SATISFIED,
    END_OF_FILE,
    FILE_NOT_FOUND,
    OK,
    SECURITY_STATUS_NOT_SATISFIED,
    SHORT_LE_MAX,
    WRONG_LENGTH,
    CommandApdu,
    ResponseApdu,
    StatusWord,
)
from devices.emrtd.errors import FileMalformedError
from devices.emrtd.evidence import MAX_FILE_BYTES
from devices.emrtd.files import ElementaryFile
from devices.emrtd.lengths import EVEN_OFFSET_END
from devices.errors import CardMisbehavedError, CardRefusedError
from devices.tlv import encode_tlv, parse_header, parse_tlv
from devices.transport import Channel

_HEADER_PROBE_BYTES = 8
_SMALL_PIECE = 64
_ODD_OVERHEAD = 5
_ABSENT = (FILE_NOT_FOUND, SECURITY_STATUS_NOT_SATISFIED, CONDITIONS_NOT_SATISFIED)
_SELECTED = (OK, StatusWord(0x6283))

ByteProgress = Callable[[ElementaryFile, int, int], None]
"""Called with the file, the bytes read and the bytes in all."""


class FileReader:
    """Reads files over one channel and remembers what the card can do."""

    def __init__(
        self, channel: Channel, chunks: Sequence[int], progress: ByteProgress | None = None
    ) -> None:
        """Take the channel and the chunk sizes to try, largest first."""
        self.channel = channel
        self._chunks = list(chunks)
        self._progress = progress
        self._short_ids_work = True

    @property
    def is_extended(self) -> bool:
        """Whether reads ask for more than a short response."""
        return self._chunks[0] > SHORT_LE_MAX

    def shrink(self) -> bool:
        """Go to the next smaller chunk; return False if there is none."""
        if len(self._chunks) == 1:
            return False
        del self._chunks[0]
        return True

    def read(self, file: ElementaryFile) -> bytes | None:
        """Return the file, or None if the card has none or does not let us read it.

        Surplus bytes after the file's end are dropped.

        Raises:
            FileMalformedError: the file ends early or holds another object.
            CardMisbehavedError: the file claims more than 1 MiB, or comes in endless crumbs.
            CardRefusedError: the card stops in the middle.
            TlvMalformedError: the file does not begin with a data object.
        """
        first = self._first_chunk(file)
        if first is None:
            return None
        tag, header, length = parse_header(first)
        total = header + length
        if tag != file.tag:
            raise FileMalformedError(f"{file.name} holds another object than it should")
        if total > MAX_FILE_BYTES:
            raise CardMisbehavedError(f"{file.name} claims to be larger than any chip's file")
        data = bytearray(first[:total])
        self._report(file, len(data), total)
        rounds = 0
        while len(data) < total:
            rounds += 1
            if rounds > 16 + 2 * (total // min(self._chunks[0], _SMALL_PIECE)):
                raise CardMisbehavedError(f"the card sends {file.name} in crumbs")
            piece = self._next_chunk(len(data), total - len(data))
            if not piece:
                raise FileMalformedError(f"{file.name} ends before its length says")
            data += piece[: total - len(data)]
            self._report(file, len(data), total)
        return bytes(data)

    def _first_chunk(self, file: ElementaryFile) -> bytes | None:
        """Ask a full chunk at once and take the length from it; header first where that fails."""
        if self._short_ids_work:
            response = self._read_binary(0x80 | file.sfi, 0x00, self._chunks[0])
            if _has_data(response):
                return response.data
        # 9303-10, 3.6.2: SELECT by file identifier, no response data.
        fid = file.fid.to_bytes(2, "big")
        selected = self.channel.send(CommandApdu(0x00, 0xA4, 0x02, 0x0C, fid))
        if selected.status not in _SELECTED:
            return None
        for wanted in (self._chunks[0], _HEADER_PROBE_BYTES):
            response = self._read_binary(0x00, 0x00, wanted)
            if _has_data(response):
                self._short_ids_work = False
                return response.data
        if response.status in _ABSENT:
            return None
        raise CardRefusedError(
            f"the card does not let {file.name} be read (status {response.status})",
            response.status,
        )

    def _next_chunk(self, offset: int, missing: int) -> bytes:
        """Return the bytes at `offset`, as many as one command brings."""
        if offset >= EVEN_OFFSET_END:
            return self._odd_chunk(offset, missing)
        wanted = min(missing, self._chunks[0], EVEN_OFFSET_END - offset)
        response = self._read_binary(offset >> 8, offset & 0xFF, wanted)
        return _data_or_refusal(response)

    def _odd_chunk(self, offset: int, missing: int) -> bytes:
        """Read beyond 0x7FFF: odd INS, offset in DO'54', data in DO'53'."""
        wanted = min(missing, self._chunks[0] - _ODD_OVERHEAD)
        position = encode_tlv(0x54, offset.to_bytes(3, "big").lstrip(b"\x00"))
        command = CommandApdu(0x00, 0xB1, 0x00, 0x00, position, wanted + _ODD_OVERHEAD)
        data = _data_or_refusal(self.channel.send(command))
        return parse_tlv(data, 0x53).value

    def _read_binary(self, p1: int, p2: int, wanted: int) -> ResponseApdu:
        while True:
            le = min(wanted, self._chunks[0])
            response = self.channel.send(CommandApdu(0x00, 0xB0, p1, p2, le=le))
            if response.status.sw1 == 0x6C:
                # ISO/IEC 7816-4, 5.6: the exact length that is available.
                le = response.status.sw2 or SHORT_LE_MAX
                return self.channel.send(CommandApdu(0x00, 0xB0, p1, p2, le=le))
            if response.status != WRONG_LENGTH or le < self._chunks[0] or not self.shrink():
                return response

    def _report(self, file: ElementaryFile, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(file, done, total)


def _has_data(response: ResponseApdu) -> bool:
    return response.status in (OK, END_OF_FILE) and bool(response.data)


def _data_or_refusal(response: ResponseApdu) -> bytes:
    if response.status in (OK, END_OF_FILE):
        return response.data
    if response.status.sw1 == 0x6B:
        return b""
    raise CardRefusedError(
        f"the card stopped in the middle of a file (status {response.status})", response.status
    )
