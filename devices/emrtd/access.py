"""Open the chip: choose PACE or BAC from what it offers, and say so where the choice is weaker.

Source: ICAO Doc 9303-11, 4.2 (chip access procedure).
"""

from devices.apdu import OK, SHORT_LE_MAX, CommandApdu
from devices.emrtd.bac import open_bac
from devices.emrtd.errors import AccessFailedError, AccessUnsupportedError
from devices.emrtd.file_reading import CAUTIOUS_CHUNKS, FileReader
from devices.emrtd.files import CARD_ACCESS, EMRTD_AID
from devices.emrtd.mrz import MrzKey, Password
from devices.emrtd.pace import is_supported, open_pace
from devices.emrtd.secure_messaging import SecureChannel
from devices.emrtd.security_infos import PaceInfo, pace_infos, parse_security_infos
from devices.errors import CardRefusedError
from devices.transport import CardTransport, Channel, PlainChannel

_SELECT_MASTER_FILE = CommandApdu(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00")
_SELECT_EMRTD = CommandApdu(0x00, 0xA4, 0x04, 0x0C, EMRTD_AID)


def read_card_access(channel: Channel) -> bytes | None:
    """Return EF.CardAccess, or None if the card has none that can be read.

    Raises:
        DeviceError: the card answers with a malformed file, or the transport failed.
    """
    reader = FileReader(channel, (SHORT_LE_MAX, *CAUTIOUS_CHUNKS))
    found = reader.read(CARD_ACCESS)
    if found is None:
        # The card may still have an application selected. Some know no SELECT MF: not an error.
        channel.send(_SELECT_MASTER_FILE)
        found = reader.read(CARD_ACCESS)
    return found


class ChipAccess:
    """One way into one chip: it opens a session and can open it again."""

    def __init__(
        self, transport: CardTransport, password: Password, *, allow_bac_fallback: bool
    ) -> None:
        """Take the card and the password.

        Args:
            transport: the card.
            password: CAN or MRZ.
            allow_bac_fallback: use BAC where PACE is offered but does not work.
        """
        self.plain = PlainChannel(transport)
        self._password = password
        self._allow_bac_fallback = allow_bac_fallback
        self.card_access: bytes | None = None
        """EF.CardAccess as read; None before `open` or if the card has none."""
        self.offers: tuple[PaceInfo, ...] = ()
        """PACE offers of EF.CardAccess."""
        self.downgrade_reason: str | None = None
        """Why BAC was used although PACE is offered."""
        self._pace: PaceInfo | None = None

    @property
    def protocol(self) -> str:
        """`PACE-CAN`, `PACE-MRZ` or `BAC`: what opened the session."""
        return f"PACE-{self._password.kind}" if self._pace else "BAC"

    def open(self) -> SecureChannel:
        """Open a session with the eMRTD application selected.

        Raises:
            PasswordWrongError: the card refuses the password; nothing is tried again.
            AccessUnsupportedError: no protocol fits card, software and password.
            AccessFailedError: the protocol broke off.
            CardRefusedError: the card has no eMRTD application.
        """
        self.card_access = read_card_access(self.plain)
        if self.card_access is not None:
            self.offers = pace_infos(parse_security_infos(self.card_access))
        self._pace = next((offer for offer in self.offers if is_supported(offer)), None)
        if self._pace is None:
            if self.offers:
                self._fall_back("pace-unsupported")
            return self._open_bac()
        try:
            return self._open_pace(self._pace)
        except AccessFailedError as error:
            if not self._allow_bac_fallback or not isinstance(self._password, MrzKey):
                raise error
            self._fall_back("pace-failed")
            self._pace = None
            return self._open_bac()

    def reopen(self) -> SecureChannel:
        """Open the session again by the protocol that worked before."""
        return self._open_pace(self._pace) if self._pace else self._open_bac()

    def _open_pace(self, offer: PaceInfo) -> SecureChannel:
        # 9303-11, 4.2: after PACE the application is selected under secure messaging.
        channel = SecureChannel(self.plain, open_pace(self.plain, offer, self._password))
        _select_application(channel)
        return channel

    def _open_bac(self) -> SecureChannel:
        if not isinstance(self._password, MrzKey):
            raise AccessUnsupportedError(
                "the card offers no PACE that this software runs, so a CAN cannot open it: "
                "give document number, date of birth and date of expiry"
            )
        _select_application(self.plain)
        return SecureChannel(self.plain, open_bac(self.plain, self._password))

    def _fall_back(self, reason: str) -> None:
        if not self._allow_bac_fallback:
            raise AccessUnsupportedError(
                "the card offers PACE only in a form that this software does not run; "
                "falling back to Basic Access Control was not allowed"
            )
        self.downgrade_reason = reason


def _select_application(channel: Channel) -> None:
    response = channel.send(_SELECT_EMRTD)
    if response.status != OK:
        raise CardRefusedError(
            f"the card has no travel document application (status {response.status})",
            response.status,
        )
