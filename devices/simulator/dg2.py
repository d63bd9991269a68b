"""DG2: the face, as ISO/IEC 19794-5 or ISO/IEC 39794-5 records.

Source: ICAO Doc 9303-10 §4.7.2.
"""

from collections.abc import Sequence
from typing import Literal

from devices.simulator import tlv
from devices.simulator.portrait import Portrait

RecordFormat = Literal["iso19794-5", "iso39794-5"]

_FORMAT_TYPES: dict[RecordFormat, bytes] = {"iso19794-5": b"\x00\x08", "iso39794-5": b"\x00\x2a"}
_FORMAT_OWNER = b"\x01\x01"  # ISO/IEC JTC 1/SC 37


def build_dg2(
    portraits: Sequence[Portrait],
    record_format: RecordFormat = "iso19794-5",
    trailing_bytes: int = 0,
) -> bytes:
    """Return DG2 with a biometric information template for each face.

    Args:
        portraits: at least one.
        record_format: of the biometric data blocks.
        trailing_bytes: zeros behind each picture, within its field.

    Source: ICAO Doc 9303-10 §4.7.2, table 41.
    """
    build = _record_template if record_format == "iso19794-5" else _block_template
    templates = [build(portrait, bytes(trailing_bytes)) for portrait in portraits]
    count = tlv.encode(0x02, bytes([len(templates)]))
    return tlv.encode(0x75, tlv.encode(0x7F61, count, *templates))


def _record_template(portrait: Portrait, trailing: bytes) -> bytes:
    header = tlv.encode(
        0xA1,
        tlv.encode(0x81, b"\x02"),  # facial features
        tlv.encode(0x82, b"\x00"),
        tlv.encode(0x87, _FORMAT_OWNER),
        tlv.encode(0x88, _FORMAT_TYPES["iso19794-5"]),
    )
    return tlv.encode(0x7F60, header, tlv.encode(0x5F2E, _facial_record(portrait, trailing)))


def _facial_record(portrait: Portrait, trailing: bytes) -> bytes:
    """Source: ISO/IEC 19794-5:2005 §5 (facial record), §5.7 (image information)."""
    full_frontal, rgb_24_bit = 1, 1
    image_data_type = 0 if portrait.format == "jpeg" else 1
    image_information = (
        bytes([full_frontal, image_data_type])
        + portrait.width.to_bytes(2, "big")
        + portrait.height.to_bytes(2, "big")
        + bytes([rgb_24_bit])
        + bytes(5)  # source, device and quality: unspecified
    )
    facial_information = bytes(16)  # everything unspecified, no feature points
    picture = portrait.data + trailing
    block_bytes = 4 + len(facial_information) + len(image_information) + len(picture)
    block = block_bytes.to_bytes(4, "big") + facial_information + image_information + picture
    record_bytes = 14 + len(block)
    return b"FAC\x00010\x00" + record_bytes.to_bytes(4, "big") + b"\x00\x01" + block


def _block_template(portrait: Portrait, trailing: bytes) -> bytes:
    """Return a template with the mandatory fields of a face image data block, and its size.

    Source: ISO/IEC 39794-5:2019 annex A (FaceImageDataBlock); Doc 9303-10 §4.7.2.1.
    """
    header = tlv.encode(
        0xA1,
        tlv.encode(0x87, _FORMAT_OWNER),
        tlv.encode(0x88, _FORMAT_TYPES["iso39794-5"]),
    )
    version = tlv.encode(0xA0, tlv.encode(0x80, b"\x03"), tlv.encode(0x81, b"\x07\xe3"))
    jpeg, jpeg_2000_lossy = 2, 3
    data_format = jpeg if portrait.format == "jpeg" else jpeg_2000_lossy
    size = tlv.encode(
        0xA7,
        tlv.encode(0x80, _integer(portrait.width)),
        tlv.encode(0x81, _integer(portrait.height)),
    )
    information = tlv.encode(0xA1, tlv.encode(0xA0, tlv.encode(0x80, bytes([data_format]))), size)
    picture = tlv.encode(0x80, portrait.data + trailing)
    image = tlv.encode(0xA1, tlv.encode(0xA0, tlv.encode(0xA0, picture, information)))
    representation = tlv.encode(0x30, tlv.encode(0x80, b"\x00"), image)
    block = tlv.encode(0x65, version, tlv.encode(0xA1, representation))
    return tlv.encode(0x7F60, header, tlv.encode(0x7F2E, tlv.encode(0xA1, block)))


def _integer(value: int) -> bytes:
    """Return the contents of an INTEGER that is not negative."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")
