"""The data groups that Vietnam leaves out and other issuers use: DG5, 7, 11, 12 and 16.

Source: ICAO Doc 9303-10 §4.7.
"""

import io
from datetime import date

from PIL import Image, ImageDraw

from devices.simulator import tlv
from devices.simulator.image_filler import jpeg_with_filler
from devices.simulator.mrz import name_field

_SIGNATURE_SIZE = (300, 100)


def build_displayed_portrait(jpeg: bytes) -> bytes:
    """Return DG5 with one displayed portrait.

    Source: ICAO Doc 9303-10 §4.7.5.
    """
    return tlv.encode(0x65, tlv.encode(0x02, b"\x01"), tlv.encode(0x5F40, jpeg))


def build_signature(filler_bytes: int | None = None) -> bytes:
    """Return DG7 with one displayed signature: a line that nobody wrote.

    Source: ICAO Doc 9303-10 §4.7.7.
    """
    picture = Image.new("L", _SIGNATURE_SIZE, 255)
    stroke = [(20, 70), (60, 20), (90, 80), (130, 30), (170, 75), (210, 40), (280, 60)]
    ImageDraw.Draw(picture).line(stroke, fill=0, width=4, joint="curve")
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=80)
    jpeg = stored.getvalue()
    if filler_bytes is not None:
        jpeg = jpeg_with_filler(jpeg, filler_bytes)
    return tlv.encode(0x67, tlv.encode(0x02, b"\x01"), tlv.encode(0x5F43, jpeg))


def build_personal_details(
    full_name: str, number: str, birth: date, place_of_birth: str, address: str
) -> bytes:
    """Return DG11: name, personal number, date and place of birth, address, if there.

    Source: ICAO Doc 9303-10 §4.7.11.
    """
    details = {
        0x5F0E: _name(full_name),
        0x5F10: number.encode(),
        0x5F2B: _date(birth),
        0x5F11: _lines(place_of_birth),
        0x5F42: _lines(address),
    }
    return _with_tag_list(0x6B, details)


def build_document_details(authority: str, issue: date) -> bytes:
    """Return DG12: issuing authority and date of issue.

    Source: ICAO Doc 9303-10 §4.7.12.
    """
    return _with_tag_list(0x6C, {0x5F19: authority.encode(), 0x5F26: _date(issue)})


def build_persons_to_notify(recorded: date, name: str, address: str) -> bytes:
    """Return DG16 with one person.

    Source: ICAO Doc 9303-10 §4.7.16.
    """
    person = tlv.encode(
        0xA1,
        tlv.encode(0x5F50, _date(recorded)),
        tlv.encode(0x5F51, _name(name)),
        tlv.encode(0x5F52, b"00000000"),
        tlv.encode(0x5F53, _lines(address)),
    )
    return tlv.encode(0x70, tlv.encode(0x02, b"\x01"), person)


def _with_tag_list(tag: int, details: dict[int, bytes]) -> bytes:
    present = {number: value for number, value in details.items() if value}
    tags = b"".join(number.to_bytes(2, "big") for number in present)
    objects = [tlv.encode(number, value) for number, value in present.items()]
    return tlv.encode(tag, tlv.encode(0x5C, tags), *objects)


def _name(full_name: str) -> bytes:
    """Return a name with the fillers of the MRZ."""
    return name_field(full_name, 99).rstrip("<").encode()


def _date(day: date) -> bytes:
    return day.strftime("%Y%m%d").encode()


def _lines(text: str) -> bytes:
    """Return a text with < between its parts."""
    return "<".join(part.strip() for part in text.split(",")).encode()
