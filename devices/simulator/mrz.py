"""The machine readable zone of the citizen card and of other documents.

Source: ICAO Doc 9303-4 §4.2 (TD3), 9303-5 §4.2 (TD1), 9303-6 §4.2 (TD2); 9303-3 §4.9 (check
digits).
"""

import unicodedata
from dataclasses import dataclass, field
from datetime import date

from devices.simulator.document import Document

NO_EXPIRY = "991231"
"""What cards without expiry carry in the MRZ."""

_NUMBER_LENGTH = 9
_VALUES = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}


@dataclass(frozen=True)
class MrzFields:
    """What a machine readable zone is made of."""

    document: Document
    number: str = field(repr=False)
    """Personal number, 12 digits, or empty."""
    full_name: str = field(repr=False)
    """Family name first, or `FAMILY NAMES, GIVEN NAMES`."""
    birth: date = field(repr=False)
    sex: str = field(repr=False)
    """M, F or <."""
    expiry: date | None = field(repr=False)
    """None for a card without expiry."""

    @property
    def document_number(self) -> str:
        """Return the document number: Vietnam's is the last 9 digits of the personal number."""
        return self.document.number or self.number[-_NUMBER_LENGTH:]

    @property
    def optional_data(self) -> str:
        """Return the optional data without fillers at the end."""
        if self.document.optional_data is not None:
            return self.document.optional_data
        if not self.number or self.document.format == "TD2":
            return ""
        # The citizen card: 12 digits, and their check digit in column 30.
        digit = check_digit(self.number)
        return f"{self.number}<<{digit}" if self.document.format == "TD1" else self.number


def check_digit(characters: str) -> str:
    """Return the check digit with the weights 7, 3, 1.

    Source: ICAO Doc 9303-3 §4.9.
    """
    return str(sum(_VALUES[c] * (7, 3, 1)[i % 3] for i, c in enumerate(characters)) % 10)


def transliterate(name: str) -> str:
    """Return a name in the letters A–Z and spaces.

    Raises:
        ValueError: something else than letters, spaces, hyphens and apostrophes is in it.
    """
    base = unicodedata.normalize("NFD", name.upper().replace("Đ", "D"))
    plain = "".join(c for c in base if not unicodedata.combining(c))
    words = plain.replace("-", " ").replace("'", "").replace("’", "").split()
    if not words or not all("A" <= c <= "Z" for word in words for c in word):
        raise ValueError("must be a name in Latin letters")
    return " ".join(words)


def name_field(full_name: str, length: int = 30) -> str:
    """Return the names as the MRZ writes them.

    The family name comes first, as Vietnamese names are written; a comma ends one of several words.

    Source: ICAO Doc 9303-3 §4.6 (truncation to the length of the field).
    """
    if "," in full_name:
        family, given = (transliterate(part) for part in full_name.split(",", 1))
    else:
        family, _, given = transliterate(full_name).partition(" ")
    written = family.replace(" ", "<")
    if given:
        written += "<<" + given.replace(" ", "<")
    return written[:length].ljust(length, "<")


def mrz_date(day: date | None) -> str:
    """Return YYMMDD, or the mark of cards without expiry."""
    return NO_EXPIRY if day is None else day.strftime("%y%m%d")


def mrz_information(fields: MrzFields) -> str:
    """Return document number, birth and expiry, each with its check digit.

    Source: ICAO Doc 9303-11 §4.3.2 (MRZ_information), §9.7.3 (the number is the complete one).
    """
    number = fields.document_number.ljust(_NUMBER_LENGTH, "<")
    parts = (number, mrz_date(fields.birth), mrz_date(fields.expiry))
    return "".join(part + check_digit(part) for part in parts)


def build_mrz(fields: MrzFields) -> str:
    """Return the lines as one string of 90 (TD1), 72 (TD2) or 88 (TD3) characters."""
    return {"TD1": _td1, "TD2": _td2, "TD3": _td3}[fields.document.format](fields)


def _td1(fields: MrzFields) -> str:
    """Source: ICAO Doc 9303-5 §4.2."""
    number, optional = _number_and_optional(fields)
    birth, expiry = _checked_dates(fields)
    document = fields.document
    upper = document.document_code + document.issuer.ljust(3, "<") + number
    upper += optional[:15].ljust(15, "<")
    middle = birth + fields.sex + expiry + document.nationality.ljust(3, "<")
    middle += optional[15:].ljust(11, "<")
    # §4.2.4: upper 6–30, middle 1–7, 9–15, 19–29.
    composite = check_digit(upper[5:] + middle[:7] + middle[8:15] + middle[18:29])
    return upper + middle + composite + name_field(fields.full_name, 30)


def _td2(fields: MrzFields) -> str:
    """Source: ICAO Doc 9303-6 §4.2."""
    number, optional = _number_and_optional(fields)
    birth, expiry = _checked_dates(fields)
    document = fields.document
    upper = document.document_code + document.issuer.ljust(3, "<")
    upper += name_field(fields.full_name, 31)
    lower = number + document.nationality.ljust(3, "<") + birth + fields.sex + expiry
    lower += optional.ljust(7, "<")
    # §4.2.4: lower 1–10, 14–20, 22–35.
    return upper + lower + check_digit(lower[:10] + lower[13:20] + lower[21:35])


def _td3(fields: MrzFields) -> str:
    """Source: ICAO Doc 9303-4 §4.2."""
    number, optional = _number_and_optional(fields)
    birth, expiry = _checked_dates(fields)
    document = fields.document
    upper = document.document_code + document.issuer.ljust(3, "<")
    upper += name_field(fields.full_name, 39)
    personal_number = optional.ljust(14, "<")
    lower = number + document.nationality.ljust(3, "<") + birth + fields.sex + expiry
    lower += personal_number + check_digit(personal_number)
    # §4.2.4: lower 1–10, 14–20, 22–43.
    return upper + lower + check_digit(lower[:10] + lower[13:20] + lower[21:43])


def _number_and_optional(fields: MrzFields) -> tuple[str, str]:
    """Return the document number's ten columns and the optional data.

    Source: ICAO Doc 9303-5 §4.2.2 note j (numbers of more than nine characters).
    """
    number, optional = fields.document_number, fields.optional_data
    if len(number) > _NUMBER_LENGTH:
        rest = number[_NUMBER_LENGTH:] + check_digit(number) + "<"
        return number[:_NUMBER_LENGTH] + "<", rest + optional
    padded = number.ljust(_NUMBER_LENGTH, "<")
    return padded + check_digit(padded), optional


def _checked_dates(fields: MrzFields) -> tuple[str, str]:
    birth, expiry = mrz_date(fields.birth), mrz_date(fields.expiry)
    return birth + check_digit(birth), expiry + check_digit(expiry)
