"""Cards on PC/SC readers; the only module that imports `smartcard`.

The thin layer of pyscard is used: every connection has a context of its own, so a service that was
restarted or a reader that was plugged in later is seen at once.

Source: PC/SC part 5, 3; the WinSCard functions of the same names.
"""

import time
from types import ModuleType
from typing import Any

from devices.errors import (
    CardMissingError,
    CardRemovedError,
    DeviceError,
    PcscUnavailableError,
    ReaderFailedError,
    ReaderMissingError,
)

DEFAULT_WAIT_S = 30.0
_POLL_S = 0.5
_REMOVAL_NOTICE_S = 1.0
_REMOVED = "the card was taken away or lost power: place it again"


def list_readers() -> list[str]:
    """Return the names of the connected readers; empty if there is none.

    Raises:
        PcscUnavailableError: the PC/SC service or pyscard is missing.
    """
    with _Context() as context:
        return context.readers()


def connect(reader: str | None = None, wait_s: float = DEFAULT_WAIT_S) -> "PcscTransport":
    """Wait for a card and connect to it.

    Args:
        reader: the reader's name, or a part of it that fits one reader only; None for the first
            reader that has a card.
        wait_s: how long to wait for a card.

    Raises:
        PcscUnavailableError: the PC/SC service or pyscard is missing.
        ReaderMissingError: no such reader.
        CardMissingError: no card came in time.
    """
    context = _Context()
    try:
        deadline = time.monotonic() + wait_s
        names = _matching(context.readers(), reader)
        while True:
            for name in names:
                transport = context.try_connect(name)
                if transport is not None:
                    return transport
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise CardMissingError("no card on the reader: place the card and try again")
            context.wait_for_change(names, min(_POLL_S, left_s))
    except BaseException:
        context.close()
        raise


class PcscTransport:
    """A card on a reader, held for us alone until it is closed."""

    def __init__(self, context: "_Context", handle: Any, protocol: int, name: str) -> None:
        """Take a connected card; `connect` makes these."""
        self.name = name
        self._context = context
        self._handle = handle
        self._protocol = protocol
        self._is_open = True
        scard = context.scard
        code, _, _, _, atr = scard.SCardStatus(handle)
        self.atr = bytes(atr) if code == scard.SCARD_S_SUCCESS else b""

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU and return the response APDU.

        Raises:
            CardRemovedError: the card or the reader is gone, or another program reset the card.
            ReaderFailedError: the reader could not carry out the exchange.
        """
        if not self._is_open:
            raise CardRemovedError("the connection to the card is closed")
        scard = self._context.scard
        code, response = scard.SCardTransmit(self._handle, self._protocol, list(command))
        try:
            self._context.check(code)
        except ReaderFailedError:
            # A card that is pulled out fails the exchange before the service notices why.
            if self._context.is_card_gone(self.name, _REMOVAL_NOTICE_S):
                raise CardRemovedError(_REMOVED) from None
            raise
        if not response:
            # Some drivers (vpcd) report success for a card that left before it had answered.
            raise CardRemovedError(_REMOVED)
        return bytes(response)

    def close(self) -> None:
        """Reset the card, so that no session stays open, and let go of it."""
        if not self._is_open:
            return
        self._is_open = False
        scard = self._context.scard
        scard.SCardEndTransaction(self._handle, scard.SCARD_RESET_CARD)
        scard.SCardDisconnect(self._handle, scard.SCARD_RESET_CARD)
        self._context.close()

    def __enter__(self) -> "PcscTransport":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Context:
    """A connection to the PC/SC service."""

    def __init__(self) -> None:
        self.scard = _load_scard()
        code, self._context = self.scard.SCardEstablishContext(self.scard.SCARD_SCOPE_USER)
        if code != self.scard.SCARD_S_SUCCESS:
            raise PcscUnavailableError(
                "the PC/SC service is not running, or does not let this account in "
                "(Linux: pcscd; Windows: Smart Card)"
            )
        self._is_open = True

    def readers(self) -> list[str]:
        code, names = self.scard.SCardListReaders(self._context, [])
        if code == self.scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        self.check(code)
        return [str(name) for name in names]

    def try_connect(self, name: str) -> PcscTransport | None:
        """Return the card on the reader, or None if there is none that we may use yet."""
        scard = self.scard
        code, handle, protocol = scard.SCardConnect(
            self._context,
            name,
            scard.SCARD_SHARE_SHARED,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        if code in (
            scard.SCARD_E_NO_SMARTCARD,
            scard.SCARD_W_REMOVED_CARD,
            scard.SCARD_W_UNPOWERED_CARD,
            scard.SCARD_W_UNRESPONSIVE_CARD,
            scard.SCARD_E_SHARING_VIOLATION,
        ):
            return None
        self.check(code)
        # No other program may speak to the card between our commands.
        code = scard.SCardBeginTransaction(handle)
        if code != scard.SCARD_S_SUCCESS:
            scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
            return None
        return PcscTransport(self, handle, protocol, name)

    def wait_for_change(self, names: list[str], wait_s: float) -> None:
        """Sleep until a card comes or goes, at most `wait_s`."""
        states = [(name, self.scard.SCARD_STATE_UNAWARE) for name in names]
        code, current = self.scard.SCardGetStatusChange(self._context, 0, states)
        self.check(code)
        known = [(name, state) for name, state, _ in current]
        code, _ = self.scard.SCardGetStatusChange(self._context, int(wait_s * 1000), known)
        if code != self.scard.SCARD_E_TIMEOUT:
            self.check(code)

    def is_card_gone(self, name: str, wait_s: float) -> bool:
        """Return whether the reader loses its card within `wait_s`, or is gone itself."""
        deadline = time.monotonic() + wait_s
        state = self.scard.SCARD_STATE_UNAWARE
        while True:
            left_ms = max(0, int((deadline - time.monotonic()) * 1000))
            code, current = self.scard.SCardGetStatusChange(
                self._context, left_ms if state else 0, [(name, state)]
            )
            if code == self.scard.SCARD_E_TIMEOUT:
                return False
            if code != self.scard.SCARD_S_SUCCESS:
                return True
            state = current[0][1]
            if not state & self.scard.SCARD_STATE_PRESENT:
                return True

    def check(self, code: int) -> None:
        """Raise the error that a result code of the service stands for."""
        if code == self.scard.SCARD_S_SUCCESS:
            return
        raise _error(self.scard, code)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.scard.SCardReleaseContext(self._context)

    def __enter__(self) -> "_Context":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _error(scard: ModuleType, code: int) -> DeviceError:
    if code in (
        scard.SCARD_W_REMOVED_CARD,
        scard.SCARD_W_RESET_CARD,
        scard.SCARD_W_UNPOWERED_CARD,
        scard.SCARD_E_NO_SMARTCARD,
        scard.SCARD_E_READER_UNAVAILABLE,
        scard.SCARD_E_INVALID_HANDLE,
    ):
        return CardRemovedError(_REMOVED)
    if code in (scard.SCARD_E_UNKNOWN_READER, scard.SCARD_E_NO_READERS_AVAILABLE):
        return ReaderMissingError("the card reader is not connected")
    if code in (scard.SCARD_E_NO_SERVICE, scard.SCARD_E_SERVICE_STOPPED):
        return PcscUnavailableError("the PC/SC service stopped")
    if code == scard.SCARD_W_SECURITY_VIOLATION:
        return PcscUnavailableError("the PC/SC service does not let this account in")
    return ReaderFailedError(f"the reader failed (PC/SC code 0x{code & 0xFFFFFFFF:08X})")


def _matching(names: list[str], wanted: str | None) -> list[str]:
    if not names:
        raise ReaderMissingError("no card reader is connected")
    if wanted is None:
        return names
    if wanted in names:
        return [wanted]
    found = [name for name in names if wanted.casefold() in name.casefold()]
    if len(found) != 1:
        raise ReaderMissingError(
            f"{'no' if not found else 'more than one'} reader fits the name that was given; "
            f"connected: {', '.join(names)}"
        )
    return found


def _load_scard() -> ModuleType:
    try:
        from smartcard import scard
    except ImportError:
        raise PcscUnavailableError("card readers need pyscard: install chinhchu[pcsc]") from None
    return scard  # type: ignore[no-any-return]
