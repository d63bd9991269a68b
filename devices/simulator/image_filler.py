"""Bytes of no meaning within a picture, where its format has room for them.

Source: ITU-T T.81 B.2.4.5 (COM); ISO/IEC 15444-1 A.9.2 (COM), I.7.2 (UUID box).
"""

_SEGMENT_MAX = 65533
_FILLER_UUID = bytes.fromhex("63686E6863687566696C6C6572000000")
_JFIF_MARKER = 0xE0


def jpeg_with_filler(picture: bytes, filler_bytes: int) -> bytes:
    """Return a JPEG with comment segments, behind JFIF's first segment."""
    place = 2
    if picture[3] == _JFIF_MARKER:
        place += 2 + int.from_bytes(picture[4:6], "big")
    segments = b"".join(
        b"\xff\xfe" + (len(part) + 2).to_bytes(2, "big") + part
        for part in _parts(filler_bytes, _SEGMENT_MAX)
    )
    return picture[:place] + segments + picture[place:]


def codestream_with_filler(picture: bytes, filler_bytes: int) -> bytes:
    """Return a JPEG 2000 codestream with comment segments, behind its first segment (SIZ)."""
    place = 4 + int.from_bytes(picture[4:6], "big")
    segments = b"".join(
        b"\xff\x64" + (len(part) + 4).to_bytes(2, "big") + b"\x00\x00" + part
        for part in _parts(filler_bytes, _SEGMENT_MAX - 2)
    )
    return picture[:place] + segments + picture[place:]


def jp2_with_filler(picture: bytes, filler_bytes: int) -> bytes:
    """Return a JP2 file with a UUID box at its end."""
    length = 8 + len(_FILLER_UUID) + filler_bytes
    return picture + length.to_bytes(4, "big") + b"uuid" + _FILLER_UUID + bytes(filler_bytes)


def _parts(total: int, longest: int) -> list[bytes]:
    full, rest = divmod(total, longest)
    return [bytes(longest)] * full + ([bytes(rest)] if rest or not full else [])
