"""The card's files: selection, access conditions, READ BINARY.

Source: ISO/IEC 7816-4 §11.2.2 (SELECT), §11.3.3 (READ BINARY); ICAO Doc 9303-10 §3.6.
"""

from collections.abc import Mapping

from devices.simulator import apdu, tlv
from devices.simulator.apdu import CommandApdu, Instruction, StatusError
from devices.simulator.image import CardBehaviour
from devices.simulator.lds import APPLICATION, APPLICATION_FILES, MASTER_FILE, MASTER_FILES

_BEHIND_TERMINAL_AUTHENTICATION = {"EF.DG3", "EF.DG4"}
_OFFSET_OBJECT = 0x54
_DATA_OBJECT = 0x53
_HIGHEST_SHORT_IDENTIFIER = 0x1E
_EVEN_READ_END = 0x8000
_NO_SHORT_IDENTIFIERS = {
    "sfi-6a82": apdu.FILE_NOT_FOUND,
    "sfi-6a86": apdu.INCORRECT_P1P2,
    "sfi-6b00": apdu.WRONG_OFFSET,
}


class FileSystem:
    """Files and what is selected."""

    def __init__(self, files: Mapping[str, bytes], behaviour: CardBehaviour) -> None:
        self._files = files
        self._behaviour = behaviour
        self.application_selected = False
        self._current: str | None = None

    def reset(self) -> None:
        """Go back to the master file with no file selected."""
        self.application_selected = False
        self._current = None

    def read_by(self, ins: int, p1: int, p2: int) -> str | None:
        """Return the name of the file that a READ BINARY with this header would read, if any."""
        directory = APPLICATION_FILES if self.application_selected else MASTER_FILES
        if ins == Instruction.READ_BINARY and p1 & 0x80:
            kind, identifier = "sfi", p1 & 0x1F
        elif ins == Instruction.READ_BINARY_ODD and (identifier := p1 << 8 | p2):
            kind = "sfi" if identifier <= _HIGHEST_SHORT_IDENTIFIER else "fid"
        elif ins in (Instruction.READ_BINARY, Instruction.READ_BINARY_ODD):
            return self._current
        else:
            return None
        names = (name for name, file in directory.items() if getattr(file, kind) == identifier)
        return next(names, None)

    def select(self, command: CommandApdu, *, access_granted: bool) -> int:
        """Perform SELECT and return its status word.

        Raises:
            StatusError: why nothing was selected.
        """
        if command.ne and "le-on-select-refused" in self._behaviour.quirks:
            raise StatusError(apdu.WRONG_LENGTH)
        match command.p1:
            case 0x04:
                self._select_application(command.data)
            case 0x00 if command.data in (b"", MASTER_FILE.to_bytes(2, "big")):
                if "select-mf-6d00" in self._behaviour.quirks:
                    raise StatusError(apdu.INS_NOT_SUPPORTED)
                self.reset()
            case 0x00 | 0x02:
                fid = int.from_bytes(command.data, "big") if len(command.data) == 2 else -1
                self._current = self._find("fid", fid, access_granted=access_granted)
                if (
                    self._current == "EF.CardAccess"
                    and "card-access-6283-on-select" in self._behaviour.quirks
                ):
                    return apdu.FILE_DEACTIVATED
            case _:
                raise StatusError(apdu.INCORRECT_P1P2)
        return apdu.OK

    def read_binary(
        self, command: CommandApdu, room: int, *, access_granted: bool
    ) -> tuple[bytes, int]:
        """Perform READ BINARY with even INS: return data and status.

        Args:
            command: names offset and, in bit 8 of P1, maybe a short EF identifier.
            room: how many bytes the response can carry.
            access_granted: whether a session protects the exchange.

        Raises:
            StatusError: why nothing was read.

        Source: ISO/IEC 7816-4 §11.3.2.3 (P1 bit 8 set: bits 5 to 1 are a short EF identifier).
        """
        if command.p1 & 0x80:
            self._refuse_short_identifier()
            if command.p1 & 0x60:
                raise StatusError(apdu.INCORRECT_P1P2)
            self._current = self._find("sfi", command.p1 & 0x1F, access_granted=access_granted)
            offset = command.p2
        else:
            offset = command.p1p2
        data, status = self._read(offset, command.ne, room, access_granted=access_granted)
        stops = "even-read-crossing-7fff-6b00" in self._behaviour.quirks
        if stops and offset + len(data) > _EVEN_READ_END:
            raise StatusError(apdu.WRONG_OFFSET)
        return data, status

    def read_binary_odd(
        self, command: CommandApdu, room: int, *, access_granted: bool
    ) -> tuple[bytes, int]:
        """Perform READ BINARY with odd INS, whose offset is not limited to 15 bits.

        Args:
            command: P1-P2 is 0000 (current file), a short EF identifier or a file identifier.
            room: how many bytes the response can carry.
            access_granted: whether a session protects the exchange.

        Raises:
            StatusError: why nothing was read.

        Source: ISO/IEC 7816-4 §11.3.2.3 (offset data object '54', discretionary data '53').
        """
        if "odd-read-6d00" in self._behaviour.quirks:
            raise StatusError(apdu.INS_NOT_SUPPORTED)
        if command.p1p2:
            kind = "sfi" if command.p1p2 <= _HIGHEST_SHORT_IDENTIFIER else "fid"
            if kind == "sfi":
                self._refuse_short_identifier()
            self._current = self._find(kind, command.p1p2, access_granted=access_granted)
        try:
            objects = dict(tlv.parse(command.data))
            offset = int.from_bytes(objects[_OFFSET_OBJECT], "big")
        except (tlv.TlvError, KeyError):
            raise StatusError(apdu.WRONG_DATA) from None
        ne = command.ne
        header = 2 if min(ne, room) < 0x82 else 3 if min(ne, room) < 0x103 else 4
        if 0 < ne <= header:
            raise StatusError(apdu.WRONG_LENGTH)
        wanted = ne if ne in (apdu.NE_SHORT, apdu.NE_EXTENDED) else ne - header
        data, status = self._read(offset, wanted, room - header, access_granted=access_granted)
        return tlv.encode(_DATA_OBJECT, data), status

    def _read(self, offset: int, ne: int, room: int, *, access_granted: bool) -> tuple[bytes, int]:
        if self._current is None:
            raise StatusError(apdu.NO_CURRENT_EF)
        locked = self._current in APPLICATION_FILES or self._is_locked(self._current)
        if locked and not access_granted:
            raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
        if not ne:
            raise StatusError(apdu.WRONG_LENGTH)
        content = self._files[self._current]
        if offset >= len(content):
            raise StatusError(apdu.WRONG_OFFSET)
        data, quirks = content[offset : offset + min(ne, room)], self._behaviour.quirks
        rest = len(content) - offset
        if "read-beyond-end-6cxx" in quirks and rest < min(ne, apdu.NE_SHORT):
            raise StatusError(apdu.WRONG_LE | rest)
        if "full-read-6282" in quirks and ne >= apdu.NE_SHORT:
            return data, apdu.END_OF_FILE
        asked_for_all = ne in (apdu.NE_SHORT, apdu.NE_EXTENDED)
        ends_early = ne > rest == len(data)
        return data, apdu.END_OF_FILE if ends_early and not asked_for_all else apdu.OK

    def _refuse_short_identifier(self) -> None:
        for quirk, status in _NO_SHORT_IDENTIFIERS.items():
            if quirk in self._behaviour.quirks:
                raise StatusError(status)

    def _select_application(self, identifier: bytes) -> None:
        if identifier != APPLICATION:
            raise StatusError(apdu.FILE_NOT_FOUND)
        self.application_selected = True
        self._current = None

    def _find(self, kind: str, identifier: int, *, access_granted: bool) -> str:
        """Return the name of a file of the current directory that may be read now."""
        if not self.application_selected:
            name = self._present(MASTER_FILES, kind, identifier)
            if not access_granted and self._is_locked(name):
                raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
            return name
        if not access_granted:
            raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
        hidden = "card-access-6982-after-aid" in self._behaviour.quirks
        if hidden and identifier == getattr(MASTER_FILES["EF.CardAccess"], kind):
            raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
        name = self._present(APPLICATION_FILES, kind, identifier)
        # Doc 9303-10 §3.6: fingerprints and irises ask for Terminal Authentication.
        if name in _BEHIND_TERMINAL_AUTHENTICATION:
            raise StatusError(apdu.SECURITY_STATUS_NOT_SATISFIED)
        return name

    def _is_locked(self, name: str) -> bool:
        """Source: ICAO Doc 9303-10 §3.11 (EF.CardSecurity opens with PACE, the others are free)."""
        if name == "EF.DIR":
            return "ef-dir-6982-before-access" in self._behaviour.quirks
        return name == "EF.CardSecurity"

    def _present(self, directory: Mapping[str, object], kind: str, identifier: int) -> str:
        for name, file in directory.items():
            if getattr(file, kind) == identifier and name in self._files:
                return name
        raise StatusError(apdu.FILE_NOT_FOUND)
