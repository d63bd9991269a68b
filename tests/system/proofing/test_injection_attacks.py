"""What is put in a camera's place, through the running service: each with its reason on record."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Semaphore
from typing import Any

import cv2
import numpy as np
import pytest

from api.agent.capture import CaptureListener, run_capture
from api.agent.client import SessionClient
from api.agent.device import EnrolledDevice
from api.assertions.chain import load_roots
from api.assertions.verifier import verify
from api.fleet.frames import FrameSigner, SignedFrame
from api.fleet.registry import AgentFleet
from api.proofing.repository import utc_now
from biometrics.challenge import Challenge
from biometrics.image import decode_image
from biometrics.rig import Rig
from biometrics.types import FrameSample
from devices.camera_identity import CameraIdentity
from devices.camera_stream import CameraFrame, Pictures
from tests.fixtures.captures import LOOPBACK, WEBCAM, enrolled, new_key

COUNTER = EnrolledDevice("counter-3", new_key())
FLEET = AgentFleet((enrolled(COUNTER),))
START_MS = 400
FRAMES = 16


@dataclass
class Attempt:
    """A capture that has begun, and what its server says afterwards."""

    server: Any
    clock: Any
    session: SessionClient
    challenge: Challenge

    def signed(
        self, pictures: Sequence[bytes], device: EnrolledDevice | None = COUNTER
    ) -> list[SignedFrame]:
        """Sign pictures as this capture's, evenly over its time."""
        key = device.key if device else None
        signer = FrameSigner(self.session.session_id, self.challenge.id, key)
        pace = self.challenge.duration_ms / (len(pictures) - 1)
        return [signer.sign(round(n * pace), picture) for n, picture in enumerate(pictures)]

    def send(
        self, frames: Sequence[SignedFrame], arrive: Callable[[int], float] | None = None
    ) -> None:
        """Send frames, by default when they are taken."""
        begun = self.clock.now
        for frame in frames:
            after_ms = arrive(frame.t_ms) if arrive else START_MS + frame.t_ms
            self.clock.now = begun + timedelta(milliseconds=after_ms)
            self.session.put_frame(frame.number, frame.t_ms, frame.picture, frame.signature)

    def judged(self) -> dict[str, Any]:
        """Let the server decide, and return what is on record of where the frames came from."""
        answer = self.session.decide()
        record = self.server.client.record(self.session.session_id)
        injection: dict[str, Any] = record["captures"][-1]["injection"]
        assert set(injection["reasons"]) <= set(record["reasons"])
        # Nobody who attacks learns from the answer what gave him away.
        assert not set(injection["reasons"]) & set(answer["reasons"])
        if injection["outcome"] != "PASSED":
            assert answer["outcome"] != "PASSED"
        if injection["outcome"] == "FAILED":
            assert answer["outcome"] == "FAILED"
        return injection


@pytest.fixture
def guarded(start: Any) -> Any:
    """A server that knows one agent."""
    return start(fleet=FLEET)


@pytest.fixture(scope="session")
def taken(pictures: dict[str, bytes]) -> list[bytes]:
    """Pictures of a face that a camera could have taken: no two of them equal."""
    face = cv2.resize(decode_image(pictures["obama3"]), (640, 480))
    noise = np.random.default_rng(1)
    noisy = (
        np.clip(face + noise.normal(0, 2, face.shape), 0, 255).astype(np.uint8)
        for _ in range(2 * FRAMES)
    )
    return [bytes(cv2.imencode(".jpg", frame)[1]) for frame in noisy]


@pytest.fixture
def begin(guarded: Any, clock: Any, read_card: Any) -> Callable[..., Attempt]:
    """Return a function that brings a session to the beginning of its capture."""

    def begin_(device: EnrolledDevice | None = COUNTER, camera: CameraIdentity = WEBCAM) -> Attempt:
        session = guarded.open()
        read_card(session)
        statement = device.statement(session.session_id, camera) if device else None
        begun = session.begin_capture(light=False, agent=statement)
        return Attempt(guarded, clock, session, Challenge.from_dict(begun["challenge"]))

    return begin_


def test_the_enrolled_agent_is_attested(begin: Any, taken: list[bytes]) -> None:
    attempt = begin()
    attempt.send(attempt.signed(taken[:FRAMES]))
    found = attempt.judged()
    assert (found["outcome"], found["reasons"]) == ("PASSED", [])
    assert (found["capture"], found["device_id"]) == ("attested_agent", "counter-3")
    assert found["agent_key"] == FLEET.agents[0].thumbprint
    assert set(found["checks"].values()) == {"ok"}


def test_a_hooked_browser_is_a_browser(begin: Any, taken: list[bytes]) -> None:
    attempt = begin(device=None)
    attempt.send(attempt.signed(taken[:FRAMES], device=None))
    found = attempt.judged()
    assert (found["outcome"], found["reasons"]) == ("PASSED", [])
    assert (found["capture"], found["agent_key"]) == ("browser", None)
    assert found["checks"]["camera-device"] == "not_performed"


@pytest.mark.parametrize(
    "camera",
    [LOOPBACK, replace(WEBCAM, driver="v4l2loopback"), replace(WEBCAM, name="OBS Virtual Camera")],
    ids=["loopback", "driver", "name"],
)
def test_a_virtual_camera_under_the_agent(
    begin: Any, taken: list[bytes], camera: CameraIdentity
) -> None:
    attempt = begin(camera=camera)
    attempt.send(attempt.signed(taken[:FRAMES]))
    found = attempt.judged()
    assert (found["outcome"], found["capture"]) == ("FAILED", "browser")
    assert found["reasons"] == ["camera-virtual"]


def test_a_capture_card_in_the_cameras_place(begin: Any, taken: list[bytes]) -> None:
    attempt = begin(camera=replace(WEBCAM, usb_id="534d:2109", name="USB Video"))
    attempt.send(attempt.signed(taken[:FRAMES]))
    found = attempt.judged()
    assert (found["outcome"], found["capture"]) == ("INDETERMINATE", "browser")
    assert found["reasons"] == ["camera-not-the-pinned"]


@pytest.mark.parametrize("by_agent", [True, False])
def test_a_burst_posted_at_once(begin: Any, taken: list[bytes], by_agent: bool) -> None:
    device = COUNTER if by_agent else None
    attempt = begin(device=device)
    attempt.send(attempt.signed(taken[:FRAMES], device), lambda _: 5.0)
    found = attempt.judged()
    assert (found["outcome"], found["capture"]) == ("FAILED", "browser")
    assert found["reasons"] == ["capture-burst"]


def test_frames_after_their_time(begin: Any, taken: list[bytes]) -> None:
    attempt = begin()
    attempt.send(attempt.signed(taken[:FRAMES]), lambda t_ms: START_MS + 1.6 * t_ms)
    found = attempt.judged()
    assert (found["outcome"], found["reasons"]) == ("INDETERMINATE", ["capture-late"])


def test_the_first_frame_too_late(begin: Any, taken: list[bytes]) -> None:
    attempt = begin()
    attempt.send(attempt.signed(taken[:FRAMES]), lambda t_ms: 21_000 + t_ms)
    found = attempt.judged()
    assert (found["outcome"], found["reasons"]) == ("INDETERMINATE", ["capture-not-in-time"])


@pytest.mark.parametrize("change", ["picture", "time", "signature", "stripped"])
def test_somebody_between_agent_and_server(begin: Any, taken: list[bytes], change: str) -> None:
    attempt = begin()
    frames = attempt.signed(taken[:FRAMES])
    changes: dict[str, dict[str, Any]] = {
        "picture": {"picture": taken[FRAMES]},
        "time": {"t_ms": frames[9].t_ms + 7},
        "signature": {"signature": bytes(64)},
        "stripped": {"signature": None},
    }
    frames[9] = replace(frames[9], **changes[change])
    attempt.send(frames)
    found = attempt.judged()
    assert (found["outcome"], found["capture"]) == ("FAILED", "browser")
    reason = "frame-unsigned" if change == "stripped" else "frame-signature-invalid"
    assert found["reasons"] == [reason]


def test_a_modified_agent(begin: Any, taken: list[bytes]) -> None:
    stranger = EnrolledDevice("counter-3", new_key())
    attempt = begin(device=stranger)
    attempt.send(attempt.signed(taken[:FRAMES], stranger))
    found = attempt.judged()
    assert (found["outcome"], found["capture"]) == ("PASSED", "browser")
    assert "agent-key-unknown" in found["reasons"]
    assert (found["agent_key"], found["device_id"]) == (None, None)


def test_a_revoked_agent(start: Any, clock: Any, read_card: Any, taken: list[bytes]) -> None:
    server = start(fleet=FLEET.revoking("counter-3"))
    session = server.open()
    read_card(session)
    begun = session.begin_capture(agent=COUNTER.statement(session.session_id, WEBCAM))
    attempt = Attempt(server, clock, session, Challenge.from_dict(begun["challenge"]))
    attempt.send(attempt.signed(taken[:FRAMES]))
    found = attempt.judged()
    assert (found["outcome"], found["reasons"]) == ("FAILED", ["agent-revoked"])


def test_another_sessions_frames(begin: Any, taken: list[bytes]) -> None:
    first = begin()
    frames = first.signed(taken[:FRAMES])
    first.send(frames)
    assert first.judged()["capture"] == "attested_agent"
    second = begin()
    second.send(frames)
    found = second.judged()
    assert (found["outcome"], found["capture"]) == ("FAILED", "browser")
    assert set(found["reasons"]) == {"capture-frames-seen-before", "frame-signature-invalid"}
    third = begin(device=None)
    third.send([replace(frame, signature=None) for frame in frames])
    found = third.judged()
    assert (found["outcome"], found["reasons"]) == ("FAILED", ["capture-frames-seen-before"])


def test_another_sessions_statement(begin: Any, guarded: Any, read_card: Any, clock: Any) -> None:
    other = guarded.open()
    session = guarded.open()
    read_card(session)
    begun = session.begin_capture(agent=COUNTER.statement(other.session_id, WEBCAM))
    attempt = Attempt(guarded, clock, session, Challenge.from_dict(begun["challenge"]))
    attempt.send(attempt.signed([_plain(n) for n in range(FRAMES)]))
    found = attempt.judged()
    assert found["outcome"] == "FAILED"
    assert "agent-statement-of-other-session" in found["reasons"]


@pytest.mark.parametrize("how", ["swapped", "repeated", "left out"])
def test_a_replayed_or_reordered_stream(begin: Any, taken: list[bytes], how: str) -> None:
    attempt = begin()
    frames = attempt.signed(taken[:FRAMES])
    order = list(range(FRAMES))
    if how == "swapped":
        order[5], order[15] = order[15], order[5]
    elif how == "repeated":
        order[10:15] = order[5:10]
    else:
        del order[8:14]
    moved = [
        replace(frames[source], number=place, t_ms=frames[place].t_ms)
        for place, source in enumerate(order)
    ]
    attempt.send(moved, lambda t_ms: START_MS + t_ms)
    found = attempt.judged()
    assert (found["outcome"], found["reasons"]) == ("FAILED", ["frame-signature-invalid"])


def test_a_recording_is_not_attested(start: Any, read_card: Any, taken: list[bytes]) -> None:
    server = start(fleet=FLEET, clock=utc_now)
    session = server.open()
    read_card(session)
    recording = [(n * 250.0, picture) for n, picture in enumerate(taken[:FRAMES])]
    run_capture(session, Pictures(recording), device=COUNTER)
    (found,) = server.client.record(session.session_id)["captures"]
    assert found["injection"]["reasons"] == ["camera-is-file"]
    assert found["injection"]["capture"] == "browser"
    assert found["injection"]["checks"]["frame-signatures"] == "ok"


class RenderedSitter(CaptureListener):
    """Stands where a camera does: as soon as the challenge is known, a sitter performs it.

    The server's clock goes on with each picture, and the next is taken when one has been sent.
    """

    identity = WEBCAM

    def __init__(self, rig: Rig, picture: bytes, clock: Any, session: SessionClient) -> None:
        self._rig, self._picture, self._clock = rig, picture, clock
        self._taken: list[FrameSample] = []
        self._sent = Semaphore(0)
        put_frame = session.put_frame

        def counted(*frame: Any) -> None:
            put_frame(*frame)
            self._sent.release()

        vars(session)["put_frame"] = counted

    def begun(self, attempt: int, challenge: Challenge) -> None:
        self._taken = self._rig.perform(self._picture, challenge, seed=attempt)

    def frames(self) -> Iterator[CameraFrame]:
        begun = self._clock.now
        for frame in self._taken:
            self._clock.now = begun + timedelta(milliseconds=START_MS + frame.t_ms)
            yield CameraFrame(frame.t_ms / 1000, bytes(frame.picture))
            assert self._sent.acquire(timeout=60)

    def close(self) -> None:
        pass


def test_an_enrolled_agent_carries_a_session_to_its_assertion(
    start: Any, clock: Any, read_card: Any, rig: Rig, pictures: dict[str, bytes], root: bytes
) -> None:
    server = start(fleet=FLEET)
    session = server.open()
    sitter = RenderedSitter(rig, pictures["obama3"], clock, session)
    read_card(session)
    result = run_capture(session, sitter, device=COUNTER, listener=sitter, pause_s=0.1)
    assert result.session["outcome"] == "PASSED", server.reasons(session)
    report = verify(
        session.assertion(),
        documents=[b"%PDF-1.7 a specimen"],
        roots=load_roots(root),
        audience="https://notary.example",
        nonce="nonce-of-the-notary",
    )
    assert report.claims is not None
    iad = report.claims["iad"]
    assert (iad["capture"], iad["device_id"]) == ("attested_agent", "counter-3")
    assert {check["result"] for check in iad["checks"]} == {"ok"}


def _plain(level: int) -> bytes:
    return bytes(cv2.imencode(".png", np.full((48, 64, 3), level, np.uint8))[1])
