"""The words of the claim set: every result is one of a few names, never a boolean."""

from enum import StrEnum


class CheckResult(StrEnum):
    """Outcome of one check; a check that was not performed is not a pass."""

    OK = "ok"
    FAILED = "failed"
    NOT_PERFORMED = "not_performed"
    NOT_SUPPORTED = "not_supported"


class AssuranceLevel(StrEnum):
    """How sure the relying party may be, in ascending order."""

    BASIC = "basic"
    SUBSTANTIAL = "substantial"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for basic, 2 for high."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(AssuranceLevel)}


class ChipAccess(StrEnum):
    """How the chip was opened."""

    PACE_CAN = "PACE-CAN"
    PACE_MRZ = "PACE-MRZ"
    BAC = "BAC"


class CloneMethod(StrEnum):
    """Which protocol showed that the chip is no copy."""

    CHIP_AUTHENTICATION = "CA"
    ACTIVE_AUTHENTICATION = "AA"
    NONE = "none"


class PadKind(StrEnum):
    """Whether the person had to do something (ISO/IEC 30107-1, active and passive PAD)."""

    ACTIVE = "active"
    PASSIVE = "passive"


class Capture(StrEnum):
    """Where the camera frames came from."""

    BROWSER = "browser"
    ATTESTED_AGENT = "attested_agent"


class AttendanceMode(StrEnum):
    """Who was with the person."""

    UNATTENDED = "unattended"
    ATTENDED_LOCAL = "attended_local"
    ATTENDED_REMOTE = "attended_remote"
    ATTENDED_OFFLINE = "attended_offline"


class OfficerDecision(StrEnum):
    """What the attending officer said."""

    AGREED = "agreed"
    REFUSED = "refused"
    NOT_ASKED = "not_asked"
