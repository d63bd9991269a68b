"""Spoil one side of every pair in a known way: as a chip's portrait, or as a poor live picture.

Each is deterministic: the same picture gives the same bytes. They show what a limit costs; they are
no substitute for pictures that cards and counters really give.
"""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from PIL import Image as PillowImage

from biometrics.image import decode_image
from biometrics.types import Image

MAX_TRIES: Final = 12


@dataclass(frozen=True)
class Degradation:
    """One way to spoil a picture."""

    name: str
    side: Literal["reference", "probe"]
    """Which picture of a pair it happens to."""
    meaning: str
    apply: Callable[[Image], Image]


def _chip_jp2(image: Image) -> Image:
    """Return a portrait as chips hold it where there is room."""
    return decode_image(encode_jp2(_portrait(image, 480, 640), 12_000))


def _chip_jpeg(image: Image) -> Image:
    return decode_image(encode_jpeg(_portrait(image, 120, 160), 2_500))


def _blur(image: Image) -> Image:
    sigma = max(image.shape[:2]) * 0.012
    return _as_image(cv2.GaussianBlur(image, (0, 0), sigma))


def _dark(image: Image) -> Image:
    """Return a picture taken with an eighth of the light, and the noise that shows then."""
    return _noisy(np.rint(image * 0.125), 2.0, image)


def _noise(image: Image) -> Image:
    return _noisy(image.astype(np.float64), 20.0, image)


def _low_resolution(image: Image) -> Image:
    height, width = image.shape[:2]
    size = max(1, width // 3), max(1, height // 3)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return _as_image(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def _one_sided_light(image: Image) -> Image:
    """Return a picture whose light falls from full at one side to a sixth at the other."""
    ramp = np.linspace(1, 1 / 6, image.shape[1])[None, :, None]
    return _as_image(np.rint(image * ramp).astype(np.uint8))


def encode_jp2(gray: Image, budget_bytes: int) -> bytes:
    """Return a gray picture as JP2 of at most `budget_bytes`, as near to it as the coder comes."""
    return _largest_within(budget_bytes, 1.0, 2000.0, lambda rate: _jp2(gray, rate), falling=True)


def encode_jpeg(gray: Image, budget_bytes: int) -> bytes:
    """Return a gray picture as JPEG of at most `budget_bytes`, at the best quality that fits."""
    return _largest_within(budget_bytes, 1.0, 95.0, lambda quality: _jpeg(gray, quality))


def _largest_within(
    budget_bytes: int,
    low: float,
    high: float,
    encode: Callable[[float], bytes],
    *,
    falling: bool = False,
) -> bytes:
    """Halve the range of a setting until the largest file within the budget is found."""
    best = encode(high if falling else low)
    if len(best) > budget_bytes:
        raise ValueError(f"no setting makes a file of {budget_bytes} bytes")
    for _ in range(MAX_TRIES):
        middle = (low * high) ** 0.5 if falling else (low + high) / 2
        data = encode(middle)
        fits = len(data) <= budget_bytes
        if fits and len(data) >= len(best):
            best = data
        if fits == falling:
            high = middle
        else:
            low = middle
        if fits and len(data) > 0.98 * budget_bytes:
            break
    return best


def _jp2(gray: Image, rate: float) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(gray).save(
        file, format="JPEG2000", quality_mode="rates", quality_layers=[rate], irreversible=True
    )
    return file.getvalue()


def _jpeg(gray: Image, quality: float) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(gray).save(file, format="JPEG", quality=round(quality), optimize=True)
    return file.getvalue()


def _portrait(image: Image, width: int, height: int) -> Image:
    """Return the middle of the picture in gray, cut to the shape of a portrait and scaled to it."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    have_height, have_width = gray.shape
    cut_width = max(1, min(have_width, round(have_height * width / height)))
    cut_height = max(1, min(have_height, round(have_width * height / width)))
    left, top = (have_width - cut_width) // 2, (have_height - cut_height) // 2
    cut = gray[top : top + cut_height, left : left + cut_width]
    shrinks = cut_width > width
    scaled = cv2.resize(
        cut, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return np.asarray(scaled, dtype=np.uint8)


def _noisy(values: "np.typing.NDArray[np.float64]", sigma: float, image: Image) -> Image:
    seed = int.from_bytes(hashlib.sha256(image.tobytes()).digest()[:8], "big")
    noise = np.random.default_rng(seed).normal(0, sigma, values.shape)
    return _as_image(np.clip(np.rint(values + noise), 0, 255).astype(np.uint8))


def _as_image(values: "np.typing.ArrayLike") -> Image:
    return np.asarray(values, dtype=np.uint8)


DEGRADATIONS: Final[Mapping[str, Degradation]] = {
    degradation.name: degradation
    for degradation in (
        Degradation(
            "chip-jp2-12k",
            "reference",
            "gray, the middle cut to 3:4 and scaled to 480 x 640, JPEG 2000 of at most 12 KB",
            _chip_jp2,
        ),
        Degradation(
            "chip-jpeg-2.5k",
            "reference",
            "gray, the middle cut to 3:4 and scaled to 120 x 160, JPEG of at most 2.5 KB",
            _chip_jpeg,
        ),
        Degradation("blur", "probe", "out of focus: sigma 1.2 % of the longer side", _blur),
        Degradation("dark", "probe", "an eighth of the light, and its noise", _dark),
        Degradation("noise", "probe", "noise of 20 gray levels", _noise),
        Degradation("low-resolution", "probe", "a third of the pixels a side", _low_resolution),
        Degradation(
            "one-sided-light", "probe", "light falling to a sixth across", _one_sided_light
        ),
    )
}
