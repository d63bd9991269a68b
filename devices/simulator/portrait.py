"""The portrait as the chip stores it: JPEG 2000 of a few thousand bytes."""

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from devices.simulator.errors import PortraitUnusableError

MAX_PIXELS = 50_000_000
MIN_SIDE_PX = 40

_FIT_WITHIN = (480, 640)
_TARGET_BYTES = 15_000
_MAX_FILE_BYTES = 32 << 20
_MAX_STORED_BYTES = 60_000
_JP2_SIGNATURE = bytes.fromhex("0000000C6A5020200D0A870A")
_CODESTREAM_START = bytes.fromhex("FF4FFF51")


@dataclass(frozen=True)
class Portrait:
    """A JPEG 2000 picture."""

    data: bytes = field(repr=False)
    width: int
    """Pixels."""
    height: int
    """Pixels."""


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


def make_portrait(picture: bytes) -> Portrait:
    """Turn any picture that Pillow reads into a chip portrait.

    A JPEG 2000 file or codestream is stored as it is. Anything else is turned upright, fitted into
    480×640 pixels (never enlarged or cropped) and compressed to about 15 kB.

    Raises:
        PortraitUnusableError: the picture is unreadable, too small, or larger than 50 megapixels.
    """
    _check_file_size(picture)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(picture))
        _check_size(image)
        if picture.startswith((_JP2_SIGNATURE, _CODESTREAM_START)):
            return _take_as_is(picture, image)
        return _compress(image)
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise PortraitUnusableError("The picture is in no known format, or too large") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PortraitUnusableError("The picture is damaged") from error


def _check_file_size(picture: bytes) -> None:
    if len(picture) > _MAX_FILE_BYTES:
        raise PortraitUnusableError(f"The picture is larger than {_MAX_FILE_BYTES >> 20} MiB")


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise PortraitUnusableError(f"The picture has more than {MAX_PIXELS // 10**6} megapixels")
    if min(image.size) < MIN_SIDE_PX:
        raise PortraitUnusableError(f"The picture is smaller than {MIN_SIDE_PX} pixels")


def _take_as_is(picture: bytes, image: Image.Image) -> Portrait:
    if len(picture) > _MAX_STORED_BYTES:
        raise PortraitUnusableError(
            f"A JPEG 2000 portrait must not exceed {_MAX_STORED_BYTES // 1000} kB"
        )
    image.load()
    return Portrait(picture, *image.size)


def _compress(image: Image.Image) -> Portrait:
    upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail(_FIT_WITHIN, Image.Resampling.LANCZOS)
    ratio = max(1.0, upright.width * upright.height * 3 / _TARGET_BYTES)
    stored = io.BytesIO()
    upright.save(
        stored, "JPEG2000", quality_mode="rates", quality_layers=[ratio], irreversible=ratio > 1
    )
    return Portrait(stored.getvalue(), *upright.size)
