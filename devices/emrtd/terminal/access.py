"""Open the chip: choose PACE or BAC from what it offers, and say so where the choice is weaker.

Source: ICAO Doc 9303-11, 4.2 (chip access procedure).
"""

from enum import StrEnum

from devices.apdu import (
    CONDITIONS_NOT_SATISFIED,
    OK,
    REFERENCED_DATA_NOT_FOUND,
    SECURITY_STATUS_NOT_SATISFIED,
    CommandApdu,
    StatusWord,
)
from devices.emrtd.chip_authentication_mapping import check_chip_authentication
from devices.emrtd.crypto.elliptic_curves import Curve
from devices.emrtd.errors import (
    AccessFailedError,
    AccessUnsupportedError,
    ChipAuthenticationMappingError,
)
from devices.emrtd.evidence import CamRecord, PaceRecord
from devices.emrtd.files import CARD_ACCESS, CARD_SECURITY, EMRTD_AID
from devices.emrtd.lds.card_security import parse_card_security
from devices.emrtd.lds.mrz import MrzKey, Password
from devices.emrtd.lds.security_infos import PaceInfo, pace_infos, parse_security_infos
from devices.emrtd.terminal.bac import open_bac
from devices.emrtd.terminal.master_file import read_card_access, read_card_security
from devices.emrtd.terminal.pace import open_pace
from devices.emrtd.terminal.pace_choice import choose_pace
from devices.emrtd.terminal.secure_messaging import SecureChannel
from devices.errors import CardRefusedError
from devices.transport import Channel, PlainChannel

_SELECT_EMRTD = CommandApdu(0x00, 0xA4, 0x04, 0x0C, EMRTD_AID)
_SELECT_MASTER_FILE = CommandApdu(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00")
_PACE_FIRST = (
    SECURITY_STATUS_NOT_SATISFIED,
    CONDITIONS_NOT_SATISFIED,
    REFERENCED_DATA_NOT_FOUND,
)


class AccessPolicy(StrEnum):
    """Which access protocol may open the chip."""

    REQUIRE_PACE = "require_pace"
    """PACE or nothing."""
    PREFER_PACE = "prefer_pace"
    """PACE where the chip offers it; BAC where it offers none, or where PACE broke off before the
    password was tried, which the evidence records as a downgrade."""
    BAC_ONLY = "bac_only"
    """BAC; a downgrade where the chip offers PACE."""


class ChipAccess:
    """One way into one chip: it opens a session and can open it again."""

    def __init__(
        self,
        plain: PlainChannel,
        password: Password,
        policy: AccessPolicy = AccessPolicy.PREFER_PACE,
        *,
        allow_last_try: bool = False,
    ) -> None:
        """Take the card, the password and the policy.

        Args:
            plain: unprotected channel to the card.
            password: CAN or MRZ.
            policy: what may open the chip.
            allow_last_try: use the password although the card says that one try is left.
        """
        self._plain = plain
        self._password = password
        self._allow_last_try = allow_last_try
        self.policy = policy
        """What may open the chip."""
        self.card_access: bytes | None = None
        """EF.CardAccess as read; None before `open` or if the card has none."""
        self.card_security: bytes | None = None
        """EF.CardSecurity as read; None unless PACE-CAM opened the session."""
        self.offers: tuple[PaceInfo, ...] = ()
        """PACE offers of EF.CardAccess."""
        self.downgrade_reason: str | None = None
        """Why BAC was used although PACE is offered: `policy-bac-only`, `pace-unsupported` (by
        this software) or `pace-failed`."""
        self._pace: PaceInfo | None = None
        self._cam: CamRecord | None = None

    @property
    def protocol(self) -> str:
        """`PACE-CAN`, `PACE-MRZ` or `BAC`: what opened the session."""
        return f"PACE-{self._password.kind}" if self._pace else "BAC"

    @property
    def files(self) -> dict[str, bytes]:
        """The files below the master file that access needed, by name."""
        found = {CARD_ACCESS.name: self.card_access, CARD_SECURITY.name: self.card_security}
        return {name: data for name, data in found.items() if data is not None}

    @property
    def pace_record(self) -> PaceRecord | None:
        """How PACE opened the session, for the evidence; None for BAC."""
        if self._pace is None:
            return None
        return PaceRecord(self._pace.oid, self._pace.parameter_id, self._cam)

    def open(self) -> SecureChannel:
        """Open a session with the eMRTD application selected.

        Raises:
            PasswordWrongError: the card refuses the password; nothing is tried again.
            PasswordBlockedError: the card takes no more tries of it.
            PasswordLastTryError: one try is left and `allow_last_try` is not set.
            AccessUnsupportedError: no protocol fits card, software and password.
            AccessFailedError: the protocol broke off.
            ChipAuthenticationMappingError: PACE-CAM did not show that the chip is genuine.
            FileMalformedError: EF.CardAccess or EF.CardSecurity is malformed.
            CardRefusedError: the card has no eMRTD application.
        """
        self.card_access = read_card_access(self._plain)
        if self.card_access is not None:
            self.offers = pace_infos(parse_security_infos(self.card_access))
        if self.policy is AccessPolicy.BAC_ONLY:
            return self._open_bac("policy-bac-only")
        self._pace = choose_pace(self.offers)
        if self._pace is None:
            self._refuse_without_pace()
            return self._open_bac("pace-unsupported")
        try:
            return self._open_pace(self._pace)
        except (AccessFailedError, AccessUnsupportedError) as error:
            if not self._may_fall_back(error):
                raise
            self._pace = self._cam = None
            return self._open_bac("pace-failed")

    def reopen(self) -> SecureChannel:
        """Open the session again by the protocol that worked before.

        Raises:
            DeviceError: as `open`.
        """
        if self._pace is None:
            return self._open_bac(self.downgrade_reason)
        # PACE runs in the master file; the application is still selected. Some know no SELECT MF.
        self._plain.send(_SELECT_MASTER_FILE)
        return self._open_pace(self._pace)

    def _open_pace(self, offer: PaceInfo) -> SecureChannel:
        session = open_pace(self._plain, offer, self._password, allow_last_try=self._allow_last_try)
        channel = SecureChannel(self._plain, session.messaging)
        self._cam = session.cam
        if session.cam is not None:
            self._check_chip(channel, offer, session.cam)
        # 9303-11, 4.2: after PACE the application is selected under secure messaging.
        _select_application(channel)
        return channel

    def _check_chip(self, channel: SecureChannel, offer: PaceInfo, cam: CamRecord) -> None:
        """Check PACE-CAM before the application is selected, which hides EF.CardSecurity."""
        assert isinstance(offer.domain, Curve), "CAM is defined on curves only"
        if self.card_security is None:
            self.card_security = read_card_security(channel)
        if self.card_security is None:
            raise ChipAuthenticationMappingError(
                "card-security-missing",
                "PACE-CAM: the card has no EF.CardSecurity that can be read",
            )
        infos = parse_card_security(self.card_security).security_infos
        check_chip_authentication(cam, offer.domain, infos)

    def _open_bac(self, downgrade_reason: str | None) -> SecureChannel:
        if not isinstance(self._password, MrzKey):
            raise AccessUnsupportedError(
                "a CAN opens a chip by PACE only, and this chip is to be opened by BAC: give "
                "document number, date of birth and date of expiry"
            )
        self.downgrade_reason = downgrade_reason if self.offers else None
        try:
            _select_application(self._plain)
        except CardRefusedError as error:
            if error.status in _PACE_FIRST:
                raise AccessUnsupportedError(
                    f"the card accepts PACE only (status {StatusWord(error.status)})"
                ) from None
            raise
        return SecureChannel(self._plain, open_bac(self._plain, self._password))

    def _may_fall_back(self, error: AccessFailedError | AccessUnsupportedError) -> bool:
        """Return whether BAC may be tried: never with a password that the card has judged."""
        was_tried = isinstance(error, AccessFailedError) and error.password_was_tried
        is_allowed = self.policy is AccessPolicy.PREFER_PACE
        return is_allowed and not was_tried and isinstance(self._password, MrzKey)

    def _refuse_without_pace(self) -> None:
        if self.policy is AccessPolicy.REQUIRE_PACE:
            raise AccessUnsupportedError(
                "the policy requires PACE, and the card offers "
                + ("it in no form that this software runs" if self.offers else "none")
            )


def _select_application(channel: Channel) -> None:
    response = channel.send(_SELECT_EMRTD)
    if response.status != OK:
        raise CardRefusedError(
            f"the card has no travel document application (status {response.status})",
            response.status,
        )
