"""What reader and card have in common: one exchange of APDU bytes, and what rides on it."""

import time
from dataclasses import replace
from typing import Protocol

from devices.apdu import (
    EXTENDED_DATA_MAX,
    EXTENDED_LE_MAX,
    OK,
    SECURE_MESSAGING_CLASS,
    SHORT_DATA_MAX,
    SHORT_LE_MAX,
    CommandApdu,
    ResponseApdu,
)
from devices.errors import CardMisbehavedError, CardTooSlowError

_FREE_ROUNDS = 16
_FEWEST_BYTES_A_ROUND = 16
_LENGTHS = 9
"""Header, extended Lc and Le: what a command APDU holds beside its data."""
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

    def __init__(self, transport: CardTransport, timeout_s: float | None = None) -> None:
        """Take the card, and how long all that is done with it may take; None for no limit."""
        self._transport = transport
        self._deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        self.extended_length = True
        """False where card or reader take short APDUs only: long commands are then chained."""
        self.max_command_bytes = EXTENDED_DATA_MAX + _LENGTHS
        """Longest command APDU with extended length that card and reader are known to take."""
        self.max_response_bytes = EXTENDED_LE_MAX
        """Longest response APDU with extended length that card and reader are known to bring."""
        self.apdu_count = 0
        """Command APDUs sent so far."""

    @property
    def atr(self) -> bytes:
        """Answer to reset of the card; empty if the transport has none."""
        return self._transport.atr

    @property
    def name(self) -> str:
        """Name of the reader."""
        return self._transport.name

    def send(self, command: CommandApdu) -> ResponseApdu:
        """Send one command and return its whole response.

        Raises:
            CardMisbehavedError: the card announces more data without end.
            CardTooSlowError: the time for the whole work is over.
            DeviceError: the transport failed.
        """
        response = self._send_chained(command)
        # ISO/IEC 7816-4, 5.6: 6Cxx asks for the same command with Le = xx. A protected command
        # is left alone: its MAC and counter allow it once only.
        if response.status.sw1 == 0x6C and command.cla & SECURE_MESSAGING_CLASS == 0:
            if (command.le or 0) > SHORT_LE_MAX:
                self.extended_length = False
            exact = replace(command, le=response.status.sw2 or SHORT_LE_MAX)
            response = self._send_chained(exact)
        return self._collect(command, response)

    def forward(self, command: bytes) -> ResponseApdu:
        """Send a protected command that was made elsewhere, byte for byte.

        Raises:
            CardMisbehavedError, CardTooSlowError, DeviceError: as `send`.
        """
        protected = CommandApdu(*command[:4])
        return self._collect(protected, self._transmit(command))

    def _send_chained(self, command: CommandApdu) -> ResponseApdu:
        """Send a command, in pieces where it is too long for a short-length card."""
        is_whole = self.extended_length and len(command.data) <= self.max_command_bytes - _LENGTHS
        if is_whole or not command.is_extended:
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
        if command.cla & SECURE_MESSAGING_CLASS and _is_whole_protected(response):
            return response
        data = bytearray(response.data)
        rounds = 0
        while response.status.sw1 == 0x61:
            rounds += 1
            refuse_crumbs(rounds, len(data))
            get_response = CommandApdu(
                command.cla & 0x03, 0xC0, 0x00, 0x00, le=response.status.sw2 or SHORT_LE_MAX
            )
            response = self._exchange(get_response)
            if response.status.sw1 == 0x61 and not response.data:
                raise CardMisbehavedError("the card announces more data but sends none")
            data += response.data
        return ResponseApdu(bytes(data), response.status)

    def _exchange(self, command: CommandApdu) -> ResponseApdu:
        return self._transmit(command.to_bytes())

    def _transmit(self, command: bytes) -> ResponseApdu:
        if self._deadline_s is not None and time.monotonic() > self._deadline_s:
            raise CardTooSlowError("the card or reader took too long: place the card again")
        self.apdu_count += 1
        return ResponseApdu.parse(self._transport.transmit(command))


def refuse_crumbs(rounds: int, size_bytes: int) -> None:
    """Raise where a card sends a response in more rounds than it is worth.

    Raises:
        CardMisbehavedError: it does.
    """
    is_crumbs = rounds > _FREE_ROUNDS + size_bytes // _FEWEST_BYTES_A_ROUND
    if is_crumbs or size_bytes > EXTENDED_LE_MAX:
        raise CardMisbehavedError("the card announces more data without end")


def _is_whole_protected(response: ResponseApdu) -> bool:
    """Return whether the data end with DO'99', holding the status word, and DO'8E'.

    Then 61xx is not said of the protected response, whose parts come by a plain GET RESPONSE, but
    is protected itself.
    """
    end = b"\x99\x02" + response.status.to_bytes(2, "big") + b"\x8e\x08"
    return response.data[-14:-8] == end
