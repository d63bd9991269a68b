"""The QR code on the front of the citizen card: what the counter's camera reads before the chip.

Nothing in it is signed. It saves typing the access number, and what the chip says must agree.

Source: the 2021 card's code as seen in public: ``id|old id|name|DDMMYYYY|sex|address|DDMMYYYY``, in
UTF-8; some cards leave the old number's field out. The order of the 2024 card's fields is not
public: a code in another order is refused, never guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

import numpy as np

from devices.card_photo import GrayPicture, PhotoUnreadableError, open_photo
from devices.errors import DeviceError

__all__ = [
    "CardQr",
    "PhotoUnreadableError",
    "QrMalformedError",
    "QrMissingError",
    "QrUnavailableError",
    "find_qr",
    "parse_qr",
    "read_qr",
]

MAX_TEXT_BYTES = 2953
"""Capacity of the largest QR code in byte mode (ISO/IEC 18004, table 7)."""
_MIN_SCALED_PX = 500
_MAX_SCALED_PX = 4000


class QrUnavailableError(DeviceError):
    """The library that reads QR codes is not installed."""

    code: ClassVar[str] = "qr-unavailable"


class QrMissingError(DeviceError):
    """No QR code can be read in the photo, or those of several cards."""

    code: ClassVar[str] = "qr-missing"
    retryable: ClassVar[bool] = True


class QrMalformedError(DeviceError):
    """The QR code is not a citizen card's."""

    code: ClassVar[str] = "qr-malformed"


@dataclass(frozen=True)
class CardQr:
    """What the code says; unsigned."""

    id_number: str = field(repr=False)
    """Twelve digits; the last six are the CAN."""
    old_number: str | None = field(repr=False)
    """Nine digits of the identity card before, or None."""
    name: str = field(repr=False)
    date_of_birth: date = field(repr=False)
    sex: str = field(repr=False)
    """`Nam` or `Nữ`."""
    address: str = field(repr=False)
    date_of_issue: date = field(repr=False)


def read_qr(photo: bytes) -> CardQr:
    """Find and parse the code in a photo of the card.

    Args:
        photo: an image file (`devices.card_photo.open_photo`).

    Raises:
        QrUnavailableError: zxing-cpp is not installed.
        PhotoUnreadableError: it is no image, too large or too small.
        QrMissingError: it shows no code, or those of several cards.
        QrMalformedError: the code is another than a citizen card's.
    """
    return find_qr(open_photo(photo))


def find_qr(picture: GrayPicture) -> CardQr:
    """Find and parse the code in a picture, at any angle; codes of other kinds are passed over.

    Raises:
        QrUnavailableError: zxing-cpp is not installed.
        QrMissingError: it shows no code, or those of several cards.
        QrMalformedError: there are codes, none of them a citizen card's.
    """
    try:
        import zxingcpp
    except ImportError:
        raise QrUnavailableError("QR codes need zxing-cpp: install chinhchu[scan]") from None

    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    malformed: QrMalformedError | None = None
    for size in _sizes(picture):
        cards: set[CardQr] = set()
        for code in zxingcpp.read_barcodes(size, formats=formats):
            try:
                cards.add(parse_qr(code.bytes))
            except QrMalformedError as error:
                malformed = error
        if len(cards) > 1:
            raise QrMissingError("the photo shows the QR codes of several cards: show one alone")
        if cards:
            return cards.pop()
    raise malformed or QrMissingError(
        "the photo shows no QR code: take it again, nearer and without glare"
    )


def _sizes(picture: GrayPicture) -> Iterator[GrayPicture]:
    """Yield the picture as it is, then smaller against noise, then larger if it is small."""
    import cv2

    yield picture
    for scale in (0.5, 2.0):
        if _MIN_SCALED_PX <= max(picture.shape) * scale <= _MAX_SCALED_PX:
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)
            yield np.asarray(scaled, np.uint8)


def parse_qr(data: bytes) -> CardQr:
    """Parse the code's bytes.

    Raises:
        QrMalformedError: it has not six or seven fields, or one of them is not what it must be.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise _malformed("is too long for a citizen card's")
    try:
        fields = [part.strip() for part in data.decode("utf-8").split("|")]
    except UnicodeDecodeError:
        raise _malformed("is not UTF-8 text") from None
    if len(fields) == 6:
        fields.insert(1, "")
    if len(fields) != 7:
        raise _malformed("has not the six or seven fields of a citizen card's")
    id_number, old_number, name, birth, sex, address, issue = fields
    if not re.fullmatch(r"[0-9]{12}", id_number):
        raise _malformed("does not begin with a number of twelve digits")
    if not re.fullmatch(r"([0-9]{9})?", old_number) or not name or sex not in ("Nam", "Nữ"):
        raise _malformed("has no citizen card's old number, name and sex in their places")
    return CardQr(id_number, old_number or None, name, _date(birth), sex, address, _date(issue))


def _date(text: str) -> date:
    if re.fullmatch(r"[0-9]{8}", text):
        try:
            return date(int(text[4:]), int(text[2:4]), int(text[:2]))
        except ValueError:
            pass
    raise _malformed("has no date DDMMYYYY where a citizen card's has one")


def _malformed(what: str) -> QrMalformedError:
    return QrMalformedError(
        f"the QR code {what}: it is no citizen card's, or of a card whose code is not known yet; "
        "type the card's twelve-digit number or its last six digits (the CAN) instead"
    )
