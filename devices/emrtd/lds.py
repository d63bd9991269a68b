"""Data groups of the logical data structure: EF.COM, DG1, DG2, DG14 and DG15.

Parsers take the file as read and never change it: hashes are over the raw bytes.

Source: ICAO Doc 9303-10, 4.6 and 4.7; ISO/IEC 19794-5:2005, 5; ISO/IEC 39794-5:2019, annex A.
"""

from dataclasses import dataclass, field

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import COM, DATA_GROUP_BY_TAG, DATA_GROUPS
from devices.emrtd.mrz import Mrz, parse_mrz
from devices.emrtd.public_keys import PublicKey, parse_public_key
from devices.emrtd.security_infos import SecurityInfo, parse_security_infos
from devices.tlv import Tlv, parse_tlv

MAX_FACES = 16
_MRZ_DATA = 0x5F1F
_DATA_GROUP_LIST = 0x5C
_BIOMETRIC_GROUP, _BIOMETRIC_TEMPLATE = 0x7F61, 0x7F60
_BIOMETRIC_DATA, _BIOMETRIC_DATA_39794 = 0x5F2E, 0x7F2E

_FACE_FORMAT = b"FAC\x00"
_RECORD_HEADER_BYTES = 14
_FACE_HEADER_BYTES = 20
_FEATURE_POINT_BYTES = 8
_IMAGE_HEADER_BYTES = 12

_MEDIA_TYPES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/j2c"),
)
_END_OF_CODESTREAM = b"\xff\xd9"


@dataclass(frozen=True)
class FaceImage:
    """One encoded face image of DG2."""

    data: bytes = field(repr=False)
    """The image file, padding after its end removed."""
    media_type: str
    """`image/jpeg`, `image/jp2` or `image/j2c` (bare codestream)."""


def parse_com(data: bytes) -> tuple[int, ...]:
    """Return the numbers of the data groups that EF.COM lists.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed.
    """
    tags = parse_tlv(data, COM.tag).child(_DATA_GROUP_LIST).value
    if not all(tag in DATA_GROUP_BY_TAG for tag in tags):
        raise FileMalformedError("EF.COM lists an unknown data group")
    return tuple(DATA_GROUP_BY_TAG[tag] for tag in tags)


def parse_dg1(data: bytes) -> Mrz:
    """Return the MRZ of DG1.

    Raises:
        TlvMalformedError, FileMalformedError, MrzMalformedError: the file is malformed.
    """
    raw = parse_tlv(data, DATA_GROUPS[1].tag).child(_MRZ_DATA).value
    try:
        return parse_mrz(raw.decode("ascii"))
    except UnicodeDecodeError:
        raise FileMalformedError("the MRZ in DG1 is not ASCII") from None


def parse_dg2(data: bytes) -> tuple[FaceImage, ...]:
    """Return the face images of DG2, at least one, in the order of the file.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, holds no image, or an image
            is in no format that Doc 9303 allows.
    """
    group = parse_tlv(data, DATA_GROUPS[2].tag).child(_BIOMETRIC_GROUP)
    images: list[FaceImage] = []
    for template in group.children():
        if template.tag == _BIOMETRIC_TEMPLATE:
            images += _face_images(template)
        if len(images) > MAX_FACES:
            raise FileMalformedError("DG2 holds too many faces")
    if not images:
        raise FileMalformedError("DG2 holds no face")
    return tuple(images)


def parse_dg14(data: bytes) -> tuple[SecurityInfo, ...]:
    """Return the security infos of DG14.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed.
    """
    return parse_security_infos(parse_tlv(data, DATA_GROUPS[14].tag).value)


def parse_dg15(data: bytes) -> PublicKey:
    """Return the public key of Active Authentication.

    Raises:
        TlvMalformedError, KeyUnsupportedError: the file or the key is malformed or not supported.
    """
    return parse_public_key(parse_tlv(data, DATA_GROUPS[15].tag).value)


def _face_images(template: Tlv) -> list[FaceImage]:
    for element in template.children():
        if element.tag == _BIOMETRIC_DATA:
            return _parse_19794(element.value)
        if element.tag == _BIOMETRIC_DATA_39794:
            return _parse_39794(element)
    raise FileMalformedError("a biometric template of DG2 holds no data")


def _parse_19794(record: bytes) -> list[FaceImage]:
    """Return the images of a face record (ISO/IEC 19794-5:2005, 5.3–5.7)."""
    if len(record) < _RECORD_HEADER_BYTES or not record.startswith(_FACE_FORMAT):
        raise FileMalformedError("the face record of DG2 has no valid header")
    count = int.from_bytes(record[12:14], "big")
    if not 1 <= count <= MAX_FACES:
        raise FileMalformedError("the face record of DG2 announces no face or too many")
    images = []
    offset = _RECORD_HEADER_BYTES
    for _ in range(count):
        length = int.from_bytes(record[offset : offset + 4], "big")
        block = record[offset : offset + length]
        points = int.from_bytes(block[4:6], "big")
        start = _FACE_HEADER_BYTES + points * _FEATURE_POINT_BYTES + _IMAGE_HEADER_BYTES
        if len(block) != length or length <= start:
            raise FileMalformedError("a face of DG2 is cut off")
        images.append(_face_image(block[start:]))
        offset += length
    return images


def _parse_39794(element: Tlv) -> list[FaceImage]:
    """Return the images of a face image data block (ISO/IEC 39794-5:2019, annex A.1).

    FaceImageDataBlock [APPLICATION 5] { version [0], representationBlocks [1] SEQUENCE OF {
    representationId [0], imageRepresentation [1] { base [0] { imageRepresentation2DBlock [0] {
    representationData2D [0] OCTET STRING, … } } } } }
    """
    blocks = element.child(0xA1).child(0x65).child(0xA1)
    images = []
    for representation in blocks.children()[:MAX_FACES]:
        image = representation.child(0xA1).child(0xA0).child(0xA0).child(0x80)
        images.append(_face_image(image.value))
    return images


def _face_image(data: bytes) -> FaceImage:
    for magic, media_type in _MEDIA_TYPES:
        if data.startswith(magic):
            trimmed = data.rstrip(b"\x00")
            # Some issuers fill the file up with zeros after the end of the codestream.
            whole = trimmed if trimmed.endswith(_END_OF_CODESTREAM) else data
            return FaceImage(whole, media_type)
    raise FileMalformedError("a face of DG2 is neither JPEG nor JPEG 2000")
