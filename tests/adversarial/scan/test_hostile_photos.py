"""Pictures made to hurt: bombs, torn files, shapes that no camera has."""

import io
import struct
import time
import zlib

import pytest
from PIL import Image

from devices.card_photo import MAX_BYTES, PhotoUnreadableError, open_photo
from devices.card_scan import scan_card_photo
from devices.errors import DeviceError


def _png(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _stored(picture: Image.Image, kind: str) -> bytes:
    stored = io.BytesIO()
    picture.save(stored, kind)
    return stored.getvalue()


@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 100_000), (100_000, 1), (63, 4000), (2**31 - 1, 2**31 - 1), (60_000, 60_000), (0, 0)],
)
def test_sizes_are_refused_by_the_header(width: int, height: int) -> None:
    start = time.process_time()
    with pytest.raises(PhotoUnreadableError):
        open_photo(_png(width, height))
    assert time.process_time() - start < 5


def test_a_deflate_bomb_is_refused() -> None:
    with pytest.raises(PhotoUnreadableError):
        open_photo(_png(10_000, 10_000, bytes(100_010_000)))
    with pytest.raises(PhotoUnreadableError):
        open_photo(bytes(MAX_BYTES + 1))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_torn_and_altered_files(kind: str) -> None:
    whole = _stored(Image.effect_noise((320, 200), 50), kind)
    assert open_photo(whole).shape == (200, 320)
    for part in range(0, len(whole) - 2, max(1, len(whole) // 40)):
        torn = whole[:part]
        altered = whole[:part] + bytes([whole[part] ^ 0x5A]) + whole[part + 1 :]
        for data in (torn, altered):
            try:
                assert min(open_photo(data).shape) >= 64
            except PhotoUnreadableError:
                continue


@pytest.mark.parametrize("kind", ["GIF", "PPM", "ICO", "EPS", "PDF"])
def test_formats_that_no_camera_stores(kind: str) -> None:
    with pytest.raises(PhotoUnreadableError):
        open_photo(_stored(Image.new("RGB", (128, 128)), kind))


@pytest.mark.parametrize("size", [(64, 64), (64, 20_000), (20_000, 64)])
def test_empty_pictures_show_no_card(size: tuple[int, int]) -> None:
    for colour in ("white", "black"):
        with pytest.raises(DeviceError) as refused:
            scan_card_photo(_stored(Image.new("L", size, colour), "PNG"), mrz=None)
        assert refused.value.retryable
