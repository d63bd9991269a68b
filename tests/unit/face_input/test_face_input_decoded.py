"""What is decoded, and to what: every variant equal to a plain decode, metadata without power."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from biometrics.image import ENOUGH_LONG_SIDE_PX, decode_image, reduction
from tests.fixtures.face_pictures import after_header, encode, photo, segment


def plain(data):
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))[:, :, ::-1]


@pytest.mark.parametrize("size", [(96, 64), (97, 65), (1, 1), (8, 300), (211, 9)])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"subsampling": 0},
        {"subsampling": 2, "quality": 20},
        {"progressive": True},
        {"restart_marker_blocks": 1},
        {"restart_marker_rows": 1, "optimize": True},
    ],
)
def test_every_jpeg_comes_out_as_a_plain_decoder_has_it(size, mode, options):
    data = encode(photo(size, mode), "JPEG", **options)
    assert np.array_equal(decode_image(data), plain(data))


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_every_png_comes_out_as_a_plain_decoder_has_it(mode):
    data = encode(photo(mode=mode), "PNG")
    assert np.array_equal(decode_image(data), plain(data))


def test_an_adobe_cmyk_jpeg_is_not_inverted():
    white = decode_image(encode(Image.new("CMYK", (64, 64), (0, 0, 0, 0)), "JPEG"))
    assert white.min() > 250


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(10))
def test_orientation(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(photo(), kind, exif=exif)
    assert np.array_equal(decode_image(data), plain(data))


@pytest.mark.parametrize(
    "exif",
    [b"", b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0" + bytes(60)],
)
def test_rubbish_in_exif_costs_nothing(exif):
    data = encode(photo(), "JPEG")
    assert np.array_equal(decode_image(after_header(data, segment(0xE1, exif))), plain(data))


def test_an_exif_record_that_points_to_itself_65535_times():
    entries = struct.pack("<HHII", 0x9286, 7, 60_000, 8) * 5000
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 5000) + entries
    data = encode(photo(), "JPEG")
    bomb = after_header(data, segment(0xE1, exif[:65000]) * 100)
    assert np.array_equal(decode_image(bomb), plain(data))


def test_rubbish_in_profile_comment_and_tail():
    data = encode(photo(), "JPEG")
    extra = segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(500)) + segment(0xFE, b"\xff" * 60_000)
    assert np.array_equal(decode_image(after_header(data, extra) + b"\xff\xd8"), plain(data))


def test_the_first_picture_of_several_is_the_photograph():
    first, second = photo(), photo().transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    data = encode(first, "MPO", save_all=True, append_images=[second])
    assert np.array_equal(decode_image(data), plain(encode(first, "JPEG")))


def test_12_bit_jpeg_2000_is_scaled():
    """Encoded as 16 bits, offset so that a header that says 12 bits restores the samples."""
    samples = np.linspace(0, 4095, 64 * 64, dtype=np.uint16).reshape(64, 64)
    data = bytearray(encode(Image.fromarray(samples + 30720), "JPEG2000", no_jp2=True))
    depth = data.index(b"\xff\x51") + 4 + 36
    assert data[depth] == 15
    data[depth] = 11
    image = decode_image(bytes(data))
    assert np.abs(image[:, :, 0].astype(float) - samples / 4095 * 255).max() <= 1.1


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
@pytest.mark.parametrize("no_jp2", [True, False])
@pytest.mark.parametrize("options", [{}, {"tile_size": (32, 32)}, {"num_resolutions": 1}])
def test_lossless_jpeg_2000(mode, no_jp2, options):
    picture = photo(mode=mode)
    image = decode_image(encode(picture, "JPEG2000", no_jp2=no_jp2, **options))
    assert np.array_equal(image, np.asarray(picture.convert("RGB"))[:, :, ::-1])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_is_scaled_down(kind):
    image = decode_image(encode(photo((3000, 400)), kind))
    assert image.shape == (200, 1500, 3)


def test_scaling_keeps_enough_and_starts_late():
    assert [reduction(2 * ENOUGH_LONG_SIDE_PX - 1), reduction(2 * ENOUGH_LONG_SIDE_PX)] == [1, 2]
    assert reduction(4000) == 2
    assert reduction(40_000) == 8
    for long_side_px in range(1, 30_000, 7):
        assert long_side_px // reduction(long_side_px) >= min(long_side_px, ENOUGH_LONG_SIDE_PX)
