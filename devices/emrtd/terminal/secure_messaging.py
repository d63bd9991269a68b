"""Channels of a card session whose commands are sealed and whose answers are checked.

Source: ICAO Doc 9303-11, 9.8.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from devices.apdu import SHORT_LE_MAX, CommandApdu, ResponseApdu, StatusWord
from devices.emrtd.crypto.message_protection import SecureMessaging
from devices.emrtd.errors import UnprotectedResponseError
from devices.transport import Channel, refuse_crumbs

__all__ = ["Observer", "RecoverableChannel", "SecureChannel", "SecureMessaging"]


class RecoverableChannel(ABC):
    """A channel in which a command that the card refused unseen can be replaced by another."""

    @abstractmethod
    def send(self, command: CommandApdu) -> ResponseApdu:
        """Send one command and return its whole response."""

    @abstractmethod
    def send_instead(self, command: CommandApdu) -> ResponseApdu:
        """Send a command in place of the last one, which the card refused without protection."""


Observer = Callable[[CommandApdu, ResponseApdu | None, StatusWord], None]
"""Called after each exchange with the plain command, its plain response (None where the answer bore
no protection) and the status word."""


class SecureChannel(RecoverableChannel):
    """Commands under secure messaging, over the plain channel."""

    def __init__(self, below: Channel, messaging: SecureMessaging) -> None:
        self._below = below
        self.messaging = messaging
        self.observer: Observer | None = None
        """Told of each exchange, for a trace; what it is told holds personal data."""

    def send(self, command: CommandApdu) -> ResponseApdu:
        """Send one command protected and return its authentic response.

        Raises:
            UnprotectedResponseError: the answer bears no protection.
            SecureMessagingError: the answer is not authentic.
            DeviceError: the transport failed.
        """
        rounds = 0
        try:
            response = self._exchange(command)
            data = response.data
            while response.status.sw1 == 0x61:
                rounds += 1
                refuse_crumbs(rounds, len(data))
                le = response.status.sw2 or SHORT_LE_MAX
                response = self._exchange(CommandApdu(0x00, 0xC0, 0x00, 0x00, le=le))
                data += response.data
        except UnprotectedResponseError as error:
            error.is_answered_in_part = rounds > 0
            self._tell(command, None, StatusWord(error.status))
            raise
        response = ResponseApdu(data, response.status)
        self._tell(command, response, response.status)
        return response

    def send_instead(self, command: CommandApdu) -> ResponseApdu:
        """Send a command in place of the last one, which the card refused without protection.

        It carries the counter of the refused one. Whoever cut off the answer to that could give it
        out as the answer to this: so this must ask for the same bytes of the same file, only fewer.
        Nothing takes the place of a GET RESPONSE, whose answer is of bytes further on.

        Raises:
            UnprotectedResponseError, SecureMessagingError: the card has lost the session.
            DeviceError: the transport failed.
        """
        self.messaging.roll_back()
        return self.send(command)

    def _exchange(self, command: CommandApdu) -> ResponseApdu:
        return self.messaging.unwrap(self._below.send(self.messaging.wrap(command)))

    def _tell(
        self, command: CommandApdu, response: ResponseApdu | None, status: StatusWord
    ) -> None:
        if self.observer is not None:
            self.observer(command, response, status)
