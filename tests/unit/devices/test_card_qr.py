"""The QR code of the citizen card, in text and in photos."""

import contextlib
import io
from datetime import date

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from devices.emrtd.mrz import Can
from devices.qr import (
    CardQr,
    PhotoUnreadableError,
    QrMalformedError,
    QrMissingError,
    parse_qr,
    read_qr,
)

SEVEN = "001190123456|012345678|Nguyễn Thị Mẫu Đơn|20051990|Nữ|Số 1, phường Mẫu Vật|15072024"
SIX = "001190123456|Nguyễn Thị Mẫu Đơn|20051990|Nữ|Số 1, phường Mẫu Vật|15072024"


def photo(*texts: str, blur: float = 0.0) -> bytes:
    """Return a picture of a desk with the codes on it."""
    desk = Image.new("RGB", (1280, 720), (120, 110, 100))
    for index, text in enumerate(texts):
        stored = io.BytesIO()
        segno.make(text.encode(), error="m", mode="byte").save(stored, kind="png", scale=5)
        desk.paste(Image.open(stored).convert("RGB"), (60 + 600 * index, 60))
    stored = io.BytesIO()
    desk.rotate(7, fillcolor=(120, 110, 100)).filter(ImageFilter.GaussianBlur(blur)).save(
        stored, "JPEG", quality=80
    )
    return stored.getvalue()


@pytest.mark.parametrize("blur", [0.0, 1.5])
def test_photo_of_a_card(blur: float) -> None:
    card = read_qr(photo(SEVEN, blur=blur))
    assert card == CardQr(
        id_number="001190123456",
        old_number="012345678",
        name="Nguyễn Thị Mẫu Đơn",
        date_of_birth=date(1990, 5, 20),
        sex="Nữ",
        address="Số 1, phường Mẫu Vật",
        date_of_issue=date(2024, 7, 15),
    )
    assert Can.from_id_number(card.id_number) == Can("123456")


def test_the_old_number_may_be_empty_or_left_out() -> None:
    assert parse_qr(SIX.encode()) == parse_qr(SEVEN.replace("012345678", "").encode())
    assert parse_qr(SIX.encode()).old_number is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org",
        SEVEN + "|x",
        SEVEN.replace("001190123456", "00119012345"),
        SEVEN.replace("001190123456", "٠٠١١٩٠١٢٣٤٥٦"),
        SEVEN.replace("20051990", "31021990"),
        SEVEN.replace("20051990", "1990-05-20"),
        SEVEN.replace("Nữ", "X"),
        SEVEN.replace("Nguyễn Thị Mẫu Đơn", " "),
        SEVEN + "x" * 3000,
    ],
)
def test_another_code_is_refused(text: str) -> None:
    with pytest.raises(QrMalformedError):
        parse_qr(text.encode())


@given(st.binary(max_size=4000))
def test_any_bytes_are_refused_or_parsed(data: bytes) -> None:
    with contextlib.suppress(QrMalformedError):
        parse_qr(data)


def test_photo_without_a_code_with_two_or_no_photo() -> None:
    with pytest.raises(QrMissingError) as missing:
        read_qr(photo())
    assert missing.value.retryable
    with pytest.raises(QrMissingError):
        read_qr(photo(SEVEN, SIX))
    huge = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(huge, "PNG")
    for junk in (b"", b"no picture", photo(SEVEN)[:500], huge.getvalue()):
        with pytest.raises(PhotoUnreadableError):
            read_qr(junk)


def test_nothing_personal_is_printable() -> None:
    assert "Mẫu" not in repr(parse_qr(SEVEN.encode()))
    assert "001190" not in repr(parse_qr(SEVEN.encode()))
