"""The portrait as the chip stores it: a picture of a few thousand bytes."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from devices.simulator.errors import PortraitUnusableError
from devices.simulator.image_filler import (
    codestream_with_filler,
    jp2_with_filler,
    jpeg_with_filler,
)

MAX_PIXELS = 50_000_000
MIN_SIDE_PX = 40

PictureFormat = Literal["jp2", "j2k", "jpeg"]
"""JPEG 2000 as a JP2 file or as a bare codestream; JPEG."""
TARGET_BYTES = 15_000

_FIT_WITHIN = (480, 640)
_JPEG_QUALITIES = range(90, 5, -5)
_MAX_FILE_BYTES = 32 << 20
_MAX_STORED_BYTES = 60_000
_JP2_SIGNATURE = bytes.fromhex("0000000C6A5020200D0A870A")
_CODESTREAM_START = bytes.fromhex("FF4FFF51")


@dataclass(frozen=True)
class Portrait:
    """A picture as the chip stores it."""

    data: bytes = field(repr=False)
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    format: PictureFormat = "jp2"

    def with_filler(self, filler_bytes: int) -> "Portrait":
        """Return the same picture, its file made longer by a comment that means nothing."""
        return replace(self, data=_FILLERS[self.format](self.data, filler_bytes))


def read_picture(path: Path) -> bytes:
    """Return the bytes of a picture file.

    Raises:
        PortraitUnusableError: it is unreadable, or larger than 32 MiB.
    """
    try:
        with path.open("rb") as file:
            picture = file.read(_MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise PortraitUnusableError(f"{path}: {reason}") from None
    _check_file_size(picture)
    return picture


def make_portrait(
    picture: bytes,
    picture_format: PictureFormat | None = None,
    target_bytes: int = TARGET_BYTES,
) -> Portrait:
    """Turn any picture that Pillow reads into a chip portrait.

    A JPEG 2000 file or codestream is stored as it is, unless another format is asked for. Anything
    else is turned upright, fitted into 480×640 pixels (never enlarged or cropped) and compressed.

    Args:
        picture: bytes of a picture file.
        picture_format: format of the portrait; None for JPEG 2000 of either kind.
        target_bytes: about how large a compressed portrait becomes.

    Raises:
        PortraitUnusableError: the picture is unreadable, too small, or larger than 50 megapixels.
    """
    _check_file_size(picture)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(picture))
        _check_size(image)
        found = _jpeg_2000_format(picture)
        if found is not None and picture_format in (None, found):
            return _take_as_is(picture, image, found)
        return _compress(image, picture_format or "jp2", target_bytes)
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise PortraitUnusableError("The picture is in no known format, or too large") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PortraitUnusableError("The picture is damaged") from error


def _jpeg_2000_format(picture: bytes) -> PictureFormat | None:
    if picture.startswith(_JP2_SIGNATURE):
        return "jp2"
    return "j2k" if picture.startswith(_CODESTREAM_START) else None


def _check_file_size(picture: bytes) -> None:
    if len(picture) > _MAX_FILE_BYTES:
        raise PortraitUnusableError(f"The picture is larger than {_MAX_FILE_BYTES >> 20} MiB")


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise PortraitUnusableError(f"The picture has more than {MAX_PIXELS // 10**6} megapixels")
    if min(image.size) < MIN_SIDE_PX:
        raise PortraitUnusableError(f"The picture is smaller than {MIN_SIDE_PX} pixels")


def _take_as_is(picture: bytes, image: Image.Image, found: PictureFormat) -> Portrait:
    if len(picture) > _MAX_STORED_BYTES:
        raise PortraitUnusableError(
            f"A JPEG 2000 portrait must not exceed {_MAX_STORED_BYTES // 1000} kB"
        )
    image.load()
    return Portrait(picture, *image.size, found)


def _compress(image: Image.Image, picture_format: PictureFormat, target_bytes: int) -> Portrait:
    upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail(_FIT_WITHIN, Image.Resampling.LANCZOS)
    compress = _compress_jpeg if picture_format == "jpeg" else _compress_jpeg_2000
    return Portrait(compress(upright, picture_format, target_bytes), *upright.size, picture_format)


def _compress_jpeg_2000(image: Image.Image, picture_format: str, target_bytes: int) -> bytes:
    ratio = max(1.0, image.width * image.height * 3 / target_bytes)
    stored = io.BytesIO()
    image.save(
        stored,
        "JPEG2000",
        no_jp2=picture_format == "j2k",
        quality_mode="rates",
        quality_layers=[ratio],
        irreversible=ratio > 1,
    )
    return stored.getvalue()


def _compress_jpeg(image: Image.Image, _: str, target_bytes: int) -> bytes:
    """Return the best JPEG that is small enough, else the smallest."""
    for quality in _JPEG_QUALITIES:
        stored = io.BytesIO()
        image.save(stored, "JPEG", quality=quality, optimize=True)
        if stored.tell() <= target_bytes:
            break
    return stored.getvalue()


_FILLERS: dict[PictureFormat, Callable[[bytes, int], bytes]] = {
    "jp2": jp2_with_filler,
    "j2k": codestream_with_filler,
    "jpeg": jpeg_with_filler,
}
