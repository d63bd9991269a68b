"""What can go wrong with the server's own status lists."""

from api.errors import ApiError


class StatusListUnknownError(ApiError):
    """There is no such status list here."""

    code = "status-list-unknown"


class StatusIndexNotIssuedError(ApiError):
    """No assertion has this index: its status must stay as it is for the one that gets it."""

    code = "status-index-not-issued"


class AssertionUnknownError(ApiError):
    """No assertion is known by what was given; the link to it may have been forgotten."""

    code = "assertion-unknown"


class StatusFinalError(ApiError):
    """The assertion was revoked, and that is for good."""

    code = "status-final"


class StatusReasonMissingError(ApiError):
    """A change needs a reason and who makes it, each a short line of text."""

    code = "status-reason-missing"


class StatusListOtherIssuerError(ApiError):
    """The list belongs to another issuer than the signing key speaks for."""

    code = "status-list-other-issuer"


class StatusListNotAcceptableError(ApiError):
    """The caller accepts no form in which there is a status list."""

    code = "status-list-not-acceptable"


class StatusHistoryNotSupportedError(ApiError):
    """Only the present status is served, not that of another time."""

    code = "status-history-not-supported"
