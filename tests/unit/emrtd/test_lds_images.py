"""Where an image file ends, and how large its picture is, whatever follows it on the chip."""

import io
import random

import pytest
from PIL import Image

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.lds.images import parse_image

WIDTH, HEIGHT = 61, 83
LEFTOVERS = random.Random(3).randbytes(700)
PADDINGS = {
    "none": b"",
    "zeros": bytes(513),
    "ff": b"\xff" * 300,
    "leftovers": LEFTOVERS,
    "ends like an image": bytes(40) + b"\xff\xd9",
    "leftovers that end like an image": LEFTOVERS + b"\xff\xd9",
    "zeros after another end": b"\xff\xd9" + bytes(9),
}


def _encode(form: str, **options: object) -> bytes:
    noise = random.Random(5).randbytes(WIDTH * HEIGHT * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (WIDTH, HEIGHT), noise).save(buffer, form, **options)
    return buffer.getvalue()


FILES = {
    "jpeg": ("image/jpeg", _encode("JPEG", quality=90)),
    "progressive jpeg": ("image/jpeg", _encode("JPEG", progressive=True)),
    "jpeg with restarts": ("image/jpeg", _encode("JPEG", restart_marker_rows=1)),
    "jpeg with a thumbnail": (
        "image/jpeg",
        _encode("JPEG", exif=b"Exif\x00\x00" + _encode("JPEG", quality=20)[:9000]),
    ),
    "jp2": ("image/jp2", _encode("JPEG2000")),
    "codestream": ("image/j2c", _encode("JPEG2000", no_jp2=True)),
    "tiles": ("image/j2c", _encode("JPEG2000", no_jp2=True, tile_size=(32, 32))),
}


def _with_open_tile(codestream: bytes) -> bytes:
    """Return the codestream with the length of its only tile-part left open (Psot = 0)."""
    start = codestream.index(b"\xff\x90")
    return codestream[: start + 6] + bytes(4) + codestream[start + 10 :]


def _with_open_box(jp2: bytes) -> bytes:
    """Return the JP2 file with the length of its codestream box left open (LBox = 0)."""
    start = jp2.index(b"jp2c")
    return jp2[: start - 4] + bytes(4) + jp2[start:]


def _with_long_box(jp2: bytes) -> bytes:
    """Return the JP2 file with a 64-bit length of its codestream box (LBox = 1)."""
    start = jp2.index(b"jp2c")
    size = (len(jp2) - start + 4 + 8).to_bytes(8, "big")
    return jp2[: start - 4] + b"\x00\x00\x00\x01jp2c" + size + jp2[start + 4 :]


FILES["open tile"] = ("image/j2c", _with_open_tile(FILES["codestream"][1]))
FILES["open box"] = ("image/jp2", _with_open_box(FILES["jp2"][1]))
FILES["long box"] = ("image/jp2", _with_long_box(FILES["jp2"][1]))
FILES["metadata after the codestream"] = (
    "image/jp2",
    FILES["jp2"][1] + b"\x00\x00\x00\x0dxml <a/> ",
)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("name", FILES)
def test_what_follows_the_file_is_dropped(name: str, padding: str) -> None:
    media_type, file = FILES[name]
    image = parse_image(file + PADDINGS[padding])
    assert (image.media_type, image.width_px, image.height_px) == (media_type, WIDTH, HEIGHT)
    assert image.data == file


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_off_is_kept_whole(name: str) -> None:
    file = FILES[name][1]
    cut = file[: len(file) - 25]
    assert parse_image(cut).data == cut


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_a_size_is_refused(name: str) -> None:
    with pytest.raises(FileMalformedError):
        parse_image(FILES[name][1][:20])


def test_a_picture_without_pixels_is_refused() -> None:
    file = bytearray(FILES["codestream"][1])
    file[8:12] = bytes(4)
    with pytest.raises(FileMalformedError):
        parse_image(bytes(file))


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(40), b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_other_formats_are_refused(data: bytes) -> None:
    with pytest.raises(FileMalformedError, match="neither JPEG nor JPEG 2000"):
        parse_image(data)


def test_the_picture_is_not_printed() -> None:
    assert "xff" not in repr(parse_image(FILES["jpeg"][1]))
