"""A photo of a card as a camera or phone stores it: decoded within limits, upright, in gray."""

import io
import warnings
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from devices.errors import DeviceError

if TYPE_CHECKING:
    from PIL import Image

GrayPicture = npt.NDArray[np.uint8]
"""Rows, columns; 0 black to 255 white."""

MAX_PIXELS = 40_000_000
MAX_BYTES = 64 << 20
MIN_SIDE_PX = 64
"""Nothing on a card can be read in a picture that is smaller in either direction."""

# What cameras, phones and document scanners store. Pillow knows others that start programs (EPS).
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP")


class PhotoUnreadableError(DeviceError):
    """The photo cannot be decoded, or is too large or too small."""

    code: ClassVar[str] = "photo-unreadable"


def open_photo(photo: bytes) -> GrayPicture:
    """Decode a photo to gray, turned as its EXIF orientation says.

    Args:
        photo: a JPEG, PNG, WebP, AVIF, TIFF or BMP file, at most 64 MiB and 40 megapixels.

    Raises:
        PhotoUnreadableError: it is none of these, damaged, too large or too small.
    """
    from PIL import Image

    if len(photo) > MAX_BYTES:
        raise PhotoUnreadableError("the photo is larger than 64 MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata is no reason to refuse a picture
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(photo), formats=_FORMATS) as image:
                _check_size(*image.size)
                image.draft("L", None)  # of a JPEG only the brightness is decoded
                return _to_gray(_upright(image))
    except PhotoUnreadableError:
        raise
    except Exception:  # Pillow's decoders raise whatever their library does
        raise PhotoUnreadableError("the photo cannot be decoded") from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PhotoUnreadableError("the photo has more than 40 megapixels")
    if min(width, height) < MIN_SIDE_PX:
        raise PhotoUnreadableError("the photo is less than 64 pixels wide or high")


def _upright(image: "Image.Image") -> "Image.Image":
    from PIL import ImageOps

    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # the pixels are sound although the EXIF record is not
        return image


def _to_gray(image: "Image.Image") -> GrayPicture:
    if image.mode.startswith(("I", "F")):  # 16 bits and more a pixel
        deep = np.asarray(image, np.float64)
        if not np.isfinite(deep).all():
            raise PhotoUnreadableError("the photo has values that are no brightness")
        low, high = float(deep.min()), float(deep.max())
        return ((deep - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
    return np.asarray(image.convert("L"), np.uint8)
