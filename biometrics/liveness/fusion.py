"""Join the signals to one outcome of presentation-attack detection.

Every mandatory signal must be ok, no signal may be adverse, and the sum of what the signals
contribute must reach the policy's threshold. So nothing is ever accepted on passive signals alone,
and a signal that was not performed contributes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from biometrics.liveness.findings import (
    Finding,
    adverse,
    decide_outcome,
    unclear,
)
from biometrics.liveness.performance import StepPerformance
from biometrics.liveness.policy import PadPolicy
from biometrics.liveness.signal import Signal
from biometrics.types import CheckResult, Outcome

STEP_FAILURES: Final = frozenset(
    f"challenge-step-{failure}"
    for failure in (
        *("early", "late", "missing", "wrong", "too-small", "too-large", "not-returned"),
        *("extra",),
    )
)
"""What a willing person may get wrong, and may try again."""

BLURRED: Final = STEP_FAILURES | {"challenge-identity-changed", "pad-attack-suspected"}
"""Adverse findings that are read from the picture's details: in pictures of poor quality they say
nothing."""


@dataclass(frozen=True)
class LivenessVerdict:
    """Whether a live head followed the challenge before a real camera."""

    outcome: Outcome
    reasons: tuple[str, ...]
    challenge_id: str
    signals: tuple[Signal, ...]
    """The mandatory ones first."""
    contributions: Mapping[str, float] = field(repr=False)
    """Natural-log likelihood ratio that each signal adds, by the id of its method."""
    score: float = field(repr=False)
    """Their sum: higher is more likely bona fide."""
    threshold: float = field(repr=False)
    steps: tuple[StepPerformance, ...] = field(repr=False)
    frames: int
    frames_without_face: int
    findings: tuple[Finding, ...] = field(default=(), repr=False)

    @property
    def shows_little(self) -> bool:
        """Whether most frames show no face: such pictures may be equal by chance."""
        return 2 * self.frames_without_face > self.frames

    @property
    def may_retry(self) -> bool:
        """Whether nothing speaks for an attack: steps failed, or too little was seen."""
        return self.outcome is not Outcome.PASSED and self._adverse <= STEP_FAILURES

    def of_poor_pictures(self) -> "LivenessVerdict":
        """Return the verdict where no picture was good enough: details prove nothing adverse."""
        if self.outcome is Outcome.FAILED and self._adverse <= BLURRED:
            return replace(self, outcome=Outcome.INDETERMINATE)
        return self

    @property
    def _adverse(self) -> frozenset[str]:
        return frozenset(f.reason for f in self.findings if f.outcome is Outcome.FAILED)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for the evidence: for operators, never for the subject."""
        return {
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            "challenge_id": self.challenge_id,
            "score": round(self.score, 4),
            "threshold": self.threshold,
            "signals": [
                signal.to_dict()
                | {"contribution": round(self.contributions.get(signal.method.id, 0.0), 4)}
                for signal in self.signals
            ],
            "steps": [step.to_dict() for step in self.steps],
            "frames": self.frames,
            "frames_without_face": self.frames_without_face,
        }


def fuse(
    mandatory: Sequence[Signal], supporting: Sequence[Signal], policy: PadPolicy
) -> tuple[Outcome, tuple[Finding, ...], dict[str, float]]:
    """Return the outcome, the findings that led to it, and what each signal contributes.

    Args:
        mandatory: signals that must be ok.
        supporting: signals that may stay without a result. What a passive one could not judge is
            no finding against the capture; it caps the level, as where no model is installed.
        policy: how scores become likelihood ratios, and the threshold of their sum.
    """
    signals = (*mandatory, *supporting)
    contributions = {
        signal.method.id: policy.llr(signal.method.id, signal.score)
        for signal in signals
        if signal.performed and signal.score is not None
    }
    findings = [finding for signal in mandatory for finding in signal.findings]
    findings += (
        finding
        for signal in supporting
        for finding in signal.findings
        if not signal.is_passive or finding.outcome is Outcome.FAILED
    )
    for signal in mandatory:
        if signal.result is not CheckResult.OK and not signal.findings:
            findings.append(unclear("pad-signal-missing"))
    if any(policy.is_of_another_version(signal.method) for signal in signals if signal.performed):
        findings.append(unclear("pad-policy-outdated"))
    is_weighed = all(signal.result is CheckResult.OK for signal in mandatory)
    # The policy was fitted on such captures: of others the sum says nothing.
    if is_weighed and not sum(contributions.values()) >= policy.threshold:
        findings.append(adverse("pad-attack-suspected"))
    floor = Outcome.PASSED if mandatory and not findings else Outcome.INDETERMINATE
    outcome = decide_outcome([floor, *(finding.outcome for finding in findings)])
    return outcome, tuple(findings), contributions
