"""The files below the master file, which say what the chip can do.

Source: ICAO Doc 9303-10, 3.11 (EF.CardAccess, EF.CardSecurity, EF.ATR/INFO, EF.DIR).
"""

from devices.apdu import (
    END_OF_FILE,
    OK,
    SHORT_LE_MAX,
    WRONG_LENGTH,
    CommandApdu,
    ResponseApdu,
    StatusWord,
)
from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import ATR_INFO, CARD_ACCESS, CARD_SECURITY, DIRECTORY, ElementaryFile
from devices.emrtd.lds.atr_info import AtrInfo, parse_atr_info, parse_historical_bytes
from devices.emrtd.terminal.file_reading import FileReader
from devices.emrtd.terminal.lengths import CAUTIOUS_CHUNKS, MODEST_RESPONSE_BYTES, chunks_for
from devices.emrtd.terminal.secure_messaging import SecureChannel
from devices.errors import ReaderFailedError, TlvMalformedError
from devices.tlv import parse_header
from devices.transport import PlainChannel

_SELECT_MASTER_FILE = CommandApdu(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00")
_STATUS_BYTES = 2
_REFUSES_EXTENDED = (WRONG_LENGTH, StatusWord(0x6D00), StatusWord(0x6E00), StatusWord(0x6F00))


def read_card_access(channel: PlainChannel) -> bytes | None:
    """Return EF.CardAccess, or None if the card has none that can be read.

    The first command shows at the same time whether card and reader take extended length, where no
    session is lost yet: `channel.extended_length` and `channel.max_response_bytes` say so
    afterwards. Where it is refused by a card whose answer to reset announces extended length, it
    was too long: the card is asked for its limits, which costs one command more, and a card that
    does not tell them is taken to bring a modest response.

    Raises:
        DeviceError: the card answers with a malformed file, or the transport failed.
    """
    was_extended = channel.extended_length
    found = _probe(channel, channel.max_response_bytes) if was_extended else None
    if was_extended and not channel.extended_length and announces_extended_length(channel.atr):
        if not adopt_limits(channel):
            channel.extended_length = True
            channel.max_response_bytes = MODEST_RESPONSE_BYTES
        if channel.extended_length and found is None:
            found = _probe(channel, channel.max_response_bytes - _STATUS_BYTES)
    if found is not None:
        return found
    reader = FileReader(channel, (SHORT_LE_MAX, *CAUTIOUS_CHUNKS))
    found = reader.read(CARD_ACCESS)
    if found is None:
        # The card may still have an application selected. Some know no SELECT MF: not an error.
        channel.send(_SELECT_MASTER_FILE)
        found = reader.read(CARD_ACCESS)
    return found


def announces_extended_length(atr: bytes) -> bool:
    """Return whether the historical bytes of an answer to reset speak of extended length."""
    try:
        capabilities = parse_historical_bytes(atr)
    except FileMalformedError:
        return False
    return capabilities is not None and (
        capabilities.extended_length or capabilities.extended_length_in_atr_info
    )


def adopt_limits(channel: PlainChannel, *, application_selected: bool = False) -> bool:
    """Take over the lengths that EF.ATR/INFO gives; return whether it gives any."""
    if application_selected and channel.send(_SELECT_MASTER_FILE).status != OK:
        return False
    info = read_atr_info(channel)
    if info is None or info.max_response_bytes is None or info.max_command_bytes is None:
        return False
    channel.extended_length = info.max_response_bytes > SHORT_LE_MAX
    channel.max_response_bytes = min(info.max_response_bytes, channel.max_response_bytes)
    channel.max_command_bytes = min(info.max_command_bytes, channel.max_command_bytes)
    return True


def read_atr_info(channel: PlainChannel) -> AtrInfo | None:
    """Return EF.ATR/INFO, or None if it cannot be had by one command or is malformed."""
    raw = read_row(channel, ATR_INFO)
    try:
        return parse_atr_info(raw) if raw else None
    except (FileMalformedError, TlvMalformedError):
        return None


def read_directory(channel: PlainChannel) -> bytes | None:
    """Return EF.DIR, or None if the card does not give it without a session."""
    return read_row(channel, DIRECTORY)


def read_row(channel: PlainChannel, file: ElementaryFile) -> bytes | None:
    """Return a file that is a row of data objects, at most 256 bytes of it, or None."""
    response = channel.send(CommandApdu(0x00, 0xB0, 0x80 | file.sfi, 0x00, le=SHORT_LE_MAX))
    return response.data or None if response.status in (OK, END_OF_FILE) else None


def read_card_security(channel: SecureChannel) -> bytes | None:
    """Return EF.CardSecurity, or None if the card has none; PACE first, the application later.

    Raises:
        DeviceError: the card answers with a malformed file, or the transport failed.
    """
    return FileReader(channel, chunks_for(channel.messaging)).read(CARD_SECURITY)


def _probe(channel: PlainChannel, le: int) -> bytes | None:
    """Ask for the whole of EF.CardAccess with an extended Le; None if that does not bring it."""
    command = CommandApdu(0x00, 0xB0, 0x80 | CARD_ACCESS.sfi, 0x00, le=le)
    try:
        response = channel.send(command)
    except ReaderFailedError:
        channel.extended_length = False
        return None
    if response.status in _REFUSES_EXTENDED:
        channel.extended_length = False
    return _whole_file(response)


def _whole_file(response: ResponseApdu) -> bytes | None:
    if response.status not in (OK, END_OF_FILE) or len(response.data) < 2:
        return None
    tag, header, length = parse_header(response.data)
    total = header + length
    return response.data[:total] if tag == CARD_ACCESS.tag and total <= len(response.data) else None
