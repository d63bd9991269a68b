"""The terminal's part of Chip Authentication: it carries the verifier's messages to the chip.

Source: ICAO Doc 9303-11, 6.2.4; BSI TR-03110-3, B.2 and B.11.1.
"""

from collections.abc import Callable
from typing import Protocol

from asn1crypto import core

from devices.apdu import OK, SHORT_LE_MAX, CommandApdu, ResponseApdu
from devices.emrtd.errors import UnprotectedResponseError
from devices.emrtd.evidence import MAX_ANSWER_BYTES, ChipAuthenticationRequest
from devices.emrtd.lds.security_infos import ID_CA
from devices.emrtd.terminal.file_reading import FileReader
from devices.tlv import encode_tlv
from devices.transport import PlainChannel

_PROTOCOL, _EPHEMERAL_KEY, _PRIVATE_KEY, _KEY_FOR_TEMPLATE = 0x80, 0x80, 0x84, 0x91
_DYNAMIC_AUTHENTICATION_DATA = 0x7C
_TDES = (f"{ID_CA}1.1", f"{ID_CA}2.1")

Send = Callable[[CommandApdu], ResponseApdu]


class CloneChallenge(Protocol):
    """Asks the verifier for a challenge, in the middle of a reading."""

    def __call__(self, dg14: bytes, *, short_identifiers: bool) -> ChipAuthenticationRequest | None:
        """Return the verifier's challenge; None if it knows no variant that this chip offers.

        Args:
            dg14: the file as read.
            short_identifiers: whether the chip reads files by short identifier.
        """
        ...


def authenticate_chip(
    reader: FileReader, plain: PlainChannel, request: ChipAuthenticationRequest
) -> bytes | None:
    """Carry the challenge to the chip and return its sealed answer, status word included.

    The chip changes to session keys that nobody here knows: the session is gone afterwards.

    Args:
        reader: holds the session.
        plain: the channel below it.
        request: the verifier's challenge.

    Returns:
        None if the chip declines, or answers at a length that no answer has.

    Raises:
        DeviceError: the transport failed, or an answer is not authentic.
    """
    try:
        if not _agree(reader, request):
            return None
    except UnprotectedResponseError:
        return None
    response = plain.forward(request.command)
    answer = response.data + response.status.to_bytes(2, "big")
    return answer if len(answer) <= MAX_ANSWER_BYTES else None


def _agree(reader: FileReader, request: ChipAuthenticationRequest) -> bool:
    """Give the chip the ephemeral public key; return whether it takes it."""
    reference = b""
    if request.key_id is not None:
        reference = encode_tlv(_PRIVATE_KEY, bytes([request.key_id]))
    if request.oid in _TDES:
        # 9303-11, 6.2.4.1: MSE:Set KAT, which 3DES alone has.
        template = encode_tlv(_KEY_FOR_TEMPLATE, request.public_key) + reference
        if reader.send(CommandApdu(0x00, 0x22, 0x41, 0xA6, template)).status == OK:
            return True
    # 9303-11, 6.2.4.2: MSE:Set AT and GENERAL AUTHENTICATE; the session is the same for both.
    protocol = encode_tlv(_PROTOCOL, core.ObjectIdentifier(request.oid).contents)
    if reader.send(CommandApdu(0x00, 0x22, 0x41, 0xA4, protocol + reference)).status != OK:
        return False
    key = encode_tlv(_EPHEMERAL_KEY, request.public_key)
    data = encode_tlv(_DYNAMIC_AUTHENTICATION_DATA, key)
    command = CommandApdu(0x00, 0x86, 0x00, 0x00, data, SHORT_LE_MAX)
    return reader.channel.send(command).status == OK
