"""What the verification of a PDF yields: its checks, and those of the assertions in it."""

from dataclasses import dataclass, field
from enum import StrEnum

from api.assertions.verification import Outcome, Verification
from api.assertions.vocabulary import CheckResult
from api.pdf.signatures import PdfSignature


class PdfCheckName(StrEnum):
    """The checks of the PDF around the assertions, in order."""

    PDF = "pdf"
    ATTACHMENT = "attachment"
    REVISION = "revision"
    CHANGES = "changes"
    SIGNATURES = "signatures"


@dataclass(frozen=True)
class PdfCheck:
    """One check of the PDF."""

    name: PdfCheckName
    result: CheckResult
    reason: str | None = None
    """Permanent kebab-case code; None where the check is ok."""
    required: bool = True
    """Whether the outcome can be PASSED without it."""
    detail: str | None = None
    """In English, for people; without personal data."""


@dataclass(frozen=True)
class PdfVerification:
    """All checks of one PDF and of the assertions in it."""

    checks: tuple[PdfCheck, ...]
    """Of the PDF."""
    assertions: tuple[Verification, ...] = ()
    """Of the assertions over revision 0, in the order of their numbers; none where the PDF yields
    none."""
    signatures: tuple[PdfSignature, ...] = ()
    """In the order in which they were made."""
    revision_0: bytes | None = field(default=None, repr=False)
    """The document that the assertions are for."""

    def __bool__(self) -> bool:
        """Refuse to be a condition, as a `Verification` does.

        Raises:
            TypeError: always.
        """
        raise TypeError("compare the outcome of a verification with Outcome.PASSED")

    @property
    def assertion(self) -> Verification | None:
        """Of the only assertion; None where the PDF yields none, or several."""
        return self.assertions[0] if len(self.assertions) == 1 else None

    @property
    def outcome(self) -> Outcome:
        """The worst of all: FAILED by any failed check, PASSED only if every required one is ok."""
        outcomes = {self._own_outcome, *(one.outcome for one in self.assertions)}
        if not self.assertions or Outcome.FAILED in outcomes:
            return Outcome.FAILED
        return Outcome.PASSED if outcomes == {Outcome.PASSED} else Outcome.INDETERMINATE

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes that keep the outcome from PASSED: the PDF's, then the assertions', each once."""
        outcome = self.outcome
        failed = tuple(c for c in self.checks if c.result is CheckResult.FAILED)
        missing = tuple(c for c in self.checks if c.required and c.result is not CheckResult.OK)
        own = missing if outcome is not Outcome.FAILED else failed
        found = [check.reason for check in own if check.reason]
        for one in self.assertions:
            if one.outcome is outcome:
                found += one.reasons
        return tuple(dict.fromkeys(found))

    @property
    def _own_outcome(self) -> Outcome:
        if any(check.result is CheckResult.FAILED for check in self.checks):
            return Outcome.FAILED
        required = [check for check in self.checks if check.required]
        if required and all(check.result is CheckResult.OK for check in required):
            return Outcome.PASSED
        return Outcome.INDETERMINATE
