"""Pictures that become portraits, and those that can't."""

import io
import struct
import zlib

import pytest
from PIL import Image

from devices.simulator.errors import PortraitUnusableError
from devices.simulator.portrait import make_portrait


def stored(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK", "P", "1"])
def test_any_colour_mode_becomes_rgb(mode, picture):
    image = Image.open(io.BytesIO(picture)).convert(mode)
    portrait = make_portrait(stored(image, "TIFF" if mode == "CMYK" else "PNG"))
    assert Image.open(io.BytesIO(portrait.data)).mode == "RGB"


def test_a_small_picture_is_not_enlarged(picture):
    small = Image.open(io.BytesIO(picture)).resize((120, 160))
    portrait = make_portrait(stored(small, "JPEG"))
    assert (portrait.width, portrait.height) == (120, 160)


def test_a_picture_taken_sideways_is_turned_upright(picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    portrait = make_portrait(stored(Image.open(io.BytesIO(picture)), "JPEG", exif=exif))
    assert portrait.width > portrait.height


@pytest.mark.parametrize("no_jp2", [False, True])
def test_jpeg_2000_is_stored_as_it_is(picture, no_jp2):
    image = Image.open(io.BytesIO(picture)).resize((240, 320))
    ready = stored(image, "JPEG2000", no_jp2=no_jp2, quality_mode="rates", quality_layers=[20])
    assert make_portrait(ready).data == ready


def test_a_large_jpeg_2000_is_refused(picture):
    with pytest.raises(PortraitUnusableError, match="60 kB"):
        make_portrait(stored(Image.effect_noise((400, 400), 90), "JPEG2000"))


def test_every_truncation_is_refused_or_stored_whole(picture):
    for form in ("PNG", "JPEG", "JPEG2000"):
        whole = stored(Image.open(io.BytesIO(picture)).resize((60, 80)), form)
        for size in range(0, len(whole) - 20, max(1, len(whole) // 25)):
            try:
                portrait = make_portrait(whole[:size])
            except PortraitUnusableError:
                continue
            assert portrait.width == 60


def test_a_header_that_promises_too_much_is_refused():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    bomb += struct.pack(">I", zlib.crc32(chunk)) + bytes(32)
    with pytest.raises(PortraitUnusableError):
        make_portrait(bomb)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"not a picture", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(PortraitUnusableError):
        make_portrait(data)


def test_a_picture_too_small_for_a_face_is_refused():
    with pytest.raises(PortraitUnusableError, match="smaller than 40"):
        make_portrait(stored(Image.new("RGB", (39, 500)), "PNG"))
