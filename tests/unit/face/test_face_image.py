"""Which picture bytes are decoded, and to what."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as PillowImage

from biometrics.image import (
    ImageAnimatedError,
    ImageTooLargeError,
    ImageUnreadableError,
    decode_image,
)


def encode(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def ramp(mode="RGB", size=(40, 30)):
    x = np.linspace(0, 255, size[0], dtype=np.uint8)
    gray = np.tile(x, (size[1], 1))
    return PillowImage.fromarray(np.dstack([gray, 255 - gray, gray // 2])).convert(mode)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("JPEG2000", {"no_jp2": False}),
        ("JPEG2000", {"no_jp2": True}),
    ],
)
def test_each_format_gives_bgr(kind, options):
    image = decode_image(encode(ramp(), kind, **options))
    assert image.shape == (30, 40, 3)
    assert image.dtype == np.uint8
    assert np.allclose(image[15, 39, ::-1], (255, 0, 127), atol=12)


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA"])
def test_gray_palette_and_alpha_become_bgr(mode):
    assert decode_image(encode(ramp(mode), "PNG")).shape == (30, 40, 3)


def test_transparent_parts_are_white():
    layer = PillowImage.new("RGBA", (8, 8), (200, 0, 0, 0))
    assert (decode_image(encode(layer, "PNG")) == 255).all()


def test_cmyk_jpeg_keeps_its_colours():
    image = decode_image(encode(ramp("CMYK"), "JPEG", quality=95))
    assert np.allclose(image[15, 39, ::-1], (255, 0, 127), atol=12)


def test_16_bit_gray_is_scaled_not_clipped():
    samples = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    for kind in ("PNG", "JPEG2000"):
        image = decode_image(encode(PillowImage.fromarray(samples), kind))
        expected = np.round(samples / 257.0)
        assert np.abs(image[:, :, 0].astype(float) - expected).max() <= 1


def test_exif_orientation_is_applied():
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    assert decode_image(encode(ramp(), "JPEG", exif=exif)).shape == (40, 30, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation_is_refused(kind):
    frames = [PillowImage.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageAnimatedError):
        decode_image(data)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("PNG", {}), ("WEBP", {}), ("JPEG2000", {}), ("JPEG2000", {"no_jp2": True})],
)
@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.9])
def test_truncated_picture_is_refused(kind, options, part):
    rng = np.random.default_rng(0)
    noise = PillowImage.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encode(noise, kind, **options)
    with pytest.raises(ImageUnreadableError) as caught:
        decode_image(data[: int(len(data) * part)])
    assert caught.value.code == "image-truncated"


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", b"\xff\xd8\xff", b"GIF89a" + bytes(40), b"%PDF-1.7\n", bytes(99)],
)
def test_other_files_are_refused(data):
    with pytest.raises(ImageUnreadableError):
        decode_image(data)


@pytest.mark.parametrize("side", [7000, 20_000, 2**31 - 1])
def test_huge_header_is_refused_before_decoding(side):
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    with pytest.raises(ImageTooLargeError) as caught:
        decode_image(data)
    assert caught.value.code == "image-too-large"


def test_pixel_limit_is_the_callers():
    data = encode(ramp(), "PNG")
    with pytest.raises(ImageTooLargeError):
        decode_image(data, max_pixels=40 * 30 - 1)
    assert decode_image(data, max_pixels=40 * 30).shape == (30, 40, 3)


def test_one_pixel_is_a_picture():
    assert decode_image(encode(PillowImage.new("RGB", (1, 1)), "PNG")).shape == (1, 1, 3)
