"""The machine readable zone of the citizen card (TD1).

Source: ICAO Doc 9303-5 §4.2 (TD1), Doc 9303-3 §4.9 (check digits).
"""

import unicodedata
from datetime import date

NO_EXPIRY = "991231"
"""What cards without expiry carry in the MRZ."""

_LINE = 30
_VALUES = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}


def check_digit(characters: str) -> str:
    """Return the check digit with the weights 7, 3, 1.

    Source: ICAO Doc 9303-3 §4.9.
    """
    return str(sum(_VALUES[c] * (7, 3, 1)[i % 3] for i, c in enumerate(characters)) % 10)


def transliterate(name: str) -> str:
    """Return a Vietnamese name in the letters A–Z and spaces.

    Raises:
        ValueError: something else than letters, spaces, hyphens and apostrophes is in it.
    """
    base = unicodedata.normalize("NFD", name.upper().replace("Đ", "D"))
    plain = "".join(c for c in base if not unicodedata.combining(c))
    words = plain.replace("-", " ").replace("'", "").replace("’", "").split()
    if not words or not all("A" <= c <= "Z" for word in words for c in word):
        raise ValueError("must be a name in Latin letters")
    return " ".join(words)


def name_field(full_name: str) -> str:
    """Return line 3: the family name comes first, as Vietnamese names are written.

    Source: ICAO Doc 9303-5 §4.2.3 (truncation to the length of the line).
    """
    family, _, given = transliterate(full_name).partition(" ")
    field = f"{family}<<{given.replace(' ', '<')}" if given else family
    return field[:_LINE].ljust(_LINE, "<")


def document_number(number: str) -> str:
    """Return the document number: the last 9 of the 12 digits of the personal number."""
    return number[-9:]


def mrz_date(day: date | None) -> str:
    """Return YYMMDD, or the mark of cards without expiry."""
    return NO_EXPIRY if day is None else day.strftime("%y%m%d")


def mrz_information(number: str, birth: date, expiry: date | None) -> str:
    """Return document number, birth and expiry, each with its check digit.

    Source: ICAO Doc 9303-11 §4.3.2 (MRZ_information).
    """
    fields = (document_number(number), mrz_date(birth), mrz_date(expiry))
    return "".join(field + check_digit(field) for field in fields)


def build_mrz(number: str, full_name: str, birth: date, sex: str, expiry: date | None) -> str:
    """Return the three lines as one string of 90 characters.

    Args:
        number: personal number, 12 digits.
        full_name: with diacritics.
        birth: date of birth.
        sex: M or F.
        expiry: None for a card without expiry.
    """
    doc, born, ends = document_number(number), mrz_date(birth), mrz_date(expiry)
    upper = f"IDVNM{doc}{check_digit(doc)}{number}<<{check_digit(number)}"
    middle = f"{born}{check_digit(born)}{sex}{ends}{check_digit(ends)}VNM" + "<" * 11
    # Doc 9303-5 §4.2.4: upper 6–30, middle 1–7, 9–15, 19–29.
    composite = check_digit(upper[5:] + middle[:7] + middle[8:15] + middle[18:29])
    return upper + middle + composite + name_field(full_name)
