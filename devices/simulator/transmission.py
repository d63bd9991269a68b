"""How commands reach the card and responses leave it: lengths, chaining, secure messaging.

Source: ISO/IEC 7816-4 §5.1 (lengths), §5.3.3 and §5.3.4 (command and response chaining), §10
(secure messaging); ICAO Doc 9303-11 §9.8.
"""

from dataclasses import replace

from devices.simulator import apdu, tlv
from devices.simulator.apdu import (
    CommandApdu,
    Instruction,
    StatusError,
    parse_command,
    status_bytes,
)
from devices.simulator.commands import CommandProcessor
from devices.simulator.image import CardBehaviour
from devices.simulator.secure_messaging import SecureMessaging

_MAX_RESPONSE_BYTES = 65533  # a frame of the virtual reader holds 65535 with the status word
_MAX_CHAINED_BYTES = 65535
_MAX_SURPLUS_BYTES = 65000
_READS = (Instruction.READ_BINARY, Instruction.READ_BINARY_ODD)


class Transmission:
    """One logical channel: what was sent in pieces, and the session that protects it."""

    def __init__(self, processor: CommandProcessor, behaviour: CardBehaviour) -> None:
        self._processor = processor
        self._behaviour = behaviour
        self._room = min(_MAX_RESPONSE_BYTES, behaviour.max_response_bytes - 2)
        self.ec_multiplications = 0
        """Private-key operations of the last command; see `link.Exchange`."""
        self.protected_bytes = 0
        """Plaintext that went through secure messaging in the last exchange."""
        self.reset()

    def reset(self) -> None:
        """Forget the session and all pieces."""
        self._session: SecureMessaging | None = None
        self._pieces: CommandApdu | None = None
        self._unsent = b""
        self._unsent_plain = b"", apdu.OK

    def exchange(self, raw: bytes, *, surplus: bytes = b"", unprotected: bool = False) -> bytes:
        """Answer one command APDU.

        Args:
            raw: the command.
            surplus: a fault: what follows the response data, however little was asked for.
            unprotected: a fault: leave secure messaging away in the response.
        """
        self.ec_multiplications = self.protected_bytes = 0
        self._surplus, self._unprotected = surplus, unprotected
        try:
            return self._exchange(raw)
        except StatusError as error:
            return self.bare(raw, error.status)

    def bare(self, raw: bytes, status: int) -> bytes:
        """Answer a status word without protection."""
        if self._session is not None and is_protected(raw):
            if "bare-status-advances-ssc" in self._behaviour.quirks:
                self._session.count_bare_pair()
            if "bare-status-ends-session" in self._behaviour.quirks:
                self._session = None
        return status_bytes(status)

    def _exchange(self, raw: bytes) -> bytes:
        received = parse_command(raw)
        if received.extended and not self._behaviour.extended_length:
            raise StatusError(apdu.WRONG_LENGTH)
        if len(raw) > self._behaviour.max_command_bytes:
            raise StatusError(apdu.WRONG_LENGTH)
        if received.cla & ~(apdu.CLA_CHAINING | apdu.CLA_SECURE_MESSAGING):
            raise StatusError(apdu.CLA_NOT_SUPPORTED)
        room = min(received.ne or apdu.NE_SHORT, self._room)
        if received.ins == Instruction.GET_RESPONSE and (self._unsent or not is_protected(raw)):
            return self._send(room)
        command = self._assemble(received)
        if command is None:
            return status_bytes(apdu.OK)
        self._unsent = self._perform(command, room)
        return self._send(room)

    def _assemble(self, command: CommandApdu) -> CommandApdu | None:
        """Return the command with all its pieces, None if more are to come.

        PACE chains commands of its own, each of them whole: they are passed on as they come.

        Source: ISO/IEC 7816-4 §5.3.3; ICAO Doc 9303-11 §4.4.4.2.
        """
        earlier, self._pieces = self._pieces, None
        if earlier is not None:
            if (command.cla & ~apdu.CLA_CHAINING, *command.header[1:]) != (
                earlier.cla & ~apdu.CLA_CHAINING,
                *earlier.header[1:],
            ):
                raise StatusError(apdu.LAST_OF_CHAIN_EXPECTED)
            command = replace(command, data=earlier.data + command.data)
            if len(command.data) > _MAX_CHAINED_BYTES:
                raise StatusError(apdu.WRONG_LENGTH)
        if not command.cla & apdu.CLA_CHAINING:
            return command
        if command.ins == Instruction.GENERAL_AUTHENTICATE and _is_whole(command.data):
            return command
        if not self._behaviour.command_chaining:
            raise StatusError(apdu.CHAINING_NOT_SUPPORTED)
        self._pieces = command
        return None

    def _perform(self, command: CommandApdu, room: int) -> bytes:
        """Perform a command and return its whole response, however long."""
        if is_protected(command.header):
            response = self._perform_protected(command, room)
        else:
            # Doc 9303-11 §9.8.1: a plain command ends the session.
            self._session = None
            data, status = self._perform_within(command, room, access_granted=False)
            response = self._with_surplus(data) + status_bytes(status)
        # The answer that ends a key agreement still belonged to the session before it.
        opened = self._processor.take_opened_session()
        self._session = opened or self._session
        # MSE:Set KAT agrees on a key by itself (Doc 9303-11 §6.2.4.1).
        if opened is not None and command.ins == Instruction.MANAGE_SECURITY_ENVIRONMENT:
            self.ec_multiplications = 1
        return response

    def _perform_protected(self, command: CommandApdu, room: int) -> bytes:
        session, quirks = self._session, self._behaviour.quirks
        if session is None:
            raise StatusError(apdu.SM_OBJECTS_INCORRECT)
        try:
            plain = session.unwrap(command)
        except StatusError:
            # Doc 9303-11 §9.8.5: an error of secure messaging is answered bare and ends it.
            self._session = None
            raise
        capacity = session.capacity(room)
        if "response-in-protected-parts-61xx" in quirks:
            data, status = self._take_part(plain, capacity)
        else:
            in_parts = "response-in-parts-61xx" in quirks
            fitting = self._room if in_parts else capacity
            data, status = self._perform_within(plain, fitting, access_granted=True)
        signs = plain.ins == Instruction.INTERNAL_AUTHENTICATE
        if signs and len(data) > capacity and "aa-needs-extended-le" in quirks:
            data, status = b"", apdu.WRONG_LENGTH
        self.protected_bytes = len(plain.data) + len(data)
        data = self._with_surplus(data)
        if self._unprotected:
            return data + status_bytes(status)
        tells_status = not (data and "do99-missing" in quirks)
        return session.wrap(command.ins, data, status, tells_status=tells_status)

    def _perform_within(
        self, command: CommandApdu, room: int, *, access_granted: bool
    ) -> tuple[bytes, int]:
        """Perform a command; READ BINARY that asks for more than the chip gives is told so."""
        most = self._behaviour.max_read_bytes
        if self._behaviour.max_response_bytes < apdu.NE_EXTENDED:
            session = self._session if access_granted else None
            most = min(most, session.capacity(self._room) if session else self._room)
        too_much = command.ins in _READS and command.ne > most
        asked = replace(command, ne=most) if too_much else command
        data, status = self._processor.perform(asked, room, access_granted=access_granted)
        self.ec_multiplications = private_key_operations(command.ins, data)
        if not too_much or status not in (apdu.OK, apdu.END_OF_FILE):
            return data, status
        match self._behaviour.asked_too_much:
            case "less":
                return data, status
            case "6282":
                return data, apdu.END_OF_FILE
            case "6Cxx":
                status = apdu.WRONG_LE | (most if most < apdu.NE_SHORT else 0)
            case "6700":
                status = apdu.WRONG_LENGTH
        if self._session is not None and "too-much-answered-bare" in self._behaviour.quirks:
            self._session.uncount_command()
            raise StatusError(status)
        return b"", status

    def _take_part(self, plain: CommandApdu, capacity: int) -> tuple[bytes, int]:
        """Return as much data as one protected response can carry; the rest waits."""
        if plain.ins == Instruction.GET_RESPONSE and self._unsent_plain[0]:
            data, status = self._unsent_plain
            capacity = min(capacity, plain.ne or apdu.NE_SHORT)
        else:
            data, status = self._perform_within(plain, self._room, access_granted=True)
        self._unsent_plain = data[capacity:], status
        return data[:capacity], _more(len(data) - capacity) or status

    def _with_surplus(self, data: bytes) -> bytes:
        return (data + self._surplus)[: max(len(data), _MAX_SURPLUS_BYTES)]

    def _send(self, room: int) -> bytes:
        """Return what fits of the response; the rest waits for GET RESPONSE.

        Source: ISO/IEC 7816-4 §5.3.4 (response chaining, 61xx).
        """
        if not self._unsent:
            raise StatusError(apdu.CONDITIONS_NOT_SATISFIED)
        data, status = self._unsent[:-2], self._unsent[-2:]
        if len(data) <= room or self._surplus:
            self._unsent = b""
            return data + status
        self._unsent = data[room:] + status
        return data[:room] + status_bytes(_more(len(data) - room))


def private_key_operations(ins: int, data: bytes) -> int:
    """Return how many slow operations of the chip stand behind a response in the open.

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


def is_protected(header: bytes) -> bool:
    """Say whether a command that begins so comes under secure messaging.

    Source: ICAO Doc 9303-11 §9.8.1 (CLA 0C).
    """
    return header[:1] != b"" and header[0] & apdu.CLA_SECURE_MESSAGING == apdu.CLA_SECURE_MESSAGING


def _more(waiting: int) -> int:
    """Return 61xx for so many bytes that wait, 0 if none does."""
    return apdu.MORE_DATA | (waiting if waiting < 0x100 else 0) if waiting > 0 else 0


def _is_whole(data: bytes) -> bool:
    """Say whether data objects are complete."""
    try:
        list(tlv.parse(data))
    except tlv.TlvError:
        return False
    return True
