"""Judge one capture: every signal, and their fusion."""

from collections.abc import Sequence

from biometrics.challenge import Challenge
from biometrics.liveness.capture import Observation
from biometrics.liveness.continuity import judge_continuity
from biometrics.liveness.findings import distinct
from biometrics.liveness.fusion import LivenessVerdict, fuse
from biometrics.liveness.geometry import judge_geometry
from biometrics.liveness.identity import IdentityWatch
from biometrics.liveness.light import judge_light
from biometrics.liveness.passive import PassiveWatch
from biometrics.liveness.performance import Performance
from biometrics.liveness.policy import PadPolicy
from biometrics.liveness.protocol import judge_challenge


def judge_liveness(
    challenge: Challenge,
    observations: Sequence[Observation],
    identity: IdentityWatch,
    passive: PassiveWatch,
    policy: PadPolicy,
) -> tuple[LivenessVerdict, Performance]:
    """Judge whether a live head followed the challenge.

    Args:
        challenge: what was asked.
        observations: the capture, frame by frame.
        identity: what has watched the person meanwhile.
        passive: what has looked for prints and screens meanwhile.
        policy: how the signals are weighed.
    """
    protocol, performance = judge_challenge(challenge, observations)
    mandatory = (
        protocol,
        judge_geometry(performance, observations),
        judge_continuity(observations, challenge),
        identity.judge(observations, performance),
    )
    supporting = (judge_light(challenge.light, observations), passive.judge())
    outcome, findings, contributions = fuse(mandatory, supporting, policy)
    verdict = LivenessVerdict(
        outcome=outcome,
        reasons=distinct(finding.reason for finding in findings),
        challenge_id=challenge.id,
        signals=(*mandatory, *supporting),
        contributions=contributions,
        score=sum(contributions.values()),
        threshold=policy.threshold,
        steps=performance.steps,
        frames=len(observations),
        frames_without_face=sum(o.sighting is None for o in observations),
        findings=findings,
    )
    return verdict, performance
