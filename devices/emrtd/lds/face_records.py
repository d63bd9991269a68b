"""Face records of ISO/IEC 19794-5:2005: fixed headers, big-endian numbers.

Source: ISO/IEC 19794-5:2005, 5.4–5.8.
"""

import struct

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.lds.face_image import MAX_FACES, SOURCES, FaceImage
from devices.emrtd.lds.images import parse_image

FORMAT_IDENTIFIER = b"FAC\x00"
_RECORD_HEADER_BYTES = 14
_FACE_HEADER_BYTES = 20
_FEATURE_POINT_BYTES = 8
# 5.7: image type, (data type), width, height, colour space, source, device type, (quality).
_IMAGE_HEADER = struct.Struct(">BxHHBBHxx")

_IMAGE_TYPES = {0: "basic", 1: "full-frontal", 2: "token-frontal"}
_COLOUR_SPACES = {1: "rgb-24", 2: "yuv-422", 3: "grey-8", 4: "other"}


def parse_19794_faces(record: bytes) -> list[FaceImage]:
    """Return the images of a face record.

    Two lengths are not believed, because the bytes themselves tell better: the record's, and that
    of its only face. Among several faces each length decides where the next one begins, so there
    it must fit. The version is not looked at: the layout is that of the edition of 2005, the only
    one that Doc 9303 allows, and an image must be found where that layout puts it.

    Raises:
        FileMalformedError: the record is cut off, holds no face or more than 16, or an image is
            in no format that Doc 9303 allows.
    """
    if len(record) < _RECORD_HEADER_BYTES or not record.startswith(FORMAT_IDENTIFIER):
        raise FileMalformedError("the face record of DG2 has no valid header")
    count = int.from_bytes(record[12:14], "big")
    if not 1 <= count <= MAX_FACES:
        raise FileMalformedError("the face record of DG2 announces no face or too many")
    if count == 1:
        return [_parse_face(record[_RECORD_HEADER_BYTES:])]
    images = []
    offset = _RECORD_HEADER_BYTES
    for _ in range(count):
        length = int.from_bytes(record[offset : offset + 4], "big")
        block = record[offset : offset + length]
        if len(block) != length:
            raise FileMalformedError("a face of DG2 is cut off")
        images.append(_parse_face(block))
        offset += length
    return images


def _parse_face(block: bytes) -> FaceImage:
    points = int.from_bytes(block[4:6], "big")
    start = _FACE_HEADER_BYTES + points * _FEATURE_POINT_BYTES
    if len(block) < start + _IMAGE_HEADER.size:
        raise FileMalformedError("a face of DG2 is cut off")
    header = _IMAGE_HEADER.unpack_from(block, start)
    image_type, width_px, height_px, colour_space, source, device_type = header
    image = parse_image(block[start + _IMAGE_HEADER.size :])
    return FaceImage(
        **vars(image),
        record_format="ISO/IEC 19794-5",
        record_width_px=width_px or None,
        record_height_px=height_px or None,
        image_type=_IMAGE_TYPES.get(image_type),
        colour_space=_COLOUR_SPACES.get(colour_space),
        source=SOURCES.get(source),
        device_type=device_type or None,
        feature_points=points,
    )
