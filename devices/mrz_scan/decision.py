"""Whether what was read is a machine-readable zone, for certain.

A check digit lets one misreading in ten pass. So all of it must fit together: every character sure
by the model, all check digits, dates that exist, states that exist, and on the citizen card the
number that line 1 holds twice. Nothing is corrected. Only between characters that look alike the
check digits choose, and only where they leave a single choice: between O and 0 always, which OCR-B
draws alike, between the others where the model is in doubt. Two such misreadings can make up for
each other in every check digit (S and Z read as 5 and 2), and some need no other (G and 6).

The name stays unread: no check digit covers it.
"""

import itertools
import math
import statistics
from collections.abc import Sequence
from datetime import date
from typing import Final

from devices.emrtd.errors import MrzMalformedError
from devices.emrtd.lds.mrz import Mrz, parse_mrz
from devices.emrtd.verification.issuing_states import certificate_country
from devices.mrz_scan.alignment import AlignedLine
from devices.mrz_scan.errors import MrzUnsureError
from devices.mrz_scan.formats import GIVEN, MIXED, UNREAD, Layout

MAX_READINGS: Final = 256
"""Readings that check digits are asked about."""

_ALWAYS_ALIKE: Final = "O0"
_ALIKE_IN_DOUBT: Final = ("I1", "Z2", "S5", "G6", "B8", "D0", "Q0")
_DOUBT_BELOW: Final = 0.98
"""Photographs with wrong readings: S as 5 at 0.93, Z as 2 at 0.90, Q as 0 at 0.97."""

_LEGIBLE: Final = 0.8
"""Mean confidence of lines that are read the right way up; upside down it is far lower."""

# 9303-3, section 5: organisations and persons without a state, which no certificate names; Utopia.
_NO_STATE = "XBA XCC XCE XCO XDC XEC XES XIM XMP XOM XPO XXA XXB XXC XXX UTO"


def decide_mrz(lines: Sequence[AlignedLine], layout: Layout, min_confidence: float) -> Mrz:
    """Return the MRZ that the lines hold, if there is no doubt.

    Its name is empty, and of its document code there is the first character only, but for the
    citizen card's `ID`.

    Args:
        lines: those of the layout, from top to bottom.
        layout: what they were read as.
        min_confidence: least confidence of every character that a check digit covers, or that
            names a state, 0 to 1.

    Raises:
        MrzUnsureError: a character is unsure, a check digit is wrong, or it is not plausible.
    """
    kinds = "".join(layout.kinds)
    text = "".join(line.text for line in lines)
    confidences = [confidence for line in lines for confidence in line.confidences]
    legible = statistics.fmean(confidences) >= _LEGIBLE
    if any(
        confidence < min_confidence
        for confidence, kind in zip(confidences, kinds, strict=True)
        if kind not in (UNREAD, GIVEN)
    ):
        raise MrzUnsureError(
            "the MRZ is not sharp enough to be read for certain: take it again", legible=legible
        )
    filler = "<" * layout.unread
    possible = _readings(text, kinds, confidences)
    readings = [mrz for reading in possible if (mrz := _parsed(reading + filler))]
    if len(readings) != 1:
        raise MrzUnsureError(
            "the MRZ's check digits do not confirm what was read: take it again", legible=legible
        )
    if not _plausible(readings[0]):
        raise MrzUnsureError(
            "what was read as an MRZ cannot be one: take it again", legible=legible
        )
    return readings[0]


def _readings(text: str, kinds: str, confidences: Sequence[float]) -> list[str]:
    """Return the text without what is unread, with every choice of what looks alike."""
    choices = [
        "<" if kind == UNREAD else _alike(character, confidence) if kind == MIXED else character
        for character, kind, confidence in zip(text, kinds, confidences, strict=True)
    ]
    if math.prod(len(choice) for choice in choices) > MAX_READINGS:
        return []
    return ["".join(reading) for reading in itertools.product(*choices)]


def _alike(character: str, confidence: float) -> str:
    """Return the character and those that it may be as well."""
    alike = {character}
    if character in _ALWAYS_ALIKE:
        alike.update(_ALWAYS_ALIKE)
    if confidence < _DOUBT_BELOW:
        alike.update(*(pair for pair in _ALIKE_IN_DOUBT if character in pair))
    return "".join(sorted(alike))


def _parsed(text: str) -> Mrz | None:
    try:
        return parse_mrz(text)
    except MrzMalformedError:
        return None


def _plausible(mrz: Mrz) -> bool:
    if not (_exists(mrz.date_of_birth) and _exists(mrz.date_of_expiry)):
        return False
    if not (_is_state(mrz.issuer) and _is_state(mrz.nationality)):
        return False
    if mrz.format == "TD1" and mrz.issuer == "VNM":
        number = mrz.vietnamese_id_number
        return number is not None and number.endswith(mrz.document_number)
    return mrz.document_number != ""


def _exists(yymmdd: str) -> bool:
    """Return whether there is such a day in either century; unknown parts are `<<`.

    Source: ICAO Doc 9303-3, 4.8.
    """
    known = "".join(
        any_ if part == "<<" else part
        for part, any_ in zip(
            (yymmdd[:2], yymmdd[2:4], yymmdd[4:]), ("00", "01", "01"), strict=True
        )
    )
    return any(_is_day(century + known) for century in ("19", "20"))


def _is_day(yyyymmdd: str) -> bool:
    try:
        date.fromisoformat(yyyymmdd)
    except ValueError:
        return False
    return True


def _is_state(code: str) -> bool:
    return certificate_country(code) is not None or code in _NO_STATE.split()
