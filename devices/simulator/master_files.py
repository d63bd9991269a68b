"""Files of the master file that say what the card can do: EF.ATR/INFO and EF.DIR.

Source: ICAO Doc 9303-10 §3.11; ISO/IEC 7816-4 §12.
"""

from asn1crypto import core

from devices.simulator import tlv
from devices.simulator.lds import APPLICATION
from devices.simulator.limits import Limits

_CARD_SERVICE_DATA, _CARD_CAPABILITIES = 0x43, 0x47
_EXTENDED_LENGTH_INFORMATION = 0x7F66


def build_atr_info(limits: Limits, *, short_identifiers: bool) -> bytes:
    """Return EF.ATR/INFO: services, capabilities, and the limits of extended length.

    Args:
        limits: of the chip.
        short_identifiers: whether files can be read by short EF identifier.

    Source: ISO/IEC 7816-4 §12.1.1.7 (card service data), §12.1.1.9 (card capabilities), §12.7.1
    (extended length information).
    """
    # Selection by full name; EF.DIR and EF.ATR/INFO are read by READ BINARY; with a master file.
    services = bytes([0x80 | 0x20 | 0x10 | 0x08])
    selection = 0x80 | 0x10 | 0x04 * short_identifiers  # by full name, by file identifier
    lengths = 0x80 * limits.command_chaining
    if limits.extended_length:
        lengths |= 0x40 | 0x20  # extended Lc and Le; their limits stand in EF.ATR/INFO
    objects = [
        tlv.encode(_CARD_SERVICE_DATA, services),
        tlv.encode(_CARD_CAPABILITIES, bytes([selection, 0x01, lengths])),
    ]
    if limits.extended_length:
        sizes = (limits.max_command_bytes, limits.max_response_bytes)
        objects.append(tlv.encode(_EXTENDED_LENGTH_INFORMATION, *map(_size, sizes)))
    return b"".join(objects)


def build_dir() -> bytes:
    """Return EF.DIR with the eMRTD application.

    Source: ICAO Doc 9303-10 §3.11.2.
    """
    return tlv.encode(0x61, tlv.encode(0x4F, APPLICATION))


def _size(length: int) -> bytes:
    return bytes(core.Integer(length).dump())
