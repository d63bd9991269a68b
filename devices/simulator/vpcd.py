"""A card on the virtual reader of vsmartcard-vpcd: the reader's driver listens, the card calls.

Each frame is a length of two bytes, big-endian, and a payload. Payloads of one byte are control
codes; everything else is a command APDU to answer.

Source: vsmartcard, virtualsmartcard/src/vpcd/vpcd.h.
"""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Literal

from devices.errors import CardRemovedError
from devices.simulator.card import SimulatedCard
from devices.simulator.errors import VirtualReaderUnavailableError

CardEvent = Literal["inserted", "power-on", "power-off", "reset", "torn", "removed"]

_CONNECT_TIMEOUT_S = 5.0
_RETRY_S = 0.02
# Linux only, and forgotten by the kernel after each use: without it an exchange takes 40 ms.
_TCP_QUICKACK = getattr(socket, "TCP_QUICKACK", None) if sys.platform == "linux" else None


class _Control(IntEnum):
    POWER_OFF = 0
    POWER_ON = 1
    RESET = 2
    ATR = 4


_EVENTS: dict[int, CardEvent] = {
    _Control.POWER_OFF: "power-off",
    _Control.POWER_ON: "power-on",
    _Control.RESET: "reset",
}


class VpcdSlot:
    """A simulated card in a slot of a vpcd reader."""

    def __init__(
        self,
        card: SimulatedCard,
        host: str,
        port: int,
        on_event: Callable[[CardEvent], None] = lambda event: None,
        wait_s: float = 0.0,
    ) -> None:
        """Insert the card: connect to the reader's driver.

        Args:
            card: the card; it is powered anew.
            host: where the driver runs.
            port: where it listens; the first slot of the system's reader is 35963.
            on_event: called from `serve` with what happens to the card.
            wait_s: how long the driver may take to listen.

        Raises:
            VirtualReaderUnavailableError: nothing listens there.
        """
        self._card = card
        self._on_event = on_event
        self._address = host, port
        self._taken_out = threading.Event()
        self._socket = _connect(self._address, wait_s)
        card.reset()

    def serve(self) -> None:
        """Answer the reader until the card is gone for good.

        A torn card that comes back by itself is inserted again when it does. The end is a card torn
        away, `remove`, or a reader that went away.
        """
        while self._serve_until_gone() and self._insert_again():
            pass

    def remove(self) -> None:
        """Take the card out; may be called from another thread."""
        self._taken_out.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _serve_until_gone(self) -> bool:
        """Return whether it was a tear that took the card away."""
        self._on_event("inserted")
        try:
            while (payload := self._receive()) is not None:
                self._answer(payload)
        except CardRemovedError:
            self._on_event("torn")
            return True
        except OSError:
            pass  # the reader went away, or `remove` was called meanwhile
        finally:
            self._socket.close()
            self._on_event("removed")
        return False

    def _insert_again(self) -> bool:
        """Wait until the torn card is back; return False if it stays away."""
        if (back_at_s := self._card.back_at_s) is None:
            return False
        if self._taken_out.wait(max(0.0, back_at_s - time.monotonic())):
            return False
        try:
            self._socket = _connect(self._address)
        except VirtualReaderUnavailableError:
            return False
        if self._taken_out.is_set():
            self._socket.close()
            return False
        self._card.reset()
        return True

    def _answer(self, payload: bytes) -> None:
        if len(payload) != 1:
            self._send(self._card.transmit(payload))
            return
        if payload[0] == _Control.ATR:
            self._send(self._card.atr)
        elif payload[0] in _EVENTS:
            self._card.reset()
            self._on_event(_EVENTS[payload[0]])

    def _send(self, payload: bytes) -> None:
        self._socket.sendall(len(payload).to_bytes(2, "big") + payload)

    def _receive(self) -> bytes | None:
        """Return the next payload, None at the end of the stream."""
        length = self._receive_exactly(2)
        return None if length is None else self._receive_exactly(int.from_bytes(length, "big"))

    def _receive_exactly(self, count: int) -> bytes | None:
        data = bytearray()
        while len(data) < count:
            if _TCP_QUICKACK is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)
            part = self._socket.recv(count - len(data))
            if not part:
                return None
            data += part
        return bytes(data)


def _connect(address: tuple[str, int], wait_s: float = 0.0) -> socket.socket:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            connection = socket.create_connection(address, _CONNECT_TIMEOUT_S)
            break
        except (OSError, OverflowError, UnicodeError) as error:
            if time.monotonic() < deadline:
                time.sleep(_RETRY_S)
                continue
            reason = getattr(error, "strerror", None) or "no answer"
            raise VirtualReaderUnavailableError(
                f"No virtual reader listens on {address[0]} port {address[1]} ({reason}). Is "
                "pcscd running with the driver of the package vsmartcard-vpcd?"
            ) from error
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
