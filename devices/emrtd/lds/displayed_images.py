"""DG5 and DG7: the portrait and the signature as they are printed on the document.

Source: ICAO Doc 9303-10, 4.7.5 and 4.7.7.
"""

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import DATA_GROUPS
from devices.emrtd.lds.images import EncodedImage, parse_image
from devices.tlv import parse_tlv

MAX_IMAGES = 16
_DISPLAYED_PORTRAIT, _DISPLAYED_SIGNATURE = 0x5F40, 0x5F43


def parse_dg5(data: bytes) -> tuple[EncodedImage, ...]:
    """Return the displayed portraits, at least one.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, holds no image or more than
            16, or one that is neither JPEG nor JPEG 2000.
    """
    return _images(data, 5, _DISPLAYED_PORTRAIT)


def parse_dg7(data: bytes) -> tuple[EncodedImage, ...]:
    """Return the displayed signatures or usual marks, at least one.

    Raises:
        TlvMalformedError, FileMalformedError: as `parse_dg5`.
    """
    return _images(data, 7, _DISPLAYED_SIGNATURE)


def _images(data: bytes, number: int, tag: int) -> tuple[EncodedImage, ...]:
    elements = parse_tlv(data, DATA_GROUPS[number].tag).children()
    files = [element.value for element in elements if element.tag == tag]
    if not 1 <= len(files) <= MAX_IMAGES:
        raise FileMalformedError(f"DG{number} holds no image or too many")
    return tuple(parse_image(file) for file in files)
