"""The QR code of the citizen card, in text and in photos."""

import contextlib
import io
import itertools
from datetime import date

import numpy as np
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from devices.card_photo import open_photo
from devices.emrtd.lds.mrz import Can
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
    with pytest.raises(QrMissingError, match="several"):
        read_qr(photo(SEVEN, SEVEN.replace("123456|", "123457|")))
    for junk in (b"", b"no picture", photo(SEVEN)[:500]):
        with pytest.raises(PhotoUnreadableError):
            read_qr(junk)


def test_the_citizen_card_is_chosen_among_codes() -> None:
    assert read_qr(photo("https://example.org", SEVEN)) == parse_qr(SEVEN.encode())
    assert read_qr(photo(SIX, SIX)) == parse_qr(SIX.encode())
    with pytest.raises(QrMalformedError, match=r"last six digits \(the CAN\)"):
        read_qr(photo("https://example.org", "WIFI:S:example;;"))


def test_another_order_of_fields_is_not_guessed() -> None:
    fields = SEVEN.split("|")
    for order in itertools.permutations(range(7)):
        text = "|".join(fields[n] for n in order)
        if [fields[n] for n in order] == fields:
            continue
        try:
            assert parse_qr(text.encode()).id_number == fields[0]
        except QrMalformedError as refused:
            assert "type" in str(refused)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_and_mirrored_as_exif_says(orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = Image.open(io.BytesIO(photo(SEVEN)))
    if orientation in undo:
        picture = picture.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = io.BytesIO()
    picture.save(stored, "JPEG", exif=exif)
    assert open_photo(stored.getvalue()).shape == (720, 1280)
    assert read_qr(stored.getvalue()).id_number == "001190123456"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_any_way_to_store_pixels(mode: str) -> None:
    gray = Image.open(io.BytesIO(photo(SEVEN))).convert("L")
    if mode == "I;16":
        stored_as = Image.fromarray((np.asarray(gray).astype(np.uint16)) << 4)  # 12 bits of 16
    else:
        stored_as = gray.convert("RGB").convert(mode)
    stored = io.BytesIO()
    stored_as.save(stored, "TIFF" if mode == "CMYK" else "PNG")
    assert read_qr(stored.getvalue()).id_number == "001190123456"


def test_nothing_personal_is_printable() -> None:
    assert "Mẫu" not in repr(parse_qr(SEVEN.encode()))
    assert "001190" not in repr(parse_qr(SEVEN.encode()))
