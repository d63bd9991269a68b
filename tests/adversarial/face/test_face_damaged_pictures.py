"""Damaged pictures end in a picture or in one of the picture errors, never otherwise."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from biometrics.image import ImageError, decode_image


def encode(kind, **options):
    rng = np.random.default_rng(3)
    buffer = io.BytesIO()
    noise = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    PillowImage.fromarray(noise).save(buffer, kind, **options)
    return buffer.getvalue()


PICTURES = [
    encode("JPEG"),
    encode("PNG"),
    encode("WEBP"),
    encode("JPEG2000"),
    encode("JPEG2000", no_jp2=True),
]
CODES = {
    "image-unreadable",
    "image-format-unsupported",
    "image-truncated",
    "image-too-large",
    "image-too-complex",
    "image-animated",
}


@pytest.mark.parametrize("data", PICTURES, ids=["jpeg", "png", "webp", "jp2", "j2k"])
def test_changed_bytes(data):
    @settings(max_examples=150, deadline=20_000, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=8),
        st.binary(max_size=16),
    )
    def change(edits, tail):
        damaged = bytearray(data)
        for place, value in edits:
            damaged[place] = value
        try:
            image = decode_image(bytes(damaged) + tail)
        except ImageError as error:
            assert error.code in CODES
        else:
            assert image.dtype == np.uint8
            assert image.ndim == 3

    change()


@settings(max_examples=300, deadline=20_000)
@given(st.binary(max_size=400))
def test_arbitrary_bytes(data):
    with pytest.raises(ImageError):
        decode_image(data)
