"""Decide a session: the verdicts, the level that they carry, and what the procedure accepts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from api.assertions.findings import Findings
from api.assertions.levels import cap_level
from api.assertions.vocabulary import AssuranceLevel
from api.procedures.catalogue import Procedure


class Verdict(Protocol):
    """What the verdicts on chip, face and capture have in common."""

    @property
    def outcome(self) -> str:
        """PASSED, INDETERMINATE or FAILED."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reason codes of everything that did not pass."""
        ...


@dataclass(frozen=True)
class Decision:
    """What became of a session."""

    outcome: str
    """PASSED, INDETERMINATE or FAILED."""
    level: AssuranceLevel | None
    """Set only where the outcome is PASSED."""
    reasons: tuple[str, ...]


def decide(procedure: Procedure, verdicts: Sequence[Verdict], findings: Findings) -> Decision:
    """Let the worst verdict win; a pass also needs the level that the procedure asks for."""
    outcomes = {str(verdict.outcome) for verdict in verdicts}
    reasons = tuple(dict.fromkeys(reason for verdict in verdicts for reason in verdict.reasons))
    if outcomes != {"PASSED"}:
        worst = "FAILED" if "FAILED" in outcomes else "INDETERMINATE"
        return Decision(worst, None, reasons or ("unexplained",))
    level = cap_level(findings)
    if level is None:
        return Decision("INDETERMINATE", None, (*reasons, "level-below-basic"))
    if level.rank < AssuranceLevel(procedure.minimum_level).rank:
        return Decision("INDETERMINATE", None, (*reasons, "level-below-procedure"))
    return Decision("PASSED", level, reasons)
