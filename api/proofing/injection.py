"""Judge where a capture's frames came from: a camera in real time, or something put in its place.

Pure: what the server received and when, what the agent said, whom the operator enrolled. Three
things can follow. *Refused* (FAILED): no honest agent or browser does this. *Held* (INDETERMINATE):
it could not be judged, or is not what was agreed, and an officer has to look. *Capped*: nothing
speaks against the capture, but nothing attests its camera either, so it counts as a browser's; who
leaves the agent's statement out gets no more. The table is in docs/threats.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions.vocabulary import Capture, CheckResult
from api.fleet.errors import FrameSignatureInvalidError, StatementInvalidError
from api.fleet.frames import FrameStatement, verify_frame
from api.fleet.registry import AgentFleet, EnrolledAgent
from api.fleet.statement import AgentStatement, parse_statement
from biometrics.types import Outcome
from devices.camera_identity import CameraIdentity, CameraKind

__all__ = [
    "FIRST_FRAME_WITHIN_S",
    "REASONS",
    "AgentFleet",
    "CaptureContext",
    "InjectionVerdict",
    "ReceivedFrame",
    "judge_injection",
]

FIRST_FRAME_WITHIN_S: Final = 20
"""From the challenge to the first frame: a page or an agent is ready before it asks."""
EARLY_MS: Final = 250
"""How much before it can have been taken a frame may arrive: clocks of page and server drift, and
a page counts from the picture's own time stamp. A browser's clock is off by less than 1 ms over ten
seconds (50 ppm); the rest is margin."""
MIN_SPAN: Final = 0.5
"""Part of the capture's own length that its arrival must last. A stall that holds the first frames
back shortens the arrival by itself; one of half a capture is none that ends well."""
MAX_LAG_MS: Final = 3000
"""How much later than the quickest frame any other may arrive: a stall of the network that a
person still waits through. What comes later was not seen in time."""
MAX_FRAMES: Final = 1000
"""No capture has more; beyond it nothing is verified."""

TIMING: Final = "capture-timing"
FRESHNESS: Final = "frames-fresh"
SIGNATURES: Final = "frame-signatures"
KEY: Final = "agent-key"
VERSION: Final = "agent-version"
CAMERA: Final = "camera-device"


class Severity(StrEnum):
    """What a finding does to the capture."""

    REFUSED = "refused"
    HELD = "held"
    CAPPED = "capped"


REASONS: Final = {
    "capture-burst": (TIMING, Severity.REFUSED),
    "capture-order-invalid": (TIMING, Severity.REFUSED),
    "capture-empty": (TIMING, Severity.HELD),
    "capture-incomplete": (TIMING, Severity.HELD),
    "capture-not-in-time": (TIMING, Severity.HELD),
    "capture-late": (TIMING, Severity.HELD),
    "capture-frames-seen-before": (FRESHNESS, Severity.REFUSED),
    "agent-statement-invalid": (KEY, Severity.REFUSED),
    "agent-statement-missing": (KEY, Severity.CAPPED),
    "agent-statement-of-other-session": (KEY, Severity.REFUSED),
    "agent-key-unknown": (KEY, Severity.CAPPED),
    "agent-revoked": (KEY, Severity.REFUSED),
    "agent-device-mismatch": (KEY, Severity.CAPPED),
    "agent-version-too-old": (VERSION, Severity.CAPPED),
    "frame-unsigned": (SIGNATURES, Severity.REFUSED),
    "frame-signature-invalid": (SIGNATURES, Severity.REFUSED),
    "camera-virtual": (CAMERA, Severity.REFUSED),
    "camera-not-the-pinned": (CAMERA, Severity.HELD),
    "camera-is-file": (CAMERA, Severity.CAPPED),
    "camera-not-pinned": (CAMERA, Severity.CAPPED),
    "camera-driver-not-allowed": (CAMERA, Severity.CAPPED),
}
"""Each reason code with the check that it fails and what follows. Codes are permanent."""


@dataclass(frozen=True)
class ReceivedFrame:
    """A frame as the server has it, without its picture."""

    number: int
    t_ms: int
    """Since frame 0, as the sender says."""
    received_at: datetime
    """When the request arrived, naive UTC with microseconds."""
    sha256: bytes = field(repr=False)
    """Of the picture, 32 bytes."""
    signature: bytes | None = field(repr=False)
    """Decoded from its header; None where it had none."""


@dataclass(frozen=True)
class CaptureContext:
    """The capture that the frames are of."""

    session_id: str
    challenge_id: str
    begun_at: datetime
    """When the challenge was given out, naive UTC with microseconds."""
    agent_jws: str | None = field(repr=False)
    """The agent's statement as it came; None from a browser."""
    frames_seen_elsewhere: int
    """How many of the frames that show a face came in another session or attempt before. Two
    pictures of one camera are never equal, but those of a covered lens may be."""


@dataclass(frozen=True)
class InjectionVerdict:
    """Where the frames came from, as far as it was proven."""

    outcome: Outcome
    """PASSED says that nothing speaks against the capture; whether it is attested says
    `capture`."""
    reasons: tuple[str, ...]
    """Everything found, also what only caps the level."""
    capture: Capture
    agent_key: str | None
    """Thumbprint of the enrolled key that signed the agent's statement; with what follows None
    where none did."""
    agent_version: str | None
    device_id: str | None
    checks: tuple[tuple[str, CheckResult], ...]

    @property
    def was_slow(self) -> bool:
        """Whether nothing but the frames' timing holds the capture: a slow network may do that."""
        held = [REASONS[r][0] for r in self.reasons if REASONS[r][1] is Severity.HELD]
        return self.outcome is Outcome.INDETERMINATE and set(held) == {TIMING}

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for the session's record."""
        return {**vars(self), "reasons": list(self.reasons), "checks": dict(self.checks)}


def judge_injection(
    capture: CaptureContext, frames: Sequence[ReceivedFrame], fleet: AgentFleet | None
) -> InjectionVerdict:
    """Judge a capture.

    Args:
        capture: what was asked for, when, and who said to answer.
        frames: all that arrived, in any order.
        fleet: the agents that the operator enrolled; None: none.
    """
    ordered = sorted(frames, key=lambda frame: frame.number)
    record = _Record()
    record.find(TIMING, _timing(capture, ordered))
    record.find(FRESHNESS, ["capture-frames-seen-before"] if capture.frames_seen_elsewhere else [])
    agent, statement = _identify(record, capture, ordered, fleet or AgentFleet())
    if statement is not None:
        record.find(CAMERA, _camera(statement.camera, agent))
    if agent is not None and statement is not None:
        known = fleet is not None and fleet.believes(statement.agent_version)
        record.find(VERSION, [] if known else ["agent-version-too-old"])
        if 0 < len(ordered) <= MAX_FRAMES:
            record.find(SIGNATURES, _signatures(capture, ordered, agent.key))
    return record.verdict(agent, statement)


class _Record:
    """Findings by check; a check without entry was not performed."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def find(self, check: str, reasons: list[str]) -> None:
        """Note that a check was made, and what it found."""
        assert all(REASONS[reason][0] == check for reason in reasons)
        self._found.setdefault(check, []).extend(reasons)

    def verdict(
        self, agent: EnrolledAgent | None, statement: AgentStatement | None
    ) -> InjectionVerdict:
        """Join the findings; attested is only what every check has found in order."""
        reasons = tuple(reason for found in self._found.values() for reason in found)
        severities = {REASONS[reason][1] for reason in reasons}
        outcome = Outcome.PASSED
        if Severity.HELD in severities:
            outcome = Outcome.INDETERMINATE
        if Severity.REFUSED in severities:
            outcome = Outcome.FAILED
        results = tuple((check, self._result(check)) for check in _CHECKS)
        is_attested = all(result is CheckResult.OK for _, result in results)
        is_known = agent is not None and statement is not None
        return InjectionVerdict(
            outcome=outcome,
            reasons=reasons,
            capture=Capture.ATTESTED_AGENT if is_attested else Capture.BROWSER,
            agent_key=agent.thumbprint if agent and is_known else None,
            agent_version=statement.agent_version if statement and is_known else None,
            device_id=agent.device_id if agent and is_known else None,
            checks=results,
        )

    def _result(self, check: str) -> CheckResult:
        if check not in self._found:
            return CheckResult.NOT_PERFORMED
        return CheckResult.FAILED if self._found[check] else CheckResult.OK


_CHECKS: Final = (TIMING, FRESHNESS, KEY, VERSION, SIGNATURES, CAMERA)


def _timing(capture: CaptureContext, frames: Sequence[ReceivedFrame]) -> list[str]:
    """Compare when frames arrived with when they say that they were taken.

    A frame is taken at its time after the first one, and the first one after the challenge was
    given out; on its way it loses time and never gains any.
    """
    if not frames:
        return ["capture-empty"]
    reasons = []
    if len(frames) > MAX_FRAMES or [f.number for f in frames] != list(range(len(frames))):
        reasons.append("capture-incomplete")
    if frames[0].t_ms < 0 or any(a.t_ms >= b.t_ms for a, b in pairwise(frames)):
        reasons.append("capture-order-invalid")
    arrived_ms = [(f.received_at - capture.begun_at) / _MS for f in frames]
    if not 0 <= arrived_ms[0] <= 1000 * FIRST_FRAME_WITHIN_S:
        reasons.append("capture-not-in-time")
    lags_ms = [arrived - f.t_ms for arrived, f in zip(arrived_ms, frames, strict=True)]
    span_ms = frames[-1].t_ms - frames[0].t_ms
    took_ms = max(arrived_ms) - min(arrived_ms)
    lagged_ms = max(lags_ms) - min(lags_ms)
    if min(lags_ms) < -EARLY_MS or took_ms < MIN_SPAN * span_ms:
        reasons.append("capture-burst")
    elif lagged_ms > MAX_LAG_MS or max(lags_ms) > 1000 * FIRST_FRAME_WITHIN_S + MAX_LAG_MS:
        reasons.append("capture-late")
    return reasons


_MS: Final = timedelta(milliseconds=1)


def _identify(
    record: _Record,
    capture: CaptureContext,
    frames: Sequence[ReceivedFrame],
    fleet: AgentFleet,
) -> tuple[EnrolledAgent | None, AgentStatement | None]:
    """Return who made the capture, and what it said; the agent only if its signature verifies."""
    if capture.agent_jws is None:
        if any(frame.signature is not None for frame in frames):
            record.find(KEY, ["agent-statement-missing"])
        return None, None
    try:
        unverified = parse_statement(capture.agent_jws)
    except StatementInvalidError:
        record.find(KEY, ["agent-statement-invalid"])
        return None, None
    agent = fleet.by_key(unverified.key_id)
    if agent is None:
        record.find(KEY, ["agent-key-unknown"])
        return None, unverified.statement
    try:
        statement = unverified.verify(agent.key)
    except StatementInvalidError:
        record.find(KEY, ["agent-statement-invalid"])
        return None, unverified.statement
    rules: tuple[tuple[str, bool], ...] = (
        ("agent-revoked", agent.revoked),
        ("agent-statement-of-other-session", statement.session_id != capture.session_id),
        ("agent-device-mismatch", statement.device_id != agent.device_id),
    )
    record.find(KEY, [reason for reason, is_so in rules if is_so])
    return agent, statement


def _camera(camera: CameraIdentity, agent: EnrolledAgent | None) -> list[str]:
    """Compare what the agent says of its camera with what the operator pinned."""
    if camera.kind is CameraKind.FILE:
        return ["camera-is-file"]
    if camera.is_virtual:
        return ["camera-virtual"]
    pin = agent.camera if agent else None
    if pin is None:
        return ["camera-not-pinned"]
    reasons = []
    if camera.driver not in pin.drivers:
        reasons.append("camera-driver-not-allowed")
    if not pin.holds(camera):
        reasons.append("camera-not-the-pinned")
    return reasons


def _signatures(
    capture: CaptureContext, frames: Sequence[ReceivedFrame], key: ec.EllipticCurvePublicKey
) -> list[str]:
    """Verify each frame and the chain of all."""
    before: bytes | None = None
    for number, frame in enumerate(frames):
        if frame.signature is None:
            return ["frame-unsigned"]
        try:
            statement = FrameStatement(
                capture.session_id,
                capture.challenge_id,
                number,
                frame.t_ms,
                frame.sha256,
                before,
            )
            verify_frame(statement, frame.signature, key)
        except (FrameSignatureInvalidError, OverflowError):
            return ["frame-signature-invalid"]
        before = frame.signature
    return []
