"""Command APDUs as the card sees them, and the status words it answers.

Source: ISO/IEC 7816-4 §5.1 (command-response pairs), §5.6 (status bytes).
"""

from dataclasses import dataclass, field
from enum import IntEnum

OK = 0x9000
MORE_DATA = 0x6100
END_OF_FILE = 0x6282
FILE_DEACTIVATED = 0x6283
AUTHENTICATION_FAILED = 0x6300
TRIES_LEFT = 0x63C0
WRONG_LENGTH = 0x6700
LAST_OF_CHAIN_EXPECTED = 0x6883
CHAINING_NOT_SUPPORTED = 0x6884
SECURITY_STATUS_NOT_SATISFIED = 0x6982
PASSWORD_BLOCKED = 0x6983
CONDITIONS_NOT_SATISFIED = 0x6985
NO_CURRENT_EF = 0x6986
SM_OBJECTS_MISSING = 0x6987
SM_OBJECTS_INCORRECT = 0x6988
WRONG_DATA = 0x6A80
FILE_NOT_FOUND = 0x6A82
INCORRECT_P1P2 = 0x6A86
REFERENCE_NOT_FOUND = 0x6A88
WRONG_OFFSET = 0x6B00
WRONG_LE = 0x6C00
INS_NOT_SUPPORTED = 0x6D00
CLA_NOT_SUPPORTED = 0x6E00

NE_SHORT = 256
NE_EXTENDED = 65536

CLA_CHAINING = 0x10
CLA_SECURE_MESSAGING = 0x0C


class Instruction(IntEnum):
    """The instructions that the card knows.

    Source: ISO/IEC 7816-4 §5.5, table 5.
    """

    MANAGE_SECURITY_ENVIRONMENT = 0x22
    EXTERNAL_AUTHENTICATE = 0x82
    GET_CHALLENGE = 0x84
    GENERAL_AUTHENTICATE = 0x86
    INTERNAL_AUTHENTICATE = 0x88
    SELECT = 0xA4
    READ_BINARY = 0xB0
    READ_BINARY_ODD = 0xB1
    GET_RESPONSE = 0xC0


class StatusError(Exception):
    """The command ends with this status word and no data."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


@dataclass(frozen=True)
class CommandApdu:
    """One command, decoded."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = field(repr=False)
    ne: int
    """Number of response bytes asked for: 0 (no Le field) to 65536."""
    extended: bool
    """True if Lc or Le came in an extended length field."""

    @property
    def header(self) -> bytes:
        """Return CLA INS P1 P2."""
        return bytes([self.cla, self.ins, self.p1, self.p2])

    @property
    def p1p2(self) -> int:
        """Return P1-P2 as one number."""
        return self.p1 << 8 | self.p2


def parse_command(raw: bytes) -> CommandApdu:
    """Decode a command APDU of any of the seven cases.

    Raises:
        StatusError: 6700 if the length fields do not fit the bytes.

    Source: ISO/IEC 7816-4 §5.1, table 1 and Annex B.1.
    """
    if len(raw) < 4:
        raise StatusError(WRONG_LENGTH)
    body = raw[4:]
    if len(body) >= 3 and body[0] == 0:
        extended, data, le = True, *_split(body[1:], width=2)
    elif body:
        extended, data, le = False, *_split(body, width=1)
    else:
        extended, data, le = False, b"", b""
    highest = NE_EXTENDED if extended else NE_SHORT
    ne = (int.from_bytes(le, "big") or highest) if le else 0
    return CommandApdu(raw[0], raw[1], raw[2], raw[3], data, ne, extended)


def _split(body: bytes, width: int) -> tuple[bytes, bytes]:
    """Return data and Le field of a body whose length fields have `width` bytes."""
    if len(body) == width:
        return b"", body
    lc, rest = int.from_bytes(body[:width], "big"), body[width:]
    data, le = rest[:lc], rest[lc:]
    if lc == 0 or len(data) < lc or len(le) not in (0, width):
        raise StatusError(WRONG_LENGTH)
    return data, le


def status_bytes(status: int) -> bytes:
    """Return SW1-SW2."""
    return status.to_bytes(2, "big")
