"""What a photo of a card says, so that no one types: its QR code, its machine-readable zone.

Nothing of it is signed. It opens the chip, and what the chip says decides.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from devices.card_photo import GrayPicture, open_photo
from devices.emrtd.lds.mrz import Can, Mrz, MrzKey, Password
from devices.errors import DeviceError
from devices.mrz_scan import MrzMissingError, MrzScanner
from devices.qr import CardQr, QrMissingError, find_qr


class CardUnseenError(DeviceError):
    """The photo shows neither a QR code nor a machine-readable zone."""

    code: ClassVar[str] = "card-unseen"
    retryable: ClassVar[bool] = True


class CardContradictoryError(DeviceError):
    """QR code and machine-readable zone are not of the same card."""

    code: ClassVar[str] = "card-contradictory"
    retryable: ClassVar[bool] = True


@dataclass(frozen=True)
class CardScan:
    """What was found; at least one of `qr` and `mrz`."""

    qr: CardQr | None = field(repr=False)
    mrz: Mrz | None = field(repr=False)
    """Without the name and, but for the citizen card, the second character of the document code:
    no check digit covers them."""
    lacks: tuple[DeviceError, ...] = ()
    """Why the one or the other is missing."""

    @property
    def id_number(self) -> str | None:
        """The twelve-digit number, if it was found."""
        if self.qr is not None:
            return self.qr.id_number
        return self.mrz.vietnamese_id_number if self.mrz is not None else None

    @property
    def passwords(self) -> tuple[Password, ...]:
        """What opens the chip, the quicker first; a wrong one is not to be followed by the next."""
        found: list[Can | MrzKey] = []
        if self.id_number is not None:
            found.append(Can.from_id_number(self.id_number))
        if self.mrz is not None:
            found.append(self.mrz.key)
        return tuple(found)


def scan_card_photo(photo: bytes, *, mrz: MrzScanner | None) -> CardScan:
    """Read what a photo of either side of a card shows.

    Args:
        photo: an image file (`devices.card_photo.open_photo`).
        mrz: reads the machine-readable zone; None: only the QR code is read.

    Raises:
        PhotoUnreadableError: it is no image, too large or too small.
        CardUnseenError: it shows neither.
        CardContradictoryError: it shows both, of different cards.
        DeviceError: what it shows cannot be read, or not for certain; the scanner's reason goes
            before the QR code's.
    """
    return scan_card(open_photo(photo), mrz=mrz)


def scan_card(picture: GrayPicture, *, mrz: MrzScanner | None) -> CardScan:
    """Read what a picture shows, as `scan_card_photo` does.

    Raises:
        DeviceError: as there.
    """
    lacks: list[DeviceError] = []
    qr, zone = None, None
    try:
        qr = find_qr(picture)
    except DeviceError as error:
        lacks.append(error)
    if mrz is not None:
        try:
            zone = mrz.scan(picture, quick=qr is not None)
        except DeviceError as error:
            lacks.insert(0, error)
    if qr is not None and zone is not None:
        _compare(qr, zone)
    if qr is None and zone is None:
        seen = [e for e in lacks if not isinstance(e, (MrzMissingError, QrMissingError))]
        if mrz is not None and not seen:
            raise CardUnseenError(
                "the photo shows neither a QR code nor an MRZ: take it again, nearer and straight"
            )
        raise (seen or lacks)[0]
    return CardScan(qr, zone, tuple(lacks))


def _compare(qr: CardQr, mrz: Mrz) -> None:
    number = mrz.vietnamese_id_number
    if number != qr.id_number or mrz.date_of_birth != qr.date_of_birth.strftime("%y%m%d"):
        raise CardContradictoryError("the QR code and the MRZ in the photo are of different cards")
