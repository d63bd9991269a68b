"""A capture as the agent takes it, before a server that only answers as told."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock, Semaphore
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
from devices.camera_stream import CameraFrame, Pictures
from devices.errors import CameraFailedError
from tests.fixtures.captures import WEBCAM, new_key

SESSION = "5" * 32
CHALLENGE = Challenge(
    "c" * 32,
    (Step(Action.BLINK, 400, 800, 900, count=1), Step(Action.NEARER, 1100, 1500, 1800)),
    2000,
)


FPS = 15
LONG_S = 60
"""Only a test that fails waits that long."""


class Webcam:
    """Fifteen pictures a second by its own clock, which goes on when a picture has been sent."""

    def __init__(self, server: "Answering | None" = None) -> None:
        self.identity = WEBCAM
        self.taken = 0
        self._server = server

    def frames(self) -> Iterator[CameraFrame]:
        for number in range(10_000):
            self.taken += 1
            yield CameraFrame(number / FPS, b"picture %d" % self.taken)
            if self._server:
                assert self._server.handled.acquire(timeout=LONG_S)

    def close(self) -> None:
        pass


@dataclass
class Answering:
    """A server that gives one challenge and takes every frame."""

    gate: Semaphore | None = None
    """Each request waits for it."""
    challenges: list[Any] = field(default_factory=lambda: [CHALLENGE.to_dict()])
    decisions: list[dict[str, Any]] = field(
        default_factory=lambda: [{"outcome": "PASSED", "attempts_left": 1}]
    )
    asked: list[dict[str, Any]] = field(default_factory=list)
    frames: list[tuple[int, int, bytes, bytes | None]] = field(default_factory=list)
    handled: Semaphore = field(default_factory=lambda: Semaphore(0))
    """Free as often as the agent has tried to send a frame."""
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
        if self.gate:
            self.gate.acquire(timeout=LONG_S)
        number, t_ms = int(path.rpartition("/")[2]), int(request.url.params["t_ms"])
        header = request.headers.get(HEADER)
        signature = parse_header(header) if header else None
        refusal = self.failing(number)
        if refusal is None:
            self.frames.append((number, t_ms, request.content, signature))
        with self.lock:
            self.at_once -= 1
        return refusal or httpx.Response(204)

    def session(self) -> SessionClient:
        client = ProofingClient("http://server.example")
        client._http.close()
        transport = httpx.MockTransport(self)
        client._http = httpx.Client(base_url="http://server.example", transport=transport)
        session = client.session(SESSION, "token")
        put_frame = session.put_frame

        def counted(*frame: Any) -> None:
            try:
                put_frame(*frame)
            finally:
                self.handled.release()

        vars(session)["put_frame"] = counted
        return session


class Notes(CaptureListener):
    def __init__(self, camera: Webcam) -> None:
        self.camera = camera
        self.prompts: list[tuple[int, Action | None]] = []
        """At which picture, what to do."""
        self.attempts: list[int] = []
        self.pauses: list[float] = []

    def begun(self, attempt: int, challenge: Challenge) -> None:
        self.attempts.append(attempt)

    def prompt(self, step: Step | None) -> None:
        self.prompts.append((self.camera.taken, step and step.action))

    def again(self, pause_s: float) -> None:
        self.pauses.append(pause_s)


def test_frames_are_sent_as_they_are_taken_and_signed_in_a_chain() -> None:
    server, device = Answering(), EnrolledDevice("counter-3", new_key())
    camera = Webcam(server)
    notes = Notes(camera)
    result = run_capture(server.session(), camera, device=device, listener=notes)

    assert result.session["outcome"] == "PASSED"
    assert (result.attempts, result.sent, result.left_out) == (1, 2 * FPS + 1, 0)
    assert server.asked[0]["light"] is False
    assert server.asked[0]["pace"] == "normal"
    statement = parse_statement(server.asked[0]["agent"]).verify(device.key.public_key())
    assert (statement.session_id, statement.device_id) == (SESSION, "counter-3")
    assert statement.camera == WEBCAM

    assert [(number, t_ms, picture) for number, t_ms, picture, _ in server.frames] == [
        (n, round(n * 1000 / FPS), b"picture %d" % (n + 1)) for n in range(2 * FPS + 1)
    ]
    before = None
    for number, t_ms, picture, signature in server.frames:
        assert signature is not None
        digest = hashlib.sha256(picture).digest()
        frame = FrameStatement(SESSION, CHALLENGE.id, number, t_ms, digest, before)
        verify_frame(frame, signature, device.key.public_key())
        before = signature
    # At 400, 933, 1133 and 1800 ms, each the first picture of its step or of the rest after it.
    assert notes.prompts == [(7, Action.BLINK), (15, None), (18, Action.NEARER), (28, None)]


def test_without_a_device_nothing_is_signed_or_said() -> None:
    server = Answering()
    run_capture(server.session(), Webcam(server), light=True, pace="slow")
    assert server.asked == [{"light": True, "pace": "slow", "agent": None}]
    assert {signature for *_, signature in server.frames} == {None}


def test_a_slow_network_leaves_frames_out_evenly_and_never_lags() -> None:
    """Each request takes the time of three pictures."""
    gate = Semaphore(0)
    server = Answering(gate=gate)
    waited: list[int] = []

    class TooFast(Webcam):
        def frames(self) -> Iterator[CameraFrame]:
            for frame in super().frames():
                if frame.t_s * 1000 >= CHALLENGE.duration_ms:
                    gate.release(100)
                yield frame
                if self.taken % 3 == 0:
                    gate.release()
                    assert server.handled.acquire(timeout=LONG_S)
                    waited.append(self.taken - 1 - server.frames[-1][1] * FPS // 1000)

    camera = TooFast()
    result = run_capture(server.session(), camera)
    times = np.array([t_ms for _, t_ms, *_ in server.frames])
    assert result.sent + result.left_out == camera.taken
    assert result.left_out > 5
    assert [number for number, *_ in server.frames] == list(range(len(times)))
    assert times[-1] >= CHALLENGE.duration_ms
    assert np.diff(times).max() <= 3 * np.median(np.diff(times))
    assert len(waited) == 10
    assert max(waited) < 1.5 * FPS
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
    camera = Webcam(server)
    notes = Notes(camera)
    result = run_capture(server.session(), camera, listener=notes, pause_s=0.05)
    assert (result.attempts, result.session["outcome"]) == (2, "FAILED")
    assert (notes.attempts, notes.pauses) == ([1, 2], [0.05])
    assert [number for number, *_ in server.frames].count(0) == 2


def test_no_third_attempt_and_none_with_a_recording() -> None:
    server = Answering(decisions=[{"outcome": None, "attempts_left": 0}])
    assert run_capture(server.session(), Webcam(server)).session["outcome"] is None
    server = Answering(decisions=[{"outcome": None, "attempts_left": 1}])
    pictures = Awaited(server, [(0.0, b"a"), (50.0, b"b"), (100.0, b"c")])
    result = run_capture(server.session(), Pictures(pictures))
    assert (len(server.asked), result.sent) == (1, 3)


class Awaited(list[tuple[float, bytes]]):
    """Pictures of which the next comes when the one before has been sent."""

    def __init__(self, server: Answering, pictures: list[tuple[float, bytes]]) -> None:
        super().__init__(pictures)
        self._server = server

    def __iter__(self) -> Iterator[tuple[float, bytes]]:
        for picture in super().__iter__():
            yield picture
            assert self._server.handled.acquire(timeout=LONG_S)


def test_a_recording_is_handed_in_at_its_own_pace() -> None:
    server = Answering()
    pictures = Awaited(server, [(t, b"picture %d" % t) for t in range(0, 3000, 100)])
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
    run_capture(server.session(), Webcam(server), device=device)
    assert len(lost) == 2
    assert [number for number, *_ in server.frames] == list(range(len(server.frames)))


def test_a_network_that_stays_away_ends_the_capture() -> None:
    def failing(number: int) -> httpx.Response | None:
        if number >= 5:
            raise httpx.ConnectError("gone")
        return None

    server = Answering(failing=failing)
    camera = Webcam(server)
    with pytest.raises(ServerUnreachableError):
        run_capture(server.session(), camera)
    assert camera.taken < 15


def test_giving_up_does_not_wait_for_a_network_that_hangs() -> None:
    class Interrupted(Webcam):
        def frames(self) -> Iterator[CameraFrame]:
            for number, frame in enumerate(super().frames()):
                if number == 5:
                    raise KeyboardInterrupt
                yield frame

    gate = Semaphore(0)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_capture(Answering(gate=gate).session(), Interrupted())
    assert time.monotonic() - start < LONG_S / 2
    gate.release(100)


def test_whatever_fails_in_the_background_is_said() -> None:
    def failing(number: int) -> httpx.Response | None:
        if number == 3:
            raise RuntimeError("a fault of ours")
        return None

    server = Answering(failing=failing)
    with pytest.raises(RuntimeError):
        run_capture(server.session(), Webcam(server))


def test_a_refused_frame_ends_the_capture_with_the_servers_reason() -> None:
    problem = {"code": "session-expired", "detail": "too late", "retryable": False}
    server = Answering(failing=lambda n: httpx.Response(410, json=problem) if n == 3 else None)
    with pytest.raises(ServerRefusedError) as refused:
        run_capture(server.session(), Webcam(server))
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
