"""The files below the master file, which say what the chip can do.

Source: ICAO Doc 9303-10, 3.11 (EF.CardAccess, EF.CardSecurity, EF.ATR/INFO, EF.DIR).
"""

from devices.apdu import SHORT_LE_MAX, CommandApdu
from devices.emrtd.file_reading import FileReader
from devices.emrtd.files import CARD_ACCESS, CARD_SECURITY
from devices.emrtd.lengths import CAUTIOUS_CHUNKS, chunks_for
from devices.emrtd.secure_messaging import SecureChannel
from devices.transport import Channel

_SELECT_MASTER_FILE = CommandApdu(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00")


def read_card_access(channel: Channel) -> bytes | None:
    """Return EF.CardAccess, or None if the card has none that can be read.

    Raises:
        DeviceError: the card answers with a malformed file, or the transport failed.
    """
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
