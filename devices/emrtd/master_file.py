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
from devices.emrtd.file_reading import FileReader
from devices.emrtd.files import CARD_ACCESS, CARD_SECURITY
from devices.emrtd.lengths import CAUTIOUS_CHUNKS, chunks_for
from devices.emrtd.secure_messaging import SecureChannel
from devices.errors import ReaderFailedError
from devices.tlv import parse_header
from devices.transport import PlainChannel

_SELECT_MASTER_FILE = CommandApdu(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00")
_REFUSES_EXTENDED = (WRONG_LENGTH, StatusWord(0x6D00), StatusWord(0x6E00), StatusWord(0x6F00))


def read_card_access(channel: PlainChannel) -> bytes | None:
    """Return EF.CardAccess, or None if the card has none that can be read.

    The first command shows at the same time whether card and reader take extended length, where no
    session is lost yet: `channel.extended_length` says so afterwards.

    Raises:
        DeviceError: the card answers with a malformed file, or the transport failed.
    """
    found = _probe(channel) if channel.extended_length else None
    if found is not None:
        return found
    reader = FileReader(channel, (SHORT_LE_MAX, *CAUTIOUS_CHUNKS))
    found = reader.read(CARD_ACCESS)
    if found is None:
        # The card may still have an application selected. Some know no SELECT MF: not an error.
        channel.send(_SELECT_MASTER_FILE)
        found = reader.read(CARD_ACCESS)
    return found


def read_card_security(channel: SecureChannel) -> bytes | None:
    """Return EF.CardSecurity, or None if the card has none; PACE first, the application later.

    Raises:
        DeviceError: the card answers with a malformed file, or the transport failed.
    """
    return FileReader(channel, chunks_for(channel.messaging)).read(CARD_SECURITY)


def _probe(channel: PlainChannel) -> bytes | None:
    """Ask for the whole of EF.CardAccess with an extended Le; None if that does not bring it."""
    p1 = 0x80 | CARD_ACCESS.sfi
    command = CommandApdu(0x00, 0xB0, p1, 0x00, le=channel.max_response_bytes)
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
