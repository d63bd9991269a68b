"""What can be wrong with a timestamp, each under a permanent code."""

from api.errors import ApiError


class TimestampMalformedError(ApiError):
    """The bytes are not an RFC 3161 token, or are beyond its bounds."""

    code = "timestamp-malformed"


class TimestampImprintError(ApiError):
    """The token is over other data."""

    code = "timestamp-imprint-mismatch"


class TimestampSignatureError(ApiError):
    """The authority's signature does not verify."""

    code = "timestamp-signature-invalid"


class TimestampCertificateError(ApiError):
    """The signing certificate is missing, is not the one that was signed for, or may not do so."""

    code = "timestamp-certificate-unfit"


class TimestampExpiredError(ApiError):
    """A certificate of the authority was not valid at the token's time."""

    code = "timestamp-chain-expired"


class TimestampUntrustedError(ApiError):
    """The authority's certificates do not lead to a pinned root."""

    code = "timestamp-unpinned-root"
