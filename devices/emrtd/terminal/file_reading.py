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
from devices.emrtd.errors import (
    FileMalformedError,
    SecureMessagingError,
    UnprotectedResponseError,
)
from devices.emrtd.evidence import MAX_FILE_BYTES
from devices.emrtd.files import ElementaryFile
from devices.emrtd.terminal.lengths import EVEN_OFFSET_END
from devices.emrtd.terminal.secure_messaging import RecoverableChannel
from devices.errors import CardMisbehavedError, CardRefusedError, DeviceError, ReaderFailedError
from devices.tlv import encode_tlv, parse_header, parse_tlv
from devices.transport import Channel

_HEADER_PROBE_BYTES = 8
_FREE_ROUNDS, _FEWEST_BYTES_A_ROUND = 16, 8
_READ_EVEN, _READ_ODD = 0xB0, 0xB1
_SHORT_IDENTIFIER = 0x80
_ABSENT = (FILE_NOT_FOUND, SECURITY_STATUS_NOT_SATISFIED, CONDITIONS_NOT_SATISFIED)
_SELECTED = (OK, StatusWord(0x6283))
_BLAME_LENGTH = (WRONG_LENGTH, StatusWord(0x6F00))
_REFUSED_UNSEEN = (*_BLAME_LENGTH, StatusWord(0x6E00), StatusWord(0x6D00))

ByteProgress = Callable[[ElementaryFile, int, int], None]
"""Called with the file, the bytes read and the bytes in all."""

Renewal = Callable[[], Channel | None]
"""Opens a session anew and returns its channel; None if that was done often enough."""


class FileReader:
    """Reads files over one channel after another and remembers what the card can do."""

    def __init__(
        self,
        channel: Channel,
        chunks: Sequence[int],
        progress: ByteProgress | None = None,
        *,
        renew: Renewal | None = None,
        short_identifiers: bool = True,
    ) -> None:
        """Start reading.

        Args:
            channel: where commands go.
            chunks: sizes of a read to try, largest first.
            progress: told how each file goes on.
            renew: what to do when the session is lost; without it that is an error.
            short_identifiers: False if READ BINARY is known not to take short EF identifiers.
        """
        self.channel = channel
        self._chunks = list(chunks)
        self._progress = progress
        self._renew = renew
        self.short_identifiers = short_identifiers
        """Whether files are read by their short EF identifiers."""
        self._short_identifiers_proven = False
        self.unfinished = b""
        """What was read of the file that a reading broke off in; empty if it broke off in none."""

    @property
    def chunks(self) -> tuple[int, ...]:
        """The sizes of a read that are left to try, largest first."""
        return tuple(self._chunks)

    @property
    def chunk_bytes(self) -> int:
        """How much one read asks for."""
        return self._chunks[0]

    @property
    def is_extended(self) -> bool:
        """Whether reads ask for more than a short response."""
        return self._chunks[0] > SHORT_LE_MAX

    def read(self, file: ElementaryFile, start: bytes = b"") -> bytes | None:
        """Return the file, or None if the card has none or does not let us read it.

        Surplus bytes after the file's end are dropped.

        Args:
            file: the file.
            start: its first bytes, where an earlier reading of the same card got so far.

        Raises:
            FileMalformedError: the file ends early or holds another object.
            CardMisbehavedError: the file claims more than 1 MiB, or comes in endless crumbs.
            CardRefusedError: the card stops in the middle.
            TlvMalformedError: the file does not begin with a data object.
            UnprotectedResponseError: the session was lost and could not be opened anew.
        """
        self.unfinished = start
        if start:
            self._select_again(file)
        first = start or self._first_chunk(file)
        if first is None:
            return None
        tag, header, length = parse_header(first)
        total = header + length
        if tag != file.tag:
            raise FileMalformedError(f"{file.name} holds another object than it should")
        if total > MAX_FILE_BYTES:
            raise CardMisbehavedError(f"{file.name} claims to be larger than any chip's file")
        data = bytearray(first[:total])
        try:
            self._read_rest(file, data, total)
        except BaseException:
            self.unfinished = bytes(data)
            raise
        self.unfinished = b""
        return bytes(data)

    def send(self, command: CommandApdu) -> ResponseApdu:
        """Send another command, once more in a new session where the session is lost over it."""
        try:
            return self.channel.send(command)
        except UnprotectedResponseError as error:
            self._open_anew(error)
        return self.channel.send(command)

    def ask_at_most(self, chunk: int) -> None:
        """Take the most that the card says it brings as the size of a read from now on."""
        self._chunks = [chunk, *(smaller for smaller in self._chunks if smaller < chunk)]

    def holds(self, file: ElementaryFile, known: bytes) -> bool:
        """Return whether the file begins and ends as `known`, by its first and its last read."""
        first = self._first_chunk(file)
        if not first or first[: len(known)] != known[: len(first)]:
            return False
        data = bytearray(known[: max(len(first), len(known) - self._chunks[0])])
        self._read_rest(file, data, len(known))
        return bytes(data) == known

    def _read_rest(self, file: ElementaryFile, data: bytearray, total: int) -> None:
        """Append what is missing, and report after each piece."""
        self._report(file, len(data), total)
        rounds = 0
        while len(data) < total:
            rounds += 1
            if rounds > _FREE_ROUNDS + len(data) // _FEWEST_BYTES_A_ROUND:
                raise CardMisbehavedError(f"the card sends {file.name} in crumbs")
            piece = self._next_chunk(file, len(data), total - len(data))
            if not piece:
                raise FileMalformedError(f"{file.name} ends before its length says")
            data += piece[: total - len(data)]
            self._report(file, len(data), total)

    def _first_chunk(self, file: ElementaryFile) -> bytes | None:
        """Ask a full chunk at once and take the length from it; header first where that fails."""
        if self.short_identifiers:
            response = self._read_at(file, 0, self._chunks[0], by_short_identifier=True)
            if _has_data(response):
                self._short_identifiers_proven = True
                return response.data
            if self._short_identifiers_proven and response.status in _ABSENT:
                return None
        if not self._select(file):
            return None
        for wanted in (self._chunks[0], _HEADER_PROBE_BYTES):
            response = self._read_at(file, 0, wanted)
            if _has_data(response):
                self.short_identifiers = self._short_identifiers_proven
                return response.data
        if response.status in _ABSENT:
            return None
        raise CardRefusedError(
            f"the card does not let {file.name} be read (status {response.status})",
            response.status,
        )

    def _next_chunk(self, file: ElementaryFile, offset: int, missing: int) -> bytes:
        """Return the bytes at `offset`, as many as one command brings."""
        response = self._read_at(file, offset, missing)
        if response.status in (OK, END_OF_FILE):
            is_odd = offset >= EVEN_OFFSET_END and response.data
            return parse_tlv(response.data, 0x53).value if is_odd else response.data
        if response.status.sw1 == 0x6B:
            return b""
        raise CardRefusedError(
            f"the card stopped in the middle of a file (status {response.status})", response.status
        )

    def _read_at(
        self, file: ElementaryFile, offset: int, wanted: int, *, by_short_identifier: bool = False
    ) -> ResponseApdu:
        """Read once at `offset`, with smaller reads and in a new session where it takes that."""
        while True:
            command = self._command(file, offset, wanted, by_short_identifier)
            try:
                response = self.channel.send(command)
            except (UnprotectedResponseError, ReaderFailedError) as error:
                response_in_place = self._instead(error, file, offset, wanted, by_short_identifier)
                if response_in_place is None:
                    self._open_anew(error)
                    if not by_short_identifier:
                        self._select_again(file)
                    continue
                response = response_in_place
            asked = command.le or 0
            if response.status.sw1 == 0x6C and response.status.sw2 != asked & 0xFF:
                # ISO/IEC 7816-4, 5.6: the exact length that is available. A protected command
                # cannot be sent again as it is: it gets a protection of its own.
                wanted = response.status.sw2 or SHORT_LE_MAX
                exact = self._command(file, offset, wanted, by_short_identifier, exact=True)
                if offset:
                    # No more was asked for than the file has, so it is the card's limit.
                    self.ask_at_most(wanted)
                return self.channel.send(exact)
            if response.status != WRONG_LENGTH or not self._shrink_below(asked):
                # What goes beyond Le was not asked for, so nothing says what it is.
                return ResponseApdu(response.data[:asked], response.status)

    def _instead(
        self,
        error: DeviceError,
        file: ElementaryFile,
        offset: int,
        wanted: int,
        by_short_identifier: bool,
    ) -> ResponseApdu | None:
        """Try smaller reads in the same session after a naked status word; None if it is lost."""
        if isinstance(error, ReaderFailedError):
            if not self._shrink():
                raise error
            return None
        while isinstance(error, UnprotectedResponseError) and not error.is_answered_in_part:
            status = StatusWord(error.status)
            can_shrink = _blames_length(status) and self._shrink_by(status)
            if not isinstance(self.channel, RecoverableChannel) or not (
                can_shrink or status in _REFUSED_UNSEEN
            ):
                return None
            command = self._command(file, offset, wanted, by_short_identifier)
            try:
                return self.channel.send_instead(command)
            except (UnprotectedResponseError, SecureMessagingError) as next_error:
                if not can_shrink:
                    return None
                error = next_error
        return None

    def _command(
        self,
        file: ElementaryFile,
        offset: int,
        wanted: int,
        by_short_identifier: bool,
        *,
        exact: bool = False,
    ) -> CommandApdu:
        """Return the READ BINARY for `wanted` bytes at `offset`, or as many as a read may ask."""
        chunk = wanted if exact else self._chunks[0]
        if by_short_identifier:
            p1 = _SHORT_IDENTIFIER | file.sfi
            return CommandApdu(0x00, _READ_EVEN, p1, offset, le=min(wanted, chunk))
        if offset < EVEN_OFFSET_END:
            le = min(wanted, chunk, EVEN_OFFSET_END - offset)
            return CommandApdu(0x00, _READ_EVEN, offset >> 8, offset & 0xFF, le=le)
        # Beyond 0x7FFF: odd INS, offset in DO'54', data in DO'53'.
        le = wanted if exact else min(wanted + _discretionary_header(wanted), chunk)
        position = encode_tlv(0x54, offset.to_bytes(3, "big").lstrip(b"\x00"))
        return CommandApdu(0x00, _READ_ODD, 0x00, 0x00, position, le)

    def _select(self, file: ElementaryFile) -> bool:
        """9303-10, 3.6.2: SELECT by file identifier, no response data."""
        command = CommandApdu(0x00, 0xA4, 0x02, 0x0C, file.fid.to_bytes(2, "big"))
        while True:
            try:
                return self.channel.send(command).status in _SELECTED
            except UnprotectedResponseError as error:
                self._open_anew(error)

    def _select_again(self, file: ElementaryFile) -> None:
        """Make the file the current one in a new session."""
        if self.short_identifiers and self._short_identifiers_proven:
            # The shortest read with the identifier makes the file the current one.
            probe = CommandApdu(0x00, _READ_EVEN, _SHORT_IDENTIFIER | file.sfi, 0x00, le=1)
            if self.channel.send(probe).status in (OK, END_OF_FILE):
                return
        if not self._select(file):
            raise CardRefusedError(f"{file.name} is no longer on the card", FILE_NOT_FOUND)

    def _open_anew(self, error: DeviceError) -> None:
        """Go on in a new session; raise the error that cost the old one if there is none."""
        channel = self._renew() if self._renew is not None else None
        if channel is None:
            raise error
        self.channel = channel

    def _shrink_by(self, status: StatusWord) -> bool:
        """Shrink after a naked status word, to what 6Cxx names; return False if nothing is left."""
        if status.sw1 == 0x6C and _HEADER_PROBE_BYTES <= status.sw2 < self._chunks[0]:
            self.ask_at_most(status.sw2)
            return True
        return self._shrink()

    def _shrink(self) -> bool:
        """Go to the next smaller chunk; return False if there is none."""
        if len(self._chunks) == 1:
            return False
        del self._chunks[0]
        return True

    def _shrink_below(self, asked: int) -> bool:
        """Shrink until a read asks for less than was refused; return False if nothing is left."""
        if self._chunks[-1] >= asked:
            return False
        while self._chunks[0] >= asked:
            del self._chunks[0]
        return True

    def _report(self, file: ElementaryFile, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(file, done, total)


def _blames_length(status: StatusWord) -> bool:
    return status in _BLAME_LENGTH or status.sw1 == 0x6C


def _has_data(response: ResponseApdu) -> bool:
    return response.status in (OK, END_OF_FILE) and bool(response.data)


def _discretionary_header(value_bytes: int) -> int:
    """Return how long tag and length field of DO'53' are."""
    return 2 if value_bytes < 0x80 else 3 if value_bytes < 0x100 else 4
