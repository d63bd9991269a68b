"""Decode untrusted picture bytes to BGR within bounded memory and time.

The file's structure is checked first (`biometrics.decoding`); Pillow's decoder of that one format
then gets a file without metadata, within limits that its memory and time allow.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from biometrics.decoding import jpeg2000, png, webp
from biometrics.decoding.errors import (
    ImageAnimatedError,
    ImageError,
    ImageFormatUnsupportedError,
    ImageTooComplexError,
    ImageTooLargeError,
    ImageTruncatedError,
    ImageUnreadableError,
)
from biometrics.decoding.jpeg import prepare_jpeg
from biometrics.decoding.prepared import PreparedFile
from biometrics.types import Image

__all__ = [
    "ImageAnimatedError",
    "ImageError",
    "ImageFormatUnsupportedError",
    "ImageTooComplexError",
    "ImageTooLargeError",
    "ImageTruncatedError",
    "ImageUnreadableError",
    "decode_image",
]

MAX_BYTES: Final = 32 << 20
MAX_PIXELS: Final = 36_000_000
"""For JPEGs of one scan, which are decoded a few rows at a time and scaled down meanwhile."""
MAX_FRAME_PIXELS: Final = 3840 * 2160
"""Limit for one frame of a capture (UHD)."""
CAMERA_FORMATS: Final = frozenset({"JPEG", "PNG", "WebP"})
"""What cameras, browsers and agents send. Noise in JPEG 2000, which chips hold, takes thirty
times as long to decode, a pixel, as in JPEG."""
ENOUGH_LONG_SIDE_PX: Final = 1280
"""A picture is decoded at the smallest of 1/1, 1/2, 1/4, 1/8 whose long side is no shorter."""


@dataclass(frozen=True)
class _Format:
    name: str
    starts: Callable[[bytes], bool]
    prepare: Callable[[bytes], PreparedFile]
    decoder: type[ImageFile]
    max_held_pixels: int
    """Limit where the decoder holds all of the picture at once."""
    max_bytes: int = MAX_BYTES


_FORMATS: Final = (
    _Format(
        "JPEG", lambda data: data.startswith(b"\xff\xd8"), prepare_jpeg, JpegImageFile, 16_000_000
    ),
    _Format(
        "PNG",
        lambda data: data.startswith(png.SIGNATURE),
        png.prepare_png,
        PngImageFile,
        16_000_000,
    ),
    _Format("WebP", webp.is_webp, webp.prepare_webp, WebPImageFile, 16_000_000),
    # A chip holds up to 2 million pixels in 100 KiB; each may cost a hundred coding passes.
    _Format(
        "JPEG 2000",
        lambda data: data.startswith((jpeg2000.JP2_SIGNATURE, jpeg2000.SOC_SIZ)),
        jpeg2000.prepare_jpeg2000,
        Jpeg2KImageFile,
        2_500_000,
        4 << 20,
    ),
)


def decode_image(
    data: bytes, *, max_pixels: int = MAX_PIXELS, formats: frozenset[str] | None = None
) -> Image:
    """Decode one JPEG, PNG, WebP, JP2 or JPEG 2000 codestream, whatever its file is called.

    The EXIF orientation is applied; gray, palette, CMYK and 16-bit pictures become 8-bit BGR;
    transparent parts are laid on white; colour profiles are not applied. A picture of
    `2 * ENOUGH_LONG_SIDE_PX` or more on its long side is scaled down while it is decoded.

    Args:
        data: the file.
        max_pixels: no picture may have more.
        formats: only these of the four are taken; None: all.

    Returns:
        H x W x 3, uint8, BGR, contiguous.

    Raises:
        ImageFormatUnsupportedError: the bytes begin as none of these formats does.
        ImageTruncatedError: the file is empty, ends early, or parts of the picture are missing.
        ImageTooLargeError: more bytes or pixels than `max_pixels`, or than its format may have,
            found by the header.
        ImageTooComplexError: decoding it would cost far more than any genuine picture.
        ImageAnimatedError: an animated PNG or WebP.
        ImageUnreadableError: it is damaged, or a variant that cannot be decoded.
    """
    if not data:
        raise ImageTruncatedError("the file is empty")
    file_format = next((f for f in _FORMATS if f.starts(data)), None)
    if file_format is None:
        raise ImageFormatUnsupportedError("the file is no JPEG, PNG, WebP or JPEG 2000 picture")
    if formats is not None and file_format.name not in formats:
        raise ImageFormatUnsupportedError(f"{file_format.name} is not taken here")
    if len(data) > file_format.max_bytes:
        raise ImageTooLargeError(f"the picture is larger than {file_format.max_bytes >> 20} MiB")
    prepared = file_format.prepare(data)
    if not prepared.streamed:
        max_pixels = min(max_pixels, file_format.max_held_pixels)
    try:
        with file_format.decoder(io.BytesIO(prepared.data)) as picture:
            _check_size(picture.size, max_pixels)
            image = _load(picture, prepared)
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds on damaged input
        if "truncated" in str(error):
            raise ImageTruncatedError(f"the {file_format.name} file ends early") from error
        raise ImageUnreadableError(
            f"the {file_format.name} file is damaged or of an unusual kind"
        ) from error
    return _turn(image, prepared.orientation)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"the picture has {width} x {height} pixels, more than {max_pixels / 1e6:g} million"
        )


def _load(picture: ImageFile, prepared: PreparedFile) -> Image:
    factor = reduction(max(picture.size))
    if isinstance(picture, JpegImageFile):
        picture.draft(picture.mode, (picture.width // factor, picture.height // factor))
        factor = 1
    picture.load()
    pixels = np.asarray(picture)
    if isinstance(picture, PngImageFile) and not pixels[-1].any():
        png.check_png_is_filled(prepared)
    if picture.mode == "L":
        image = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    else:
        image = cv2.cvtColor(np.asarray(_to_rgb(picture)), cv2.COLOR_RGB2BGR)
    if factor > 1:
        size = max(1, image.shape[1] // factor), max(1, image.shape[0] // factor)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(image, dtype=np.uint8)


def reduction(long_side_px: int) -> int:
    """Return by how much a picture may be reduced as it is decoded: 1, 2, 4 or 8."""
    return max(f for f in (1, 2, 4, 8) if f == 1 or long_side_px // f >= ENOUGH_LONG_SIDE_PX)


def _to_rgb(picture: PillowImage.Image) -> PillowImage.Image:
    if picture.mode.startswith("I"):
        samples = np.asarray(picture, dtype=np.int32).clip(0, 65535) // 257
        return PillowImage.fromarray(samples.astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = PillowImage.new("RGBA", layer.size, "white")
        return PillowImage.alpha_composite(white, layer).convert("RGB")
    return picture.convert("RGB")


def _turn(image: Image, orientation: int) -> Image:
    """Apply an EXIF orientation. Source: CIPA DC-008 (EXIF 2.32), 4.6.4, Orientation."""
    if orientation in (5, 6, 7, 8):
        image = np.asarray(cv2.transpose(image), dtype=np.uint8)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return image if flip is None else np.asarray(cv2.flip(image, flip), dtype=np.uint8)
