"""What one way of looking at a capture says."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from biometrics.liveness.findings import Finding, distinct
from biometrics.types import CheckResult, Method, Outcome


@dataclass(frozen=True)
class Signal:
    """One signal of presentation-attack detection (ISO/IEC 30107-1)."""

    method: Method
    """Its name and version, as the assertion records it."""
    findings: tuple[Finding, ...]
    """What speaks against the capture, and what could not be judged."""
    performed: bool
    """False where nothing could be measured; `findings` then says why, if it matters."""
    score: float | None = field(repr=False)
    """Higher is more likely bona fide; what it means is the module's own, fusion calibrates it.
    None where it was not performed."""
    measurements: Mapping[str, float] = field(default_factory=dict, repr=False)
    """What it measured, for the evidence."""
    is_passive: bool = False
    """True for what needs nothing of the subject (ISO/IEC 30107-1, passive PAD)."""
    is_conclusive: bool = True
    """False where the score counts in the sum, but is too unsure for a check of its own."""

    @property
    def result(self) -> CheckResult:
        """Return the signal as the assertion's check: what is unclear was not performed."""
        outcomes = {finding.outcome for finding in self.findings}
        if Outcome.FAILED in outcomes:
            return CheckResult.FAILED
        if outcomes or not (self.performed and self.is_conclusive):
            return CheckResult.NOT_PERFORMED
        return CheckResult.OK

    def to_dict(self) -> dict[str, Any]:
        """Return the signal for the evidence."""
        return {
            "method": vars(self.method),
            "result": self.result.value,
            "reasons": list(distinct(finding.reason for finding in self.findings)),
            "score": _rounded(self.score),
            "measurements": {k: _rounded(v) for k, v in self.measurements.items()},
        }


def _rounded(value: float | None) -> float | None:
    """Return a number for JSON, which knows neither infinity nor what is no number."""
    return None if value is None or not math.isfinite(value) else round(float(value), 4)
