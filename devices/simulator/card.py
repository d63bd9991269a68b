"""The simulated citizen card: APDUs in, APDUs out.

Source: ISO/IEC 7816-4 §5 (APDUs, chaining); ICAO Doc 9303-11 §9.8 (secure messaging).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from time import perf_counter

from devices.errors import CardRemovedError
from devices.simulator import apdu, tlv
from devices.simulator.apdu import (
    CommandApdu,
    Instruction,
    StatusError,
    parse_command,
    status_bytes,
)
from devices.simulator.commands import CommandProcessor
from devices.simulator.faults import Fault, FaultKind
from devices.simulator.image import CardImage
from devices.simulator.link import Exchange, LinkClock, LinkModel
from devices.simulator.randomness import Randomness, SystemRandomness
from devices.simulator.secure_messaging import SecureMessaging

ATR = bytes.fromhex("3B80800101")
"""What a contactless reader makes up for a card without historical bytes.

Source: PC/SC part 3 §3.1.3.2.3.1.
"""

_MAX_RESPONSE_BYTES = 65533  # a frame of the virtual reader holds 65535 with the status word


class SimulatedCard:
    """A card in process, with the interface of `devices.transport.CardTransport`.

    One thread at a time may use it. Like a real card it stays as it is between two readings:
    `reset` it first, as a reader does when it connects.
    """

    def __init__(
        self,
        image: CardImage,
        faults: Iterable[Fault] = (),
        randomness: Randomness | None = None,
        link: LinkModel | None = None,
    ) -> None:
        """Place a card into the field.

        Args:
            image: the personalised card.
            faults: what shall go wrong.
            randomness: source of nonces and ephemeral keys; the system's by default.
            link: how slow the card answers; by default as its profile says, or at once.
        """
        self.name = "simulated card"
        self.atr = ATR
        self._faults = tuple(faults)
        stored = replace(image, files=self._truncated(image.files))
        self._processor = CommandProcessor(stored, randomness or SystemRandomness())
        self._behaviour = image.behaviour
        self._apdus = 0
        link = link or image.behaviour.link
        self._clock = None if link is None else LinkClock(link)
        self.reset()

    def reset(self) -> None:
        """Power the card anew: no session, nothing selected, back in the field after a tear."""
        self._processor.reset()
        self._session: SecureMessaging | None = None
        self._unsent = b""
        self._removed = False
        if self._clock is not None:
            self._clock.reset()

    def close(self) -> None:
        """Take the card out of the field."""
        self._removed = True

    def transmit(self, command: bytes) -> bytes:
        """Answer one command APDU with a response APDU.

        Raises:
            CardRemovedError: the card was closed or torn away.
        """
        if self._removed:
            raise CardRemovedError("The card is no longer on the reader.")
        started_s = perf_counter()
        self._ec_multiplications = self._protected_bytes = 0
        response = self._answer(command)
        if self._clock is not None:
            work = self._ec_multiplications, self._protected_bytes
            self._clock.keep(Exchange(len(command), len(response), *work), started_s)
        return response

    def _answer(self, command: bytes) -> bytes:
        """Return the response APDU, with the faults that are due."""
        self._apdus += 1
        if self._shows("tear"):
            self._removed = True
            raise CardRemovedError("The card was taken away during the exchange.")
        if self._shows("naked-6700"):
            return status_bytes(apdu.WRONG_LENGTH)
        response = self._respond(command)
        if self._shows("wrong-mac") and tlv.encode(0x99, response[-2:]) in response[:-2]:
            return response[:-3] + bytes([response[-3] ^ 1]) + response[-2:]
        return response

    def _shows(self, kind: FaultKind) -> bool:
        return any(f.kind == kind and f.at_apdu == self._apdus for f in self._faults)

    def _truncated(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        cut = {fault.file for fault in self._faults if fault.kind == "truncated-file"}
        return {
            name: content[: len(content) // 2] if name in cut else content
            for name, content in files.items()
        }

    def _respond(self, raw: bytes) -> bytes:
        """Return the response APDU, protected if the command was."""
        try:
            command = parse_command(raw)
            if command.extended and not self._behaviour.extended_length:
                raise StatusError(apdu.WRONG_LENGTH)
            if command.cla & ~(apdu.CLA_CHAINING | apdu.CLA_SECURE_MESSAGING):
                raise StatusError(apdu.CLA_NOT_SUPPORTED)
            room = min(command.ne or apdu.NE_SHORT, _MAX_RESPONSE_BYTES)
            if command.ins == Instruction.GET_RESPONSE:
                return self._take_part(room)
            self._unsent = self._perform(command, room)
            return self._take_part(room)
        except StatusError as error:
            return status_bytes(error.status)

    def _perform(self, command: CommandApdu, room: int) -> bytes:
        """Perform a command and return its whole response, however long."""
        if command.cla & apdu.CLA_SECURE_MESSAGING == apdu.CLA_SECURE_MESSAGING:
            response = self._perform_protected(command, room)
        else:
            # Doc 9303-11 §9.8.1: a plain command ends the session.
            self._session = None
            data, status = self._processor.perform(command, room, access_granted=False)
            self._ec_multiplications = private_key_operations(command.ins, data)
            response = data + status_bytes(status)
        # The answer that ends a key agreement still belonged to the session before it.
        self._session = self._processor.take_opened_session() or self._session
        return response

    def _perform_protected(self, command: CommandApdu, room: int) -> bytes:
        session = self._session
        if session is None:
            raise StatusError(apdu.SM_OBJECTS_INCORRECT)
        try:
            plain = session.unwrap(command)
        except StatusError:
            # Doc 9303-11 §9.8.5: an error of secure messaging is answered bare and ends it.
            self._session = None
            raise
        data, status = self._processor.perform(plain, session.capacity(room), access_granted=True)
        self._ec_multiplications = private_key_operations(plain.ins, data)
        self._protected_bytes = len(plain.data) + len(data)
        return session.wrap(command.ins, data, status)

    def _take_part(self, room: int) -> bytes:
        """Return what fits of the response; the rest waits for GET RESPONSE.

        Source: ISO/IEC 7816-4 §5.3.4 (response chaining, 61xx).
        """
        if not self._unsent:
            raise StatusError(apdu.CONDITIONS_NOT_SATISFIED)
        data, status = self._unsent[:-2], self._unsent[-2:]
        if len(data) <= room:
            self._unsent = b""
            return data + status
        self._unsent = data[room:] + status
        waiting = len(data) - room
        return data[:room] + bytes([0x61, waiting if waiting < 0x100 else 0])


def private_key_operations(ins: int, data: bytes) -> int:
    """Return how many slow operations of the chip stand behind a response.

    Source: ICAO Doc 9303-11 §4.4.3.3.1 (DO'82': own key, shared point, s·G), §4.4.1 (DO'84': own
    key, shared secret), §6.2 (empty DO'7C': shared secret), §6.1 (signature).
    """
    if ins == Instruction.INTERNAL_AUTHENTICATE:
        return bool(data)
    if ins != Instruction.GENERAL_AUTHENTICATE or not data:
        return 0
    objects = tlv.dynamic_authentication_data(data)
    if not objects:
        return 1
    return 3 if objects.get(0x82) else 2 if 0x84 in objects else 0
