"""The QR code on the front of the citizen card: what the counter's camera reads before the chip.

Nothing in it is signed. It saves typing the access number, and what the chip says must agree.

Source: the 2021 card's code as seen in public: ``id|old id|name|DDMMYYYY|sex|address|DDMMYYYY``, in
UTF-8; some cards leave the old number's field out.
"""

import io
import re
import warnings
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from devices.errors import DeviceError

MAX_PIXELS = 40_000_000
MAX_TEXT_BYTES = 2953
"""Capacity of the largest QR code in byte mode (ISO/IEC 18004, table 7)."""


class QrUnavailableError(DeviceError):
    """The library that reads QR codes is not installed."""

    code: ClassVar[str] = "qr-unavailable"


class PhotoUnreadableError(DeviceError):
    """The photo cannot be decoded, or is too large."""

    code: ClassVar[str] = "photo-unreadable"


class QrMissingError(DeviceError):
    """No QR code, or more than one, can be read in the photo."""

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
        photo: an image file that Pillow reads, at most 40 megapixels.

    Raises:
        QrUnavailableError: zxing-cpp is not installed.
        PhotoUnreadableError: it is no image, or too large.
        QrMissingError: it shows no code, or several.
        QrMalformedError: the code is another than a citizen card's.
    """
    try:
        import zxingcpp
    except ImportError:
        raise QrUnavailableError("QR codes need zxing-cpp: install chinhchu[scan]") from None
    from PIL import Image

    bombs = (Image.DecompressionBombWarning, Image.DecompressionBombError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(photo)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PhotoUnreadableError("the photo has more than 40 megapixels")
                gray = image.convert("L")
    except (OSError, ValueError, SyntaxError, *bombs):
        raise PhotoUnreadableError("the photo cannot be decoded") from None
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    codes = zxingcpp.read_barcodes(gray, formats=formats)
    if len(codes) != 1:
        found = "no QR code" if not codes else "more than one QR code"
        raise QrMissingError(f"the photo shows {found}: take it again, nearer and without glare")
    return parse_qr(codes[0].bytes)


def parse_qr(data: bytes) -> CardQr:
    """Parse the code's bytes.

    Raises:
        QrMalformedError: it has not six or seven fields, or one of them is not what it must be.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise QrMalformedError("the QR code is too long for a citizen card's")
    try:
        fields = [part.strip() for part in data.decode("utf-8").split("|")]
    except UnicodeDecodeError:
        raise QrMalformedError("the QR code is not UTF-8 text") from None
    if len(fields) == 6:
        fields.insert(1, "")
    if len(fields) != 7:
        raise QrMalformedError("a citizen card's QR code has six or seven fields")
    id_number, old_number, name, birth, sex, address, issue = fields
    if not re.fullmatch(r"[0-9]{12}", id_number):
        raise QrMalformedError("the QR code does not begin with a number of twelve digits")
    if not re.fullmatch(r"([0-9]{9})?", old_number) or not name or sex not in ("Nam", "Nữ"):
        raise QrMalformedError("the QR code's old number, name or sex is malformed")
    return CardQr(id_number, old_number or None, name, _date(birth), sex, address, _date(issue))


def _date(text: str) -> date:
    if re.fullmatch(r"[0-9]{8}", text):
        try:
            return date(int(text[4:]), int(text[2:4]), int(text[:2]))
        except ValueError:
            pass
    raise QrMalformedError("a date in the QR code is not DDMMYYYY")
