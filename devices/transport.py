"""What reader and card have in common: one exchange of APDU bytes, and what rides on it."""

from dataclasses import replace
from typing import Protocol

from devices.apdu import (
    EXTENDED_LE_MAX,
    OK,
    SHORT_DATA_MAX,
    SHORT_LE_MAX,
    CommandApdu,
    ResponseApdu,
)
from devices.errors import CardMisbehavedError

MAX_GET_RESPONSE_ROUNDS = 1024
SECURE_MESSAGING_CLASS = 0x0C
CHAINING_CLASS = 0x10


class CardTransport(Protocol):
    """A card that answers APDUs, wherever it is: on a reader, simulated, or replayed."""

    name: str
    """The reader's name, as people know it."""
    atr: bytes
    """Answer to reset; empty if the transport has none."""

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU and return the response APDU, status word included.

        Raises:
            devices.errors.DeviceError: the card is gone or the reader failed; never for a status
                word, which is an answer.
        """
        ...

    def close(self) -> None:
        """Let go of the card; a second call does nothing."""
        ...


class Channel(Protocol):
    """A way to send commands: plain, or under secure messaging."""

    def send(self, command: CommandApdu) -> ResponseApdu:
        """Send one command and return its whole response."""
        ...


class PlainChannel:
    """Commands over a transport, with command chaining, GET RESPONSE and exact Le."""

    def __init__(self, transport: CardTransport) -> None:
        self._transport = transport
        self.extended_length = True
        """False where the card takes short APDUs only: long commands are then chained."""
        self.apdu_count = 0
        """Command APDUs sent so far."""

    def send(self, command: CommandApdu) -> ResponseApdu:
        """Send one command and return its whole response.

        Raises:
            CardMisbehavedError: the card announces more data without end.
            DeviceError: the transport failed.
        """
        response = self._send_chained(command)
        # ISO/IEC 7816-4, 5.6: 6Cxx asks for the same command with Le = xx. A protected command
        # is left alone: its MAC and counter allow it once only.
        if response.status.sw1 == 0x6C and command.cla & SECURE_MESSAGING_CLASS == 0:
            exact = replace(command, le=response.status.sw2 or SHORT_LE_MAX)
            response = self._send_chained(exact)
        return self._collect(command, response)

    def _send_chained(self, command: CommandApdu) -> ResponseApdu:
        """Send a command, in pieces where it is too long for a short-length card."""
        if self.extended_length or not command.is_extended:
            return self._exchange(command)
        # ISO/IEC 7816-4, 5.3.3: bit 5 of CLA marks every piece but the last.
        pieces = [
            command.data[start : start + SHORT_DATA_MAX]
            for start in range(0, len(command.data), SHORT_DATA_MAX)
        ] or [b""]
        for piece in pieces[:-1]:
            part = replace(command, cla=command.cla | CHAINING_CLASS, data=piece, le=None)
            response = self._exchange(part)
            if response.status != OK:
                return response
        le = None if command.le is None else min(command.le, SHORT_LE_MAX)
        return self._exchange(replace(command, data=pieces[-1], le=le))

    def _collect(self, command: CommandApdu, response: ResponseApdu) -> ResponseApdu:
        """Fetch what 61xx says is still waiting."""
        data = bytearray(response.data)
        rounds = 0
        while response.status.sw1 == 0x61:
            rounds += 1
            if rounds > MAX_GET_RESPONSE_ROUNDS or len(data) > EXTENDED_LE_MAX:
                raise CardMisbehavedError("the card announces more data without end")
            get_response = CommandApdu(
                command.cla & 0x03, 0xC0, 0x00, 0x00, le=response.status.sw2 or SHORT_LE_MAX
            )
            response = self._exchange(get_response)
            if response.status.sw1 == 0x61 and not response.data:
                raise CardMisbehavedError("the card announces more data but sends none")
            data += response.data
        return ResponseApdu(bytes(data), response.status)

    def _exchange(self, command: CommandApdu) -> ResponseApdu:
        self.apdu_count += 1
        return ResponseApdu.parse(self._transport.transmit(command.to_bytes()))
