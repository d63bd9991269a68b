"""The machine-readable zone, and the two passwords that open a chip.

Source: ICAO Doc 9303-3, 4.9 (check digits); 9303-4, -5 and -6, 4.2 (TD3, TD1, TD2);
9303-11, 9.7.3 (MRZ information and CAN).
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from devices.emrtd.errors import MrzMalformedError, PasswordMalformedError

_CHARACTERS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
_VALUES = bytes.maketrans(_CHARACTERS, bytes((*range(36), 0)))
_MRZ_TEXT = re.compile(r"[A-Z0-9<]+")
_VIETNAMESE_ID_NUMBER = re.compile(r"([0-9]{12})(?:<<([0-9]))?")
_LINE_LENGTHS = {"TD1": (30, 30, 30), "TD2": (36, 36), "TD3": (44, 44)}


def check_digit(text: str) -> str:
    """Return the check digit of `text` (A–Z, 0–9 and `<`).

    Source: ICAO Doc 9303-3, 4.9.
    """
    values = text.encode("ascii").translate(_VALUES)
    # The weights 7, 3, 1 in turn.
    return str((7 * sum(values[0::3]) + 3 * sum(values[1::3]) + sum(values[2::3])) % 10)


class Password(Protocol):
    """What opens a chip."""

    pace_reference: ClassVar[int]
    """Password reference of MSE:Set AT, DO'83' (9303-11, 4.4.4.1)."""
    kind: ClassVar[str]
    """`CAN` or `MRZ`."""

    def pace_secret(self) -> bytes:
        """Return the shared secret that the PACE key is derived from."""
        ...


@dataclass(frozen=True)
class Can:
    """The card access number: six digits."""

    digits: str = field(repr=False)

    pace_reference: ClassVar[int] = 0x02
    kind: ClassVar[str] = "CAN"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{6}", self.digits):
            raise PasswordMalformedError("a card access number (CAN) has exactly six digits")

    @classmethod
    def from_id_number(cls, id_number: str) -> "Can":
        """Return the CAN of a Vietnamese citizen card: the last six of the twelve digits.

        Raises:
            PasswordMalformedError: it does not have twelve digits.
        """
        if not re.fullmatch(r"[0-9]{12}", id_number):
            raise PasswordMalformedError("a personal identification number has twelve digits")
        return cls(id_number[-6:])

    def pace_secret(self) -> bytes:
        """Return the digits as ISO/IEC 8859-1 characters."""
        return self.digits.encode("ascii")


@dataclass(frozen=True)
class MrzKey:
    """The MRZ information: document number, date of birth, date of expiry."""

    document_number: str = field(repr=False)
    """As printed; shorter numbers are filled up to nine characters."""
    date_of_birth: str = field(repr=False)
    """YYMMDD; unknown parts as `<`."""
    date_of_expiry: str = field(repr=False)
    """YYMMDD."""

    pace_reference: ClassVar[int] = 0x01
    kind: ClassVar[str] = "MRZ"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z0-9<]{1,22}", self.document_number):
            raise PasswordMalformedError("a document number has 1 to 22 characters A–Z, 0–9 or <")
        for label, value in (("birth", self.date_of_birth), ("expiry", self.date_of_expiry)):
            if not re.fullmatch(r"[0-9<]{6}", value):
                raise PasswordMalformedError(f"the date of {label} must be YYMMDD, six digits")

    def information(self) -> bytes:
        """Return the concatenation with check digits that keys are derived from."""
        number = self.document_number.ljust(9, "<")
        parts = (number, self.date_of_birth, self.date_of_expiry)
        return "".join(part + check_digit(part) for part in parts).encode("ascii")

    def pace_secret(self) -> bytes:
        """Return SHA-1 of the MRZ information."""
        return hashlib.sha1(self.information(), usedforsecurity=False).digest()

    def bac_seed(self) -> bytes:
        """Return K_seed of Basic Access Control: the first 16 bytes of the same digest."""
        return self.pace_secret()[:16]


@dataclass(frozen=True)
class Mrz:
    """A parsed MRZ; every check digit was found right."""

    format: str
    """TD1, TD2 or TD3."""
    document_code: str
    issuer: str
    """Issuing state or organisation, as in the MRZ (`VNM`, `D`)."""
    document_number: str = field(repr=False)
    """Without filler; long numbers are whole."""
    optional_data: tuple[str, ...] = field(repr=False)
    """Optional data elements in order, trailing filler removed."""
    date_of_birth: str = field(repr=False)
    """YYMMDD; unknown parts as `<`."""
    sex: str = field(repr=False)
    """`M`, `F` or `<`."""
    date_of_expiry: str = field(repr=False)
    """YYMMDD."""
    nationality: str
    name: str = field(repr=False)
    """Primary identifier, then secondary, separated by one space each; no diacritics."""

    @property
    def key(self) -> MrzKey:
        """The password that this MRZ gives."""
        return MrzKey(self.document_number, self.date_of_birth, self.date_of_expiry)

    @property
    def vietnamese_id_number(self) -> str | None:
        """The twelve-digit number of a Vietnamese card, or None if the MRZ holds none.

        The optional data of line 1 is the number, `<<` and its check digit.
        """
        if self.issuer != "VNM" or self.format != "TD1":
            return None
        match = _VIETNAMESE_ID_NUMBER.fullmatch(self.optional_data[0])
        if match is None or (match[2] and check_digit(match[1]) != match[2]):
            return None
        return match[1]


def parse_mrz(text: str) -> Mrz:
    """Return the MRZ in `text`, its lines with or without line breaks between them.

    Raises:
        MrzMalformedError: the length fits no format, a character is not allowed, or a check digit
            is wrong.
    """
    joined = "".join(text.split()) if len(text) <= 200 else ""
    if not _MRZ_TEXT.fullmatch(joined):
        raise MrzMalformedError("the MRZ is empty, too long or holds a character that none may")
    for name, lengths in _LINE_LENGTHS.items():
        if len(joined) == sum(lengths):
            if name == "TD1":
                return _parse_td1(joined[:30], joined[30:60], joined[60:])
            return _parse_two_lines(name, joined[: lengths[0]], joined[lengths[0] :])
    raise MrzMalformedError("the MRZ has the length of no document format")


def _parse_td1(line1: str, line2: str, line3: str) -> Mrz:
    number, optional = _document_number(line1[5:14], line1[14], line1[15:30])
    _verify(line2[0:6], line2[6], "date of birth")
    _verify(line2[8:14], line2[14], "date of expiry")
    composite = line1[5:30] + line2[0:7] + line2[8:15] + line2[18:29]
    _verify(composite, line2[29], "composite")
    return Mrz(
        format="TD1",
        document_code=line1[0:2].rstrip("<"),
        issuer=line1[2:5].rstrip("<"),
        document_number=number,
        optional_data=(optional, line2[18:29].rstrip("<")),
        date_of_birth=line2[0:6],
        sex=_sex(line2[7]),
        date_of_expiry=line2[8:14],
        nationality=line2[15:18].rstrip("<"),
        name=_name(line3),
    )


def _parse_two_lines(name: str, line1: str, line2: str) -> Mrz:
    if name == "TD2":
        number, optional = _document_number(line2[0:9], line2[9], line2[28:35])
    else:
        number, optional = line2[0:9].rstrip("<"), line2[28:42].rstrip("<")
        _verify(line2[0:9], line2[9], "document number")
        # 9303-4, 4.2.2.2: an empty personal number may have `<` as its check digit.
        if optional or line2[42] != "<":
            _verify(line2[28:42], line2[42], "optional data")
    _verify(line2[13:19], line2[19], "date of birth")
    _verify(line2[21:27], line2[27], "date of expiry")
    _verify(line2[0:10] + line2[13:20] + line2[21:-1], line2[-1], "composite")
    return Mrz(
        format=name,
        document_code=line1[0:2].rstrip("<"),
        issuer=line1[2:5].rstrip("<"),
        document_number=number,
        optional_data=(optional,),
        date_of_birth=line2[13:19],
        sex=_sex(line2[20]),
        date_of_expiry=line2[21:27],
        nationality=line2[10:13].rstrip("<"),
        name=_name(line1[5:]),
    )


def _document_number(number: str, digit: str, optional: str) -> tuple[str, str]:
    """Return document number and optional data; a long number continues in the latter.

    Source: ICAO Doc 9303-5, 4.2.4, note j (TD1); 9303-6, 4.2.2.2, note j (TD2).
    """
    if digit != "<":
        _verify(number, digit, "document number")
        return number.rstrip("<"), optional.rstrip("<")
    rest, _, remainder = optional.partition("<")
    if len(rest) < 2:
        raise MrzMalformedError("the MRZ's long document number is incomplete")
    number += rest[:-1]
    _verify(number, rest[-1], "document number")
    return number, remainder.rstrip("<")


def _verify(text: str, digit: str, what: str) -> None:
    if check_digit(text) != digit:
        raise MrzMalformedError(f"the MRZ's check digit of the {what} is wrong")


def _sex(character: str) -> str:
    if character not in "MF<":
        raise MrzMalformedError("the MRZ's field for sex holds none of M, F and <")
    return character


def _name(text: str) -> str:
    return " ".join(part for part in text.split("<") if part)
