"""Take a capture: begin it, prompt each step, send frames as they are taken, have it decided."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from api.agent.client import ServerAnswerUnusableError, SessionClient
from api.agent.device import EnrolledDevice
from api.agent.sending import FrameSender
from api.fleet.frames import FrameSigner
from biometrics.challenge import Challenge, ChallengeInvalidError, Step
from devices.camera_identity import CameraKind
from devices.camera_stream import FrameSource, Pictures

PAUSE_S = 5.0
"""Before a second attempt: the person hears that there is one."""


class CaptureListener:
    """Is told how a capture goes on; by itself it does nothing."""

    def begun(self, attempt: int, challenge: Challenge) -> None:
        """The challenge is known and the first frame about to be taken."""

    def prompt(self, step: Step | None) -> None:
        """A step begins, or with None the rest after it."""

    def again(self, pause_s: float) -> None:
        """The server gives a second attempt, after a pause."""


@dataclass(frozen=True)
class CaptureResult:
    """What became of a capture."""

    session: dict[str, Any]
    """The session as the server left it."""
    attempts: int
    sent: int
    """Frames in all attempts."""
    left_out: int
    """Frames that the network had no time for."""


def run_capture(
    session: SessionClient,
    source: FrameSource,
    *,
    device: EnrolledDevice | None = None,
    light: bool = False,
    pace: str = "normal",
    listener: CaptureListener | None = None,
    pause_s: float = PAUSE_S,
) -> CaptureResult:
    """Take the capture of a session, a second one if the server gives it, and return the decision.

    Args:
        session: whose capture.
        source: camera, or a recording, whose frames nobody takes twice; it stays open.
        device: signs the frames; without it the capture counts as a browser's.
        light: True only where a screen shows the challenge's colours.
        pace: `normal`, or `slow` for twice the time.
        listener: shows the person what to do.
        pause_s: between two attempts.

    Raises:
        ServerUnreachableError, ServerRefusedError: the server did not take it.
        ServerAnswerUnusableError: its challenge is not understood.
        DeviceError: the camera stopped.
    """
    listener = listener or CaptureListener()
    sent = left_out = 0
    while True:
        statement = device.statement(session.session_id, source.identity) if device else None
        attempt, challenge = _begin(session, light=light, pace=pace, agent=statement)
        listener.begun(attempt, challenge)
        with FrameSender(session, _signer(session, challenge, device)) as sender:
            _send(source, sender, challenge, listener.prompt)
        sent, left_out = sent + sender.sent, left_out + sender.left_out
        answer = session.decide()
        is_over = answer.get("outcome") is not None or not answer.get("attempts_left")
        if is_over or source.identity.kind is CameraKind.FILE:
            return CaptureResult(answer, attempt, sent, left_out)
        listener.again(pause_s)
        time.sleep(pause_s)


def hand_in_frames(
    session: SessionClient,
    frames: Sequence[tuple[float, bytes]],
    *,
    challenge: Challenge,
    device: EnrolledDevice | None = None,
) -> int:
    """Send the frames of a capture that has begun, at the pace at which they were taken.

    Args:
        session: whose capture.
        frames: each with its time in milliseconds, in order.
        challenge: what they answer.
        device: signs them, where the capture was begun with its statement.

    Returns:
        How many were sent.

    Raises:
        ServerUnreachableError, ServerRefusedError: the server did not take one of them.
    """
    with FrameSender(session, _signer(session, challenge, device)) as sender:
        _send(Pictures(frames), sender, challenge)
    return sender.sent


def _signer(
    session: SessionClient, challenge: Challenge, device: EnrolledDevice | None
) -> FrameSigner:
    return FrameSigner(session.session_id, challenge.id, device.key if device else None)


def _begin(session: SessionClient, **asked: Any) -> tuple[int, Challenge]:
    answer = session.begin_capture(**asked)
    try:
        return int(answer["attempt"]), Challenge.from_dict(answer["challenge"])
    except (KeyError, TypeError, ValueError, ChallengeInvalidError):
        raise ServerAnswerUnusableError("the server's challenge is not understood") from None


def _send(
    source: FrameSource,
    sender: FrameSender,
    challenge: Challenge,
    prompt: Callable[[Step | None], None] = lambda _: None,
) -> None:
    """Send what the source gives until it ends or the challenge is over; prompt each step."""
    start_s = shown = None
    for frame in source.frames():
        start_s = frame.t_s if start_s is None else start_s
        t_ms = round((frame.t_s - start_s) * 1000)
        is_last = t_ms >= challenge.duration_ms
        sender.offer(t_ms, frame.picture, needed=is_last)
        if is_last:
            break
        step = _step_at(challenge, t_ms)
        if step is not shown:
            prompt(step)
            shown = step
    sender.finish()


def _step_at(challenge: Challenge, t_ms: int) -> Step | None:
    return next((step for step in challenge.steps if step.at_ms <= t_ms < step.until_ms), None)
