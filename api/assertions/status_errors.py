"""What can be wrong with a status list, each under a permanent code."""

from typing import TYPE_CHECKING, ClassVar

from api.errors import ApiError

if TYPE_CHECKING:
    from api.assertions.status_list import VerifiedStatusList


class StatusReferenceMalformedError(ApiError):
    """The claim `status` of an assertion names no place in a status list."""

    code = "status-reference-malformed"


class StatusListMalformedError(ApiError):
    """The bytes are not a Status List Token of this profile."""

    code = "status-list-malformed"


class StatusListTooLargeError(ApiError):
    """The token, or what it inflates to, is beyond the bounds."""

    code = "status-list-too-large"


class StatusListUntrustedError(ApiError):
    """Nobody who may speak for the issuer has signed this list."""

    code = "status-list-untrusted"

    def __init__(self, message: str, cause_code: str) -> None:
        super().__init__(message)
        self.cause_code = cause_code
        """Code of what is wrong: with the type, algorithm, chain, key usage, signature, issuer."""


class StatusListOtherSubjectError(ApiError):
    """The token is that of another list."""

    code = "status-list-other-subject"


class StatusListOfOtherTimeError(ApiError):
    """The token is genuine, and does not speak for the time that is asked about."""

    code_if_revoked: ClassVar[str]
    """Reason code of a verification where the assertion is revoked in it."""

    def __init__(self, message: str, told: "VerifiedStatusList") -> None:
        super().__init__(message)
        self.told = told
        """What it says of its own time."""


class StatusListStaleError(StatusListOfOtherTimeError):
    """The token is too old to say what holds."""

    code = "status-list-stale"
    code_if_revoked = "status-list-stale-revoked"


class StatusListNotYetValidError(StatusListOfOtherTimeError):
    """The token was issued later than the time that is asked about."""

    code = "status-list-not-yet-valid"
    code_if_revoked = "status-list-later-revoked"


class StatusIndexOutOfRangeError(ApiError):
    """The list does not reach to the index."""

    code = "status-index-out-of-range"


class StatusValueUnknownError(ApiError):
    """The list holds a status that this profile does not know."""

    code = "status-value-unknown"
