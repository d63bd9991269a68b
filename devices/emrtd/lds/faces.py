"""DG2: face images with what their records say of them.

Source: ICAO Doc 9303-10, 4.7.2; ISO/IEC 7816-11:2004, 5.2 (biometric templates).
"""

from collections.abc import Iterator

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import DATA_GROUPS
from devices.emrtd.lds.face_blocks import parse_39794_faces
from devices.emrtd.lds.face_image import MAX_FACES, FaceImage
from devices.emrtd.lds.face_records import FORMAT_IDENTIFIER, parse_19794_faces
from devices.tlv import find_span, parse_span, parse_spans

__all__ = ["MAX_FACES", "FaceImage", "parse_dg2"]

_GROUP, _TEMPLATE = 0x7F61, 0x7F60
_DATA_BLOCKS = (0x5F2E, 0x7F2E)


def parse_dg2(data: bytes) -> tuple[FaceImage, ...]:
    """Return the face images of DG2, at least one, in the order of the file.

    The number of templates that the file announces is not compared with those that are there.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, holds no image or more than
            16, or an image is in no format that Doc 9303 allows.
    """
    images: list[FaceImage] = []
    for block in _data_blocks(data):
        if block.startswith(FORMAT_IDENTIFIER):
            images += parse_19794_faces(block)
        else:
            images += parse_39794_faces(block)
        if len(images) > MAX_FACES:
            raise FileMalformedError("DG2 holds too many faces")
    if not images:
        raise FileMalformedError("DG2 holds no face")
    return tuple(images)


def _data_blocks(data: bytes) -> Iterator[bytes]:
    """Yield the biometric data block of each template; its content tells its format."""
    _, start, end = parse_span(data, DATA_GROUPS[2].tag)
    _, start, end = find_span(parse_spans(data, start, end), _GROUP)
    templates = parse_spans(data, start, end)
    for tag, start, end in templates:
        if tag != _TEMPLATE:
            continue
        blocks = [span for span in parse_spans(data, start, end) if span[0] in _DATA_BLOCKS]
        if len(blocks) != 1:
            raise FileMalformedError("a biometric template of DG2 has not exactly one data block")
        _, start, end = blocks[0]
        yield data[start:end]
