"""What the card says of its own limits: historical bytes of the ATR, and EF.ATR/INFO.

Source: ISO/IEC 7816-4:2020, 12.1.1 (historical bytes), 12.1.1.9 (card capabilities), 12.7.1
(extended length information); ISO/IEC 7816-3:2006, 8.2 (ATR); ICAO Doc 9303-10, 3.11.1.
"""

from dataclasses import dataclass

from devices.emrtd.errors import FileMalformedError
from devices.tlv import Tlv, parse_header, parse_tlvs

_CAPABILITIES = 0x47
_EXTENDED_LENGTH_INFORMATION = 0x7F66
_BUFFER_SIZES = 0xE0
_INTEGER = 0x02
_MAX_FILE_BYTES = 16 << 10
_PADDING = b"\x00\xff"

# 7816-4, 12.1.1.2: category indicators of historical bytes that are compact-TLV objects.
_STATUS_AT_END, _NO_STATUS_AT_END = 0x00, 0x80
_STATUS_BYTES = 3
_MAX_ATR_BYTES = 33
_COMPACT_CAPABILITIES = 7
_MAX_CAPABILITIES_BYTES = 3
_APPLICATION_IDENTIFIER = (0x4, 0xF)


@dataclass(frozen=True)
class CardCapabilities:
    """What the card can do, as it says; only a trial shows whether it is so."""

    short_ef_identifiers: bool
    """Files can be read by short identifier."""
    command_chaining: bool
    """Long commands may come in pieces (CLA bit 5)."""
    extended_length: bool
    """Lc and Le may be extended."""
    extended_length_in_atr_info: bool
    """EF.ATR/INFO says how long commands and responses may be."""


@dataclass(frozen=True)
class AtrInfo:
    """What EF.ATR/INFO says; None where it is silent."""

    capabilities: CardCapabilities | None
    max_command_bytes: int | None
    """Longest command APDU, header and length fields counted."""
    max_response_bytes: int | None
    """Longest response APDU, status word counted."""


def parse_atr_info(data: bytes) -> AtrInfo:
    """Return the content of EF.ATR/INFO; unknown data objects are passed over.

    Padding of 00 or FF after the last data object is dropped. Lengths come from DO'7F66', or else
    from DO'E0' of earlier cards, the pair that is meant for secure messaging.

    Raises:
        TlvMalformedError, FileMalformedError: the file is empty or malformed.
    """
    elements = parse_unwrapped(data)
    lengths = _lengths(elements)
    return AtrInfo(
        capabilities=next(
            (_capabilities(e.value) for e in elements if e.tag == _CAPABILITIES), None
        ),
        max_command_bytes=lengths[0],
        max_response_bytes=lengths[1],
    )


def parse_historical_bytes(atr: bytes) -> CardCapabilities | None:
    """Return the card capabilities in the historical bytes of a whole ATR, 3B or 3F first.

    None where there are none: other historical bytes are the issuer's own, and contactless cards
    of type B have application data of another kind in their place.

    Raises:
        FileMalformedError: it is no ATR, or its historical bytes are cut off.
    """
    historical = _historical_bytes(atr)
    if not historical or historical[0] not in (_STATUS_AT_END, _NO_STATUS_AT_END):
        return None
    end = len(historical) - (_STATUS_BYTES if historical[0] == _STATUS_AT_END else 0)
    position = 1
    while position < end:
        # 7816-4, 12.1.1.1: tag in the high, length in the low half of a byte.
        tag, length = divmod(historical[position], 16)
        position += 1
        if (tag, length) == _APPLICATION_IDENTIFIER and position < end:
            # PC/SC part 3, 3.1.3.2.3.1: here the length is a byte of its own.
            length = historical[position]
            position += 1
        value = historical[position : min(position + length, end)]
        if tag == _COMPACT_CAPABILITIES and 1 <= length == len(value) <= _MAX_CAPABILITIES_BYTES:
            return _capabilities(value)
        position += length
    return None


def parse_unwrapped(data: bytes) -> tuple[Tlv, ...]:
    """Return the data objects of a file that is a row of them, padding after the last dropped.

    Raises:
        TlvMalformedError: the file is malformed.
        FileMalformedError: it holds no data object, or is longer than 16 KiB.
    """
    if len(data) > _MAX_FILE_BYTES:
        raise FileMalformedError("a file of data objects is longer than any card's")
    end = 0
    while end < len(data) and data[end] not in _PADDING:
        _, header, length = parse_header(data, end)
        end += header + length
    elements = parse_tlvs(data[:end] if data[end:].strip(data[end : end + 1]) == b"" else data)
    if not elements:
        raise FileMalformedError("a file of data objects holds none")
    return elements


def _capabilities(value: bytes) -> CardCapabilities:
    """Return the meaning of the software function tables, one to three bytes of them."""
    if not 1 <= len(value) <= _MAX_CAPABILITIES_BYTES:
        raise FileMalformedError("the card's capabilities are malformed")
    # 7816-4, 12.1.1.9: first table, selection methods; third, chaining and length fields.
    selection, third = value[0], value[2] if len(value) == 3 else 0
    return CardCapabilities(
        short_ef_identifiers=bool(selection & 0x04),
        command_chaining=bool(third & 0x80),
        extended_length=bool(third & 0x40),
        extended_length_in_atr_info=bool(third & 0x20),
    )


def _lengths(elements: tuple[Tlv, ...]) -> tuple[int | None, int | None]:
    for tag, first, count in ((_EXTENDED_LENGTH_INFORMATION, 0, 2), (_BUFFER_SIZES, 2, 4)):
        template = next((e for e in elements if e.tag == tag), None)
        if template is None:
            continue
        numbers = [e.value for e in template.children() if e.tag == _INTEGER]
        if len(numbers) != count or not all(1 <= len(number) <= 4 for number in numbers):
            raise FileMalformedError("the lengths in EF.ATR/INFO are malformed")
        command, response = (int.from_bytes(n, "big") for n in numbers[first : first + 2])
        return command, response
    return None, None


def _historical_bytes(atr: bytes) -> bytes:
    """Return the historical bytes of an ATR (7816-3, 8.2)."""
    if not 2 <= len(atr) <= _MAX_ATR_BYTES or atr[0] not in (0x3B, 0x3F):
        raise FileMalformedError("these bytes are no answer to reset")
    count = atr[1] & 0x0F
    position, follows = 2, atr[1] >> 4
    while follows:
        interface_bytes = follows.bit_count()
        # TDi, the last of them, says which ones follow.
        last = atr[position + interface_bytes - 1 : position + interface_bytes]
        position += interface_bytes
        follows = last[0] >> 4 if follows & 0x8 and last else 0
    historical = atr[position : position + count]
    if len(historical) != count:
        raise FileMalformedError("the historical bytes are cut off")
    return historical
