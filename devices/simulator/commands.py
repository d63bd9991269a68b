"""What the card does with a command once it lies open: files and authentication protocols.

Source: ISO/IEC 7816-4 §11; ICAO Doc 9303-11 §4, §6.
"""

from typing import Protocol

from devices.simulator import apdu, bac, chip_authentication, pace, tlv
from devices.simulator.active_authentication import CHALLENGE_BYTES, sign_challenge
from devices.simulator.apdu import CommandApdu, Instruction, StatusError
from devices.simulator.chip_authentication import ChipAuthentication
from devices.simulator.curves import BY_PARAMETER_ID
from devices.simulator.file_system import FileSystem
from devices.simulator.image import CardImage
from devices.simulator.keys import EcKeyPair, load_key
from devices.simulator.pace import Pace, PaceSuite, Password, password_secret
from devices.simulator.randomness import Randomness
from devices.simulator.secure_messaging import SecureMessaging
from devices.simulator.security_infos import PACE_PARAMETER_ID

_SET_AT_PACE = 0xC1A4
_SET_AT_CHIP_AUTHENTICATION = 0x41A4


class _Exchange(Protocol):
    """A protocol that runs over GENERAL AUTHENTICATE."""

    session: SecureMessaging | None

    def step(self, request: bytes, last: bool) -> bytes:
        """Answer one command; `last` is False if it is chained to the next."""


class CommandProcessor:
    """The card's operating system below secure messaging."""

    def __init__(self, image: CardImage, randomness: Randomness) -> None:
        self._behaviour = image.behaviour
        self._file_system = FileSystem(image.files, image.behaviour)
        self._aa_key = None if image.aa_key is None else load_key(image.aa_key)
        self._ca_key = None if image.ca_key is None else load_key(image.ca_key)
        self._random = randomness
        self._exchange: _Exchange | None = None
        self._rnd_ic: bytes | None = None
        self._opened: SecureMessaging | None = None

    def reset(self) -> None:
        """Forget what is selected and what was begun."""
        self._file_system.reset()
        self._exchange = self._rnd_ic = self._opened = None

    def take_opened_session(self) -> SecureMessaging | None:
        """Return, once, the session that the last command opened."""
        opened, self._opened = self._opened, None
        return opened

    def perform(
        self, command: CommandApdu, room: int, *, access_granted: bool
    ) -> tuple[bytes, int]:
        """Perform a plain or unwrapped command: return response data and status word.

        Args:
            command: the command.
            room: how many bytes of data the response can carry.
            access_granted: whether a session of BAC or PACE protects the exchange.
        """
        chained = bool(command.cla & apdu.CLA_CHAINING)
        try:
            if command.ins == Instruction.GENERAL_AUTHENTICATE:
                return self._general_authenticate(command.data, last=not chained), apdu.OK
            if chained:
                raise StatusError(apdu.CHAINING_NOT_SUPPORTED)
            self._exchange = None
            return self._perform_single(command, room, access_granted)
        except StatusError as error:
            return b"", error.status

    def _perform_single(self, command: CommandApdu, room: int, granted: bool) -> tuple[bytes, int]:
        match command.ins:
            case Instruction.SELECT:
                self._file_system.select(command, access_granted=granted)
                return b"", apdu.OK
            case Instruction.READ_BINARY:
                return self._file_system.read_binary(command, room, access_granted=granted)
            case Instruction.READ_BINARY_ODD:
                return self._file_system.read_binary_odd(command, room, access_granted=granted)
            case Instruction.GET_CHALLENGE:
                return self._get_challenge(command), apdu.OK
            case Instruction.EXTERNAL_AUTHENTICATE:
                return self._external_authenticate(command), apdu.OK
            case Instruction.MANAGE_SECURITY_ENVIRONMENT:
                self._exchange = self._begin_exchange(command, granted)
                return b"", apdu.OK
            case Instruction.INTERNAL_AUTHENTICATE:
                return self._internal_authenticate(command, granted), apdu.OK
        raise StatusError(apdu.INS_NOT_SUPPORTED)

    def _get_challenge(self, command: CommandApdu) -> bytes:
        """Source: ICAO Doc 9303-11 §4.3.4.1."""
        if not self._file_system.application_selected:
            raise StatusError(apdu.CONDITIONS_NOT_SATISFIED)
        if command.ne != bac.CHALLENGE_BYTES and command.ne < apdu.NE_SHORT:
            raise StatusError(apdu.WRONG_LENGTH)
        self._rnd_ic = self._random.octets(bac.CHALLENGE_BYTES)
        return self._rnd_ic

    def _external_authenticate(self, command: CommandApdu) -> bytes:
        """Source: ICAO Doc 9303-11 §4.3.4.2."""
        # Cards that speak PACE only answer 6A88.
        if "bac" not in self._behaviour.access:
            raise StatusError(apdu.REFERENCE_NOT_FOUND)
        rnd_ic, self._rnd_ic = self._rnd_ic, None
        if rnd_ic is None:
            raise StatusError(apdu.CONDITIONS_NOT_SATISFIED)
        if len(command.data) != bac.COMMAND_BYTES:
            raise StatusError(apdu.WRONG_LENGTH)
        try:
            answer, self._opened = bac.mutual_authenticate(
                self._behaviour.mrz_information, rnd_ic, command.data, self._random
            )
        except bac.AuthenticationError:
            raise StatusError(apdu.AUTHENTICATION_FAILED) from None
        return answer

    def _internal_authenticate(self, command: CommandApdu, granted: bool) -> bytes:
        """Source: ICAO Doc 9303-11 §6.1.3.1."""
        if self._aa_key is None:
            raise StatusError(apdu.INS_NOT_SUPPORTED)
        if not granted:
            raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
        if len(command.data) != CHALLENGE_BYTES:
            raise StatusError(apdu.WRONG_LENGTH)
        return sign_challenge(self._aa_key, command.data, self._random)

    def _begin_exchange(self, command: CommandApdu, granted: bool) -> _Exchange:
        try:
            objects = dict(tlv.parse(command.data))
        except tlv.TlvError:
            raise StatusError(apdu.WRONG_DATA) from None
        if command.p1p2 == _SET_AT_PACE:
            return self._begin_pace(objects)
        if command.p1p2 == _SET_AT_CHIP_AUTHENTICATION:
            if not granted:
                raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
            return self._begin_chip_authentication(objects)
        raise StatusError(apdu.INCORRECT_P1P2)

    def _begin_pace(self, objects: dict[int, bytes]) -> Pace:
        """Source: ICAO Doc 9303-11 §4.4.4.1 (MSE:Set AT)."""
        protocol = objects.get(0x80, b"")
        if "pace" not in self._behaviour.access or protocol not in pace.CIPHER_BY_PROTOCOL:
            raise StatusError(apdu.WRONG_DATA)
        # DO'84' may be left out where the chip has one set of parameters.
        if objects.get(0x84, bytes([PACE_PARAMETER_ID])) != bytes([PACE_PARAMETER_ID]):
            raise StatusError(apdu.REFERENCE_NOT_FOUND)
        try:
            password = Password(int.from_bytes(objects.get(0x83, b""), "big"))
        except ValueError:
            raise StatusError(apdu.REFERENCE_NOT_FOUND) from None
        secret = password_secret(password, self._behaviour.can, self._behaviour.mrz_information)
        suite = PaceSuite(protocol, BY_PARAMETER_ID[PACE_PARAMETER_ID])
        return Pace(suite, secret, self._random)

    def _begin_chip_authentication(self, objects: dict[int, bytes]) -> ChipAuthentication:
        """Source: ICAO Doc 9303-11 §6.2.4.2 (MSE:Set AT)."""
        cipher = chip_authentication.CIPHER_BY_PROTOCOL.get(objects.get(0x80, b""))
        if cipher is None or not isinstance(self._ca_key, EcKeyPair):
            raise StatusError(apdu.WRONG_DATA)
        # The chip has one key, whose identifier DG14 leaves out.
        if 0x84 in objects:
            raise StatusError(apdu.REFERENCE_NOT_FOUND)
        return ChipAuthentication(cipher, self._ca_key)

    def _general_authenticate(self, data: bytes, *, last: bool) -> bytes:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            raise StatusError(apdu.CONDITIONS_NOT_SATISFIED)
        try:
            answer = exchange.step(data, last)
        except bac.AuthenticationError:
            raise StatusError(apdu.AUTHENTICATION_FAILED) from None
        except ValueError:
            raise StatusError(apdu.WRONG_DATA) from None
        self._opened = exchange.session
        if exchange.session is None:
            self._exchange = exchange
        return answer
