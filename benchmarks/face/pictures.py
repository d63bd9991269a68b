"""The pictures of one comparison, as they arrive: a chip's portrait and a webcam's frame."""

import io

from PIL import Image, ImageOps

from biometrics.manifest import Manifest
from biometrics.weights import sample

PORTRAIT_PX = (480, 640)
PORTRAIT_BYTES = 12_000
PROBE_PX = (640, 480)
PROBE_QUALITY = 90
_HEAD = (0.5, 0.15)
"""Where the samples' heads are when a part is cut off: in the middle, near the top."""


def chip_portrait(manifest: Manifest) -> bytes:
    """Return a JPEG 2000 portrait of about `PORTRAIT_BYTES`, as DG2 carries it."""
    with Image.open(sample(manifest, "obama")) as picture:
        portrait = ImageOps.fit(picture.convert("RGB"), PORTRAIT_PX, centering=_HEAD)
    rate = len(portrait.getbands()) * portrait.width * portrait.height / PORTRAIT_BYTES
    return _encode(portrait, "JPEG2000", quality_mode="rates", quality_layers=[rate])


def webcam_frame(manifest: Manifest) -> bytes:
    """Return a JPEG of the same person, 640 x 480."""
    with Image.open(sample(manifest, "obama3")) as picture:
        frame = ImageOps.fit(picture.convert("RGB"), PROBE_PX, centering=_HEAD)
    return _encode(frame, "JPEG", quality=PROBE_QUALITY)


def _encode(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()
