"""What opens a card, from what its photo shows; without the models."""

import io
from datetime import date

import pytest
from PIL import Image

from devices.card_scan import CardScan, scan_card_photo
from devices.emrtd.lds.mrz import Can, MrzKey, parse_mrz
from devices.errors import DeviceError
from devices.qr import CardQr, QrMissingError

QR = CardQr("001190123456", None, "Mẫu", date(1990, 5, 20), "Nữ", "Số 1", date(2024, 7, 15))
PASSPORT = parse_mrz(
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
)


def test_what_opens_the_chip() -> None:
    assert CardScan(QR, None).passwords == (Can("123456"),)
    assert CardScan(None, PASSPORT).passwords == (MrzKey("L898902C3", "740812", "120415"),)
    assert CardScan(None, PASSPORT).id_number is None
    assert repr(CardScan(QR, PASSPORT)) == "CardScan(lacks=())"


def test_without_the_scanner_the_code_decides() -> None:
    stored = io.BytesIO()
    Image.new("L", (400, 300), 200).save(stored, "PNG")
    with pytest.raises(QrMissingError):
        scan_card_photo(stored.getvalue(), mrz=None)
    with pytest.raises(DeviceError):
        scan_card_photo(b"", mrz=None)
