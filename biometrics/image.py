"""Decode untrusted picture bytes to BGR within bounded memory and time.

Pillow is the only decoder: it reads the header first, so that a picture too large is refused before
its pixels are allocated. Only the four formats below are tried.
"""

import io
from typing import ClassVar, Final

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from biometrics.errors import BiometricsError
from biometrics.types import Image

FORMATS: Final = ("JPEG", "PNG", "WEBP", "JPEG2000")
MAX_BYTES: Final = 32 << 20
MAX_PIXELS: Final = 36_000_000
MAX_FRAME_PIXELS: Final = 3840 * 2160
"""Limit for one frame of a capture (UHD)."""


class ImageError(BiometricsError):
    """A picture cannot be used."""

    code: ClassVar[str] = "image-unreadable"
    retryable: ClassVar[bool] = True


class ImageUnreadableError(ImageError):
    """The bytes are no whole JPEG, PNG, WebP or JPEG 2000 picture."""


class ImageTooLargeError(ImageError):
    """The picture has more bytes or pixels than allowed."""

    code: ClassVar[str] = "image-too-large"


class ImageAnimatedError(ImageError):
    """The file holds an animation, not one picture."""

    code: ClassVar[str] = "image-animated"


def decode_image(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode one JPEG, PNG, WebP, JP2 or JPEG 2000 codestream.

    The EXIF orientation is applied; gray, palette, CMYK and 16-bit pictures become 8-bit BGR;
    transparent parts are laid on white.

    Returns:
        H x W x 3, uint8, BGR.

    Raises:
        ImageTooLargeError: more than `MAX_BYTES` bytes or `max_pixels` pixels, found by the header.
        ImageAnimatedError: an animated PNG or WebP.
        ImageUnreadableError: anything else that is not one whole picture.
    """
    if len(data) > MAX_BYTES:
        raise ImageTooLargeError(f"the picture is larger than {MAX_BYTES >> 20} MiB")
    try:
        with PillowImage.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > max_pixels:
                raise ImageTooLargeError(
                    f"the picture has {picture.width} x {picture.height} pixels, "
                    f"more than {max_pixels / 1e6:g} million"
                )
            # A phone's JPEG may carry further pictures (MPO); its first one is the photograph.
            if picture.format in ("PNG", "WEBP") and getattr(picture, "n_frames", 1) > 1:
                raise ImageAnimatedError("the file is an animation, not one picture")
            picture.load()
            rgb = np.asarray(_to_rgb(ImageOps.exif_transpose(picture)), dtype=np.uint8)
    except ImageError:
        raise
    except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning):
        raise ImageTooLargeError("the picture has far too many pixels") from None
    except Exception as error:  # Pillow's decoders raise many kinds on damaged input
        raise ImageUnreadableError(
            "the file is not a whole JPEG, PNG, WebP or JPEG 2000 picture"
        ) from error
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _to_rgb(picture: PillowImage.Image) -> PillowImage.Image:
    if picture.mode.startswith("I"):
        samples = np.asarray(picture, dtype=np.int64).clip(0, 65535) // 257
        return PillowImage.fromarray(samples.astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = PillowImage.new("RGBA", layer.size, "white")
        return PillowImage.alpha_composite(white, layer).convert("RGB")
    return picture.convert("RGB")
