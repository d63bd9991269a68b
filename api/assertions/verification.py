"""What a verification yields: every check in order, and the outcome that follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from api.assertions.vocabulary import CheckResult


class Outcome(StrEnum):
    """Verdict of a verification."""

    PASSED = "PASSED"
    INDETERMINATE = "INDETERMINATE"
    FAILED = "FAILED"


class CheckName(StrEnum):
    """The checks, in the order of the profile.

    The timestamp, which the profile names last, comes before what it fixes the time of.
    """

    FORMAT = "format"
    ALGORITHM = "algorithm"
    TYPE = "type"
    TIMESTAMP = "timestamp"
    CHAIN = "chain"
    REVOCATION = "revocation"
    KEY_USAGE = "key_usage"
    SIGNATURE = "signature"
    ISSUER = "issuer"
    DISCLOSURES = "disclosures"
    VALIDITY = "validity"
    AUDIENCE = "audience"
    NONCE = "nonce"
    KEY_BINDING = "key_binding"
    REPLAY = "replay"
    CREDENTIAL_TYPE = "credential_type"
    POLICY = "policy"
    DOCUMENTS = "documents"
    MANDATORY_CHECKS = "mandatory_checks"
    LEVEL = "level"
    MINIMUM_LEVEL = "minimum_level"
    STATUS = "status"


@dataclass(frozen=True)
class Check:
    """One check of a verification."""

    name: CheckName
    result: CheckResult
    reason: str | None = None
    """Permanent kebab-case code; None where the check is ok."""
    required: bool = True
    """Whether the outcome can be PASSED without it."""
    detail: str | None = None
    """In English, for people; without personal data."""

    def __post_init__(self) -> None:
        assert (self.reason is None) == (self.result is CheckResult.OK)


@cache
def passed(name: CheckName) -> Check:
    """Return a check that is ok."""
    return Check(name, CheckResult.OK)


def failed(name: CheckName, reason: str, detail: str | None = None) -> Check:
    """Return a check whose finding is adverse."""
    return Check(name, CheckResult.FAILED, reason, detail=detail)


@lru_cache(maxsize=64)
def not_performed(
    name: CheckName, reason: str, *, required: bool = True, detail: str | None = None
) -> Check:
    """Return a check that could not be made, or was not asked for."""
    return Check(name, CheckResult.NOT_PERFORMED, reason, required, detail)


@cache
def not_supported(name: CheckName, reason: str) -> Check:
    """Return a check that the assertion holds nothing for."""
    return Check(name, CheckResult.NOT_SUPPORTED, reason, required=False)


@dataclass(frozen=True)
class Verification:
    """All checks of one assertion."""

    checks: tuple[Check, ...]
    claims: Mapping[str, Any] | None = field(default=None, repr=False)
    """The processed payload with what was disclosed; None where the outcome is FAILED."""
    judged_at: datetime | None = None
    """The time for which everything was judged."""
    time_proven: bool = False
    """Whether a timestamp proves that time; else it is the verifier's clock, or what was asked."""

    def __bool__(self) -> bool:
        """Refuse to be a condition: `if verify(…)` would hold whatever the outcome.

        Raises:
            TypeError: always.
        """
        raise TypeError("compare the outcome of a verification with Outcome.PASSED")

    @property
    def outcome(self) -> Outcome:
        """FAILED by any failed check, PASSED only if every required one is ok."""
        if CheckResult.FAILED in [check.result for check in self.checks]:
            return Outcome.FAILED
        required = {check.result for check in self.checks if check.required}
        return Outcome.PASSED if required == {CheckResult.OK} else Outcome.INDETERMINATE

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes that keep the outcome from PASSED, in the order of the checks."""
        failed = [check for check in self.checks if check.result is CheckResult.FAILED]
        missing = [c for c in self.checks if c.required and c.result is not CheckResult.OK]
        return tuple(check.reason for check in failed or missing if check.reason)
