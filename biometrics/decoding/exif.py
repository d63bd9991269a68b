"""The one EXIF field that changes a picture."""

import struct

_ORIENTATION = 0x0112
_SHORT = 3
_MAX_ENTRIES = 1000


def read_orientation(exif: bytes) -> int:
    """Return the orientation, 1-8; 1 if the record has none or is damaged: the pixels are sound.

    Only the first directory is read, entry by entry: nothing in it is followed or allocated.
    Source: CIPA DC-008 (EXIF 2.32), 4.6.2 and 4.6.4.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for index in range(min(entries, _MAX_ENTRIES)):
            place = directory + 2 + 12 * index
            tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, place)
            if (tag, kind, count) == (_ORIENTATION, _SHORT, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
