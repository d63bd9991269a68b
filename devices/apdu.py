"""Command and response APDUs, short and extended.

Source: ISO/IEC 7816-4:2020, 5.2 and 5.3.
"""

from dataclasses import dataclass, field

from devices.errors import ApduMalformedError

SHORT_DATA_MAX = 255
SHORT_LE_MAX = 256
EXTENDED_DATA_MAX = 65535
EXTENDED_LE_MAX = 65536
SECURE_MESSAGING_CLASS = 0x0C
"""Bits of CLA that say that the command is protected (ISO/IEC 7816-4, 5.4.1)."""


class StatusWord(int):
    """SW1-SW2 of a response."""

    @property
    def sw1(self) -> int:
        """The first byte."""
        return self >> 8

    @property
    def sw2(self) -> int:
        """The second byte."""
        return self & 0xFF

    @property
    def tries_left(self) -> int | None:
        """Remaining tries of a counter (63Cx), or None if the status does not tell."""
        return self & 0x0F if self & 0xFFF0 == 0x63C0 else None

    def __str__(self) -> str:
        return f"{int(self):04X}"


OK = StatusWord(0x9000)
END_OF_FILE = StatusWord(0x6282)
WRONG_LENGTH = StatusWord(0x6700)
SECURITY_STATUS_NOT_SATISFIED = StatusWord(0x6982)
AUTHENTICATION_BLOCKED = StatusWord(0x6983)
CONDITIONS_NOT_SATISFIED = StatusWord(0x6985)
WRONG_DATA = StatusWord(0x6A80)
FILE_NOT_FOUND = StatusWord(0x6A82)
REFERENCED_DATA_NOT_FOUND = StatusWord(0x6A88)
WRONG_OFFSET = StatusWord(0x6B00)


@dataclass(frozen=True)
class CommandApdu:
    """What the reader asks."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = field(default=b"", repr=False)
    """Command data field, 0–65535 bytes."""
    le: int | None = None
    """Expected response length, 1–65536 bytes; None if no data is expected."""

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2."""
        return bytes([self.cla, self.ins, self.p1, self.p2])

    @property
    def is_extended(self) -> bool:
        """True if the command cannot be encoded with short length fields."""
        return len(self.data) > SHORT_DATA_MAX or (self.le or 0) > SHORT_LE_MAX

    def to_bytes(self) -> bytes:
        """Return the encoding: short where it fits, extended otherwise.

        Raises:
            ApduMalformedError: data or Le are out of range.
        """
        if len(self.data) > EXTENDED_DATA_MAX:
            raise ApduMalformedError("the command data is too long for an APDU")
        if self.le is not None and not 1 <= self.le <= EXTENDED_LE_MAX:
            raise ApduMalformedError("the expected length is out of range")
        if self.is_extended:
            marker = b"\x00"
            length = len(self.data).to_bytes(2, "big")
            expected = b"" if self.le is None else (self.le & 0xFFFF).to_bytes(2, "big")
        else:
            marker = b""
            length = bytes([len(self.data)])
            expected = b"" if self.le is None else bytes([self.le & 0xFF])
        if self.data:
            return self.header + marker + length + self.data + expected
        return self.header + marker + expected


@dataclass(frozen=True)
class ResponseApdu:
    """What the card answers."""

    data: bytes = field(repr=False)
    status: StatusWord

    @classmethod
    def parse(cls, raw: bytes) -> "ResponseApdu":
        """Return the response in `raw`.

        Raises:
            ApduMalformedError: it is shorter than a status word or longer than any response.
        """
        if not 2 <= len(raw) <= EXTENDED_LE_MAX + 2:
            raise ApduMalformedError("the reader returned something that is no response APDU")
        return cls(raw[:-2], StatusWord(int.from_bytes(raw[-2:], "big")))
