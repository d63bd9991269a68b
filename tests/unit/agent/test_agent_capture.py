"""A capture as the agent takes it, before a server that only answers as told."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx
import numpy as np
import pytest

from api.agent.capture import CaptureListener, hand_in_frames, run_capture
from api.agent.client import (
    ProofingClient,
    ServerAnswerUnusableError,
    ServerRefusedError,
    ServerUnreachableError,
    SessionClient,
)
from api.agent.device import EnrolledDevice
from api.fleet.frames import HEADER, FrameStatement, parse_header, verify_frame
from api.fleet.statement import parse_statement
from biometrics.challenge import Action, Challenge, Step
from devices.camera_identity import CameraIdentity
from devices.camera_stream import CameraFrame, Pictures
from devices.errors import CameraFailedError
from tests.fixtures.captures import WEBCAM, new_key

SESSION = "5" * 32
CHALLENGE = Challenge(
    "c" * 32,
    (Step(Action.BLINK, 400, 800, 900, count=1), Step(Action.NEARER, 1100, 1500, 1800)),
    2000,
)


class Webcam:
    """Thirty pictures a second, every other one taken, as from a camera."""

    def __init__(self, identity: CameraIdentity = WEBCAM) -> None:
        self.identity = identity
        self.taken = 0

    def frames(self) -> Iterator[CameraFrame]:
        start = time.monotonic()
        for number in range(10_000):
            time.sleep(max(0.0, start + number / 15 - time.monotonic()))
            self.taken += 1
            yield CameraFrame(time.monotonic(), b"picture %d" % self.taken)

    def close(self) -> None:
        pass


@dataclass
class Answering:
    """A server that gives one challenge and takes every frame."""

    delay_s: float = 0.0
    challenges: list[Any] = field(default_factory=lambda: [CHALLENGE.to_dict()])
    decisions: list[dict[str, Any]] = field(
        default_factory=lambda: [{"outcome": "PASSED", "attempts_left": 1}]
    )
    asked: list[dict[str, Any]] = field(default_factory=list)
    frames: list[tuple[int, int, bytes, bytes | None, float]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    failing: Callable[[int], httpx.Response | None] = lambda _: None
    lock: Lock = field(default_factory=Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/capture"):
            self.asked.append(json.loads(request.content))
            challenge = self.challenges[len(self.asked) - 1]
            return httpx.Response(200, json={"attempt": len(self.asked), "challenge": challenge})
        if path.endswith("/decision"):
            return httpx.Response(200, json=self.decisions[len(self.asked) - 1])
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.delay_s)
        number, t_ms = int(path.rpartition("/")[2]), int(request.url.params["t_ms"])
        header = request.headers.get(HEADER)
        signature = parse_header(header) if header else None
        refusal = self.failing(number)
        if refusal is None:
            now = time.monotonic()
            self.frames.append((number, t_ms, request.content, signature, now))
        with self.lock:
            self.at_once -= 1
        return refusal or httpx.Response(204)

    def session(self) -> SessionClient:
        client = ProofingClient("http://server.example")
        client._http.close()
        transport = httpx.MockTransport(self)
        client._http = httpx.Client(base_url="http://server.example", transport=transport)
        return client.session(SESSION, "token")


class Notes(CaptureListener):
    def __init__(self) -> None:
        self.prompts: list[tuple[float, Step | None]] = []
        self.attempts: list[int] = []
        self.pauses: list[float] = []
        self.start = 0.0

    def begun(self, attempt: int, challenge: Challenge) -> None:
        self.attempts.append(attempt)
        self.start = time.monotonic()

    def prompt(self, step: Step | None) -> None:
        self.prompts.append((time.monotonic() - self.start, step))

    def again(self, pause_s: float) -> None:
        self.pauses.append(pause_s)


def test_frames_are_sent_as_they_are_taken_and_signed_in_a_chain() -> None:
    server, device, notes = Answering(), EnrolledDevice("counter-3", new_key()), Notes()
    result = run_capture(server.session(), Webcam(), device=device, listener=notes)

    assert result.session["outcome"] == "PASSED"
    assert (result.attempts, result.sent, result.left_out) == (1, len(server.frames), 0)
    assert server.asked[0]["light"] is False
    assert server.asked[0]["pace"] == "normal"
    statement = parse_statement(server.asked[0]["agent"]).verify(device.key.public_key())
    assert (statement.session_id, statement.device_id) == (SESSION, "counter-3")
    assert statement.camera == WEBCAM

    numbers = [number for number, *_ in server.frames]
    times = [t_ms for _, t_ms, *_ in server.frames]
    assert numbers == list(range(len(numbers)))
    assert times[0] == 0
    assert times[-1] >= CHALLENGE.duration_ms
    assert 25 <= len(times) <= 32
    arrived = [arrived for *_, arrived in server.frames]
    lags = np.diff([a * 1000 - t for a, t in zip(arrived, times, strict=True)])
    assert np.abs(np.cumsum(lags)).max() < 500
    before = None
    for number, t_ms, picture, signature, _ in server.frames:
        assert signature is not None
        digest = hashlib.sha256(picture).digest()
        frame = FrameStatement(SESSION, CHALLENGE.id, number, t_ms, digest, before)
        verify_frame(frame, signature, device.key.public_key())
        before = signature
    steps = [(round(at * 10), step and step.action) for at, step in notes.prompts]
    assert [action for _, action in steps] == ["blink", None, "nearer", None]
    for (at, _), step_at in zip(steps, (4, 9, 11, 18), strict=True):
        assert step_at <= at <= step_at + 3


def test_without_a_device_nothing_is_signed_or_said() -> None:
    server = Answering()
    run_capture(server.session(), Webcam(), light=True, pace="slow")
    assert server.asked == [{"light": True, "pace": "slow", "agent": None}]
    assert {signature for *_, signature, _ in server.frames} == {None}


def test_a_slow_network_leaves_frames_out_evenly_and_never_lags() -> None:
    server = Answering(delay_s=0.2)
    camera = Webcam()
    result = run_capture(server.session(), camera)
    times = np.array([t_ms for _, t_ms, *_ in server.frames])
    arrived = np.array([arrived * 1000 for *_, arrived in server.frames])
    assert result.sent + result.left_out == camera.taken
    assert result.left_out > 5
    assert [number for number, *_ in server.frames] == list(range(len(times)))
    assert times[-1] >= CHALLENGE.duration_ms
    assert np.diff(times).max() <= 3 * np.median(np.diff(times))
    lags = arrived - times
    assert lags.max() - lags.min() < 1500
    assert server.most_at_once == 1


def test_a_second_attempt_after_a_pause() -> None:
    again = CHALLENGE.to_dict() | {"id": "d" * 32}
    server = Answering(
        challenges=[CHALLENGE.to_dict(), again],
        decisions=[
            {"outcome": None, "attempts_left": 1},
            {"outcome": "FAILED", "attempts_left": 0},
        ],
    )
    notes = Notes()
    result = run_capture(server.session(), Webcam(), listener=notes, pause_s=0.05)
    assert (result.attempts, result.session["outcome"]) == (2, "FAILED")
    assert (notes.attempts, notes.pauses) == ([1, 2], [0.05])
    assert [number for number, *_ in server.frames].count(0) == 2


def test_no_third_attempt_and_none_with_a_recording() -> None:
    server = Answering(decisions=[{"outcome": None, "attempts_left": 0}])
    assert run_capture(server.session(), Webcam()).session["outcome"] is None
    server = Answering(decisions=[{"outcome": None, "attempts_left": 1}])
    pictures = Pictures([(0.0, b"a"), (50.0, b"b"), (100.0, b"c")])
    result = run_capture(server.session(), pictures)
    assert (len(server.asked), result.sent) == (1, 3)


def test_a_recording_is_handed_in_at_its_own_pace() -> None:
    server = Answering()
    pictures = [(t, b"picture %d" % t) for t in range(0, 3000, 100)]
    start = time.monotonic()
    sent = hand_in_frames(server.session(), pictures, challenge=CHALLENGE)
    assert time.monotonic() - start > 1.9
    assert sent == 21  # what comes after the challenge is not sent
    assert server.asked == []


def test_a_frame_that_gets_lost_is_sent_again_as_it_was() -> None:
    lost: list[int] = []

    def failing(number: int) -> httpx.Response | None:
        if number == 5 and len(lost) < 2:
            lost.append(number)
            raise httpx.ConnectError("gone")
        return None

    server = Answering(failing=failing)
    device = EnrolledDevice("counter-3", new_key())
    run_capture(server.session(), Webcam(), device=device)
    assert len(lost) == 2
    assert [number for number, *_ in server.frames] == list(range(len(server.frames)))


def test_a_network_that_stays_away_ends_the_capture() -> None:
    def failing(number: int) -> httpx.Response | None:
        if number >= 5:
            raise httpx.ConnectError("gone")
        return None

    camera = Webcam()
    with pytest.raises(ServerUnreachableError):
        run_capture(Answering(failing=failing).session(), camera)
    assert camera.taken < 15


def test_giving_up_does_not_wait_for_a_network_that_hangs() -> None:
    class Interrupted(Webcam):
        def frames(self) -> Iterator[CameraFrame]:
            for number, frame in enumerate(super().frames()):
                if number == 5:
                    raise KeyboardInterrupt
                yield frame

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_capture(Answering(delay_s=4).session(), Interrupted())
    assert time.monotonic() - start < 3


def test_whatever_fails_in_the_background_is_said() -> None:
    def failing(number: int) -> httpx.Response | None:
        if number == 3:
            raise RuntimeError("a fault of ours")
        return None

    with pytest.raises(RuntimeError):
        run_capture(Answering(failing=failing).session(), Webcam())


def test_a_refused_frame_ends_the_capture_with_the_servers_reason() -> None:
    problem = {"code": "session-expired", "detail": "too late", "retryable": False}
    server = Answering(failing=lambda n: httpx.Response(410, json=problem) if n == 3 else None)
    with pytest.raises(ServerRefusedError) as refused:
        run_capture(server.session(), Webcam())
    assert refused.value.code == "session-expired"
    assert len(server.frames) == 3


def test_a_camera_that_stops_ends_the_capture_undecided() -> None:
    class Stopping(Webcam):
        def frames(self) -> Iterator[CameraFrame]:
            yield CameraFrame(time.monotonic(), b"picture")
            raise CameraFailedError("the camera gives no picture")

    server = Answering(decisions=[])
    with pytest.raises(CameraFailedError):
        run_capture(server.session(), Stopping())


@pytest.mark.parametrize("challenge", [None, {}, [], {"version": 1}, "challenge"])
def test_challenges_that_are_none(challenge: object) -> None:
    server = Answering(challenges=[challenge])
    camera = Webcam()
    with pytest.raises(ServerAnswerUnusableError):
        run_capture(server.session(), camera)
    assert camera.taken == 0
