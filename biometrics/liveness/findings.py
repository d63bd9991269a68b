"""Join findings into one outcome: adverse beats unclear, unclear beats passed, none is no pass."""

from collections.abc import Iterable
from dataclasses import dataclass

from biometrics.types import Outcome


@dataclass(frozen=True)
class Finding:
    """One reason why something did not pass."""

    outcome: Outcome
    """FAILED for an adverse finding, INDETERMINATE for too little to judge."""
    reason: str
    """Permanent kebab-case code."""


def adverse(reason: str) -> Finding:
    """Return a finding that speaks against the subject or the capture."""
    return Finding(Outcome.FAILED, reason)


def unclear(reason: str) -> Finding:
    """Return a finding that leaves the question open."""
    return Finding(Outcome.INDETERMINATE, reason)


def decide_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of several outcomes; INDETERMINATE if there are none."""
    seen = set(outcomes)
    if Outcome.FAILED in seen:
        return Outcome.FAILED
    return Outcome.PASSED if seen == {Outcome.PASSED} else Outcome.INDETERMINATE


def distinct(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return the reasons in order, each once."""
    return tuple(dict.fromkeys(reasons))
