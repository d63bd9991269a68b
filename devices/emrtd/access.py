"""Open the chip: choose PACE or BAC from what it offers, and say so where the choice is weaker.

Source: ICAO Doc 9303-11, 4.2 (chip access procedure).
"""

from enum import StrEnum

from devices.apdu import OK, CommandApdu
from devices.emrtd.bac import open_bac
from devices.emrtd.errors import AccessFailedError, AccessUnsupportedError
from devices.emrtd.evidence import PaceRecord
from devices.emrtd.files import CARD_ACCESS, EMRTD_AID
from devices.emrtd.master_file import read_card_access
from devices.emrtd.mrz import MrzKey, Password
from devices.emrtd.pace import is_supported, open_pace
from devices.emrtd.secure_messaging import SecureChannel
from devices.emrtd.security_infos import PaceInfo, pace_infos, parse_security_infos
from devices.errors import CardRefusedError
from devices.transport import Channel, PlainChannel

_SELECT_EMRTD = CommandApdu(0x00, 0xA4, 0x04, 0x0C, EMRTD_AID)


class AccessPolicy(StrEnum):
    """Which access protocol may open the chip."""

    REQUIRE_PACE = "require_pace"
    """PACE or nothing."""
    PREFER_PACE = "prefer_pace"
    """PACE where the chip offers it; BAC where it offers none, or where PACE does not work, which
    the evidence records as a downgrade."""
    BAC_ONLY = "bac_only"
    """BAC; a downgrade where the chip offers PACE."""


class ChipAccess:
    """One way into one chip: it opens a session and can open it again."""

    def __init__(
        self,
        plain: PlainChannel,
        password: Password,
        policy: AccessPolicy = AccessPolicy.PREFER_PACE,
    ) -> None:
        """Take the card, the password and the policy."""
        self._plain = plain
        self._password = password
        self.policy = policy
        """What may open the chip."""
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

    @property
    def files(self) -> dict[str, bytes]:
        """The files below the master file that access needed, by name."""
        return {} if self.card_access is None else {CARD_ACCESS.name: self.card_access}

    @property
    def pace_record(self) -> PaceRecord | None:
        """How PACE opened the session, for the evidence; None for BAC."""
        return PaceRecord(self._pace.oid, self._pace.parameter_id) if self._pace else None

    def open(self) -> SecureChannel:
        """Open a session with the eMRTD application selected.

        Raises:
            PasswordWrongError: the card refuses the password; nothing is tried again.
            AccessUnsupportedError: no protocol fits card, software and password.
            AccessFailedError: the protocol broke off.
            CardRefusedError: the card has no eMRTD application.
        """
        self.card_access = read_card_access(self._plain)
        if self.card_access is not None:
            self.offers = pace_infos(parse_security_infos(self.card_access))
        if self.policy is AccessPolicy.BAC_ONLY:
            self.downgrade_reason = "policy-bac-only" if self.offers else None
            return self._open_bac()
        self._pace = next((offer for offer in self.offers if is_supported(offer)), None)
        if self._pace is None:
            self._refuse_without_pace()
            self.downgrade_reason = "pace-unsupported" if self.offers else None
            return self._open_bac()
        try:
            return self._open_pace(self._pace)
        except AccessFailedError as error:
            is_allowed = self.policy is AccessPolicy.PREFER_PACE
            if not is_allowed or not isinstance(self._password, MrzKey):
                raise error
            self.downgrade_reason = "pace-failed"
            self._pace = None
            return self._open_bac()

    def reopen(self) -> SecureChannel:
        """Open the session again by the protocol that worked before."""
        return self._open_pace(self._pace) if self._pace else self._open_bac()

    def _open_pace(self, offer: PaceInfo) -> SecureChannel:
        # 9303-11, 4.2: after PACE the application is selected under secure messaging.
        channel = SecureChannel(self._plain, open_pace(self._plain, offer, self._password))
        _select_application(channel)
        return channel

    def _open_bac(self) -> SecureChannel:
        if not isinstance(self._password, MrzKey):
            raise AccessUnsupportedError(
                "the card offers no PACE that this software runs, so a CAN cannot open it: "
                "give document number, date of birth and date of expiry"
            )
        _select_application(self._plain)
        return SecureChannel(self._plain, open_bac(self._plain, self._password))

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
