"""What the card does with a command once it lies open: files and authentication protocols.

Source: ISO/IEC 7816-4 §11; ICAO Doc 9303-11 §4, §6.
"""

from typing import Protocol

from devices.simulator import apdu, bac, tlv
from devices.simulator.active_authentication import CHALLENGE_BYTES, sign_challenge
from devices.simulator.apdu import CommandApdu, Instruction, StatusError
from devices.simulator.file_system import FileSystem
from devices.simulator.image import CardImage
from devices.simulator.key_agreements import KeyAgreements
from devices.simulator.keys import load_key
from devices.simulator.pace import Password
from devices.simulator.password_tries import PasswordTries
from devices.simulator.randomness import Randomness
from devices.simulator.secure_messaging import SecureMessaging

_SET_AT_PACE = 0xC1A4
_SET_AT_CHIP_AUTHENTICATION = 0x41A4
_SET_KAT_CHIP_AUTHENTICATION = 0x41A6


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
        self._agreements = KeyAgreements(image, randomness)
        self._random = randomness
        self._tries = PasswordTries(image.behaviour)
        self._delay_s = 0.0
        self._exchange: _Exchange | None = None
        self._password: Password | None = None
        self._rnd_ic: bytes | None = None
        self._opened: SecureMessaging | None = None

    def reset(self) -> None:
        """Forget what is selected and what was begun."""
        self._file_system.reset()
        self._exchange = self._password = self._rnd_ic = self._opened = None

    def take_opened_session(self) -> SecureMessaging | None:
        """Return, once, the session that the last command opened."""
        opened, self._opened = self._opened, None
        return opened

    def take_delay_s(self) -> float:
        """Return, once, how much longer the last command takes because of wrong passwords."""
        delay_s, self._delay_s = self._delay_s, 0.0
        return delay_s

    def file_read_by(self, header: bytes) -> str | None:
        """Return the file that a READ BINARY with this header would read, None for another."""
        return self._file_system.read_by(*header[1:4]) if len(header) >= 4 else None

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
                return b"", self._file_system.select(command, access_granted=granted)
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
                return b"", self._status_of_password()
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
        self._tries.begin(Password.MRZ)
        self._delay_s = self._tries.delay_s(Password.MRZ)
        try:
            answer, self._opened = bac.mutual_authenticate(
                self._behaviour.mrz_information, rnd_ic, command.data, self._random
            )
        except bac.AuthenticationError:
            raise self._tries.failed(Password.MRZ) from None
        self._tries.succeeded(Password.MRZ)
        return answer

    def _internal_authenticate(self, command: CommandApdu, granted: bool) -> bytes:
        """Source: ICAO Doc 9303-11 §6.1.3.1."""
        if self._aa_key is None:
            raise StatusError(apdu.INS_NOT_SUPPORTED)
        if not granted:
            raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
        if len(command.data) != CHALLENGE_BYTES:
            raise StatusError(apdu.WRONG_LENGTH)
        signature = sign_challenge(
            self._aa_key,
            command.data,
            self._random,
            self._behaviour.active_authentication_digest,
            der="aa-ecdsa-der" in self._behaviour.quirks,
            explicit_sha1="aa-sha1-trailer-33cc" in self._behaviour.quirks,
        )
        shortened = "aa-signature-without-leading-zeros" in self._behaviour.quirks
        return signature.lstrip(b"\0") if shortened else signature

    def _begin_exchange(self, command: CommandApdu, granted: bool) -> _Exchange | None:
        """Source: ICAO Doc 9303-11 §4.4.4.1, §6.2.4 (MANAGE SECURITY ENVIRONMENT)."""
        self._password = None
        if command.ne and "le-on-mse-refused" in self._behaviour.quirks:
            raise StatusError(apdu.WRONG_LENGTH)
        try:
            objects = dict(tlv.parse(command.data))
        except tlv.TlvError:
            raise StatusError(apdu.WRONG_DATA) from None
        if command.p1p2 == _SET_AT_PACE:
            self._password, run = self._agreements.begin_pace(objects)
            self._tries.begin(self._password)
            return run
        if command.p1p2 not in (_SET_AT_CHIP_AUTHENTICATION, _SET_KAT_CHIP_AUTHENTICATION):
            raise StatusError(apdu.INCORRECT_P1P2)
        if not granted:
            raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
        if command.p1p2 == _SET_AT_CHIP_AUTHENTICATION:
            return self._agreements.begin_chip_authentication(objects)
        self._opened = self._agreements.authenticate_by_template(objects)
        return None

    def _status_of_password(self) -> int:
        """Return the status word of MSE:Set AT, which may tell how many tries are left."""
        if self._password is None or "mse-tells-tries" not in self._behaviour.quirks:
            return apdu.OK
        left = self._tries.begin(self._password)
        return apdu.OK if left is None else apdu.TRIES_LEFT | left

    def _general_authenticate(self, data: bytes, *, last: bool) -> bytes:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            raise StatusError(apdu.CONDITIONS_NOT_SATISFIED)
        if last and self._password is not None:
            self._delay_s = self._tries.delay_s(self._password)
        try:
            answer = exchange.step(data, last)
        except bac.AuthenticationError:
            assert self._password is not None
            raise self._tries.failed(self._password) from None
        except ValueError:
            raise StatusError(apdu.WRONG_DATA) from None
        self._opened = exchange.session
        if exchange.session is not None and self._password is not None:
            self._tries.succeeded(self._password)
        if exchange.session is None:
            self._exchange = exchange
        return answer
