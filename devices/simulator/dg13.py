"""DG13 of the Vietnamese citizen card.

The layout is `6D { SEQUENCE { INTEGER 1, OID, SET OF SEQUENCE { INTEGER n, value } } }`, found on
cards; no public specification is known.
"""

from collections.abc import Collection
from datetime import date

from asn1crypto import core

from devices.simulator import tlv
from devices.simulator.object_identifiers import DG13_FORMAT, oid
from devices.simulator.person import Person
from devices.simulator.quirks import Quirk

_SEQUENCE, _SET = 0x30, 0x31


def build_dg13(person: Person, quirks: Collection[Quirk] = ()) -> bytes:
    """Return DG13 as DER.

    Args:
        person: what the card says.
        quirks: of which those named `dg13-…` change the encoding.
    """
    residence = person.place_of_residence
    if "dg13-128-byte-strings" in quirks:
        residence = _of_128_bytes(residence)
    parents = [_utf8(person.father), _utf8(person.mother)]
    if "dg13-flat-parents" not in quirks:
        parents = [tlv.encode(_SEQUENCE, name) for name in parents]
    values = {
        1: _printable(person.number),
        2: _utf8(person.full_name),
        3: _printable(_day(person.date_of_birth)),
        4: _utf8(person.sex),
        5: _utf8(person.nationality),
        6: _utf8(person.ethnicity),
        7: _utf8(person.religion),
        8: _utf8(person.place_of_origin),
        9: _utf8(residence),
        10: _utf8(person.identifying_marks),
        11: _printable(_day(person.date_of_issue)),
        12: _utf8(_expiry(person)),
        13: tlv.encode(_SEQUENCE, *parents),
        # An unmarried person's card holds the bare number: 30 03 02 01 0E.
        14: tlv.encode(_SEQUENCE, _utf8(person.spouse)) if person.spouse else b"",
        15: _printable(person.old_number),
        16: _printable(person.chip_id),
    }
    absent = set() if person.old_number else {15}
    if "dg13-absent-fields" in quirks:
        absent |= _empty_fields(person)
    entries = [
        tlv.encode(_SEQUENCE, _integer(n), value) for n, value in values.items() if n not in absent
    ]
    # X.690 §11.6: the components of a set-of are in ascending order of their encodings.
    fields = tlv.encode(_SET, *sorted(entries))
    return tlv.encode(0x6D, tlv.encode(_SEQUENCE, _integer(1), oid(DG13_FORMAT), fields))


def _empty_fields(person: Person) -> set[int]:
    contents = {
        6: person.ethnicity,
        7: person.religion,
        8: person.place_of_origin,
        9: person.place_of_residence,
        10: person.identifying_marks,
        13: person.father + person.mother,
        14: person.spouse,
        16: person.chip_id,
    }
    return {number for number, content in contents.items() if not content}


def _of_128_bytes(text: str) -> str:
    """Return a text, cut or lengthened to 128 bytes of UTF-8."""
    cut = text.encode()[:128].decode(errors="ignore")
    return cut + "." * (128 - len(cut.encode()))


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _expiry(person: Person) -> str:
    expiry = person.date_of_expiry
    return _day(expiry) if isinstance(expiry, date) else expiry


def _integer(value: int) -> bytes:
    return bytes(core.Integer(value).dump())


def _printable(value: str) -> bytes:
    return bytes(core.PrintableString(value).dump())


def _utf8(value: str) -> bytes:
    return bytes(core.UTF8String(value).dump())
