"""Whatever is done to a signed stream, only what the agent made is attested."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from api.assertions.vocabulary import Capture
from api.fleet.errors import AgentsInvalidError, FrameSignatureInvalidError, StatementInvalidError
from api.fleet.frames import FrameStatement, parse_header, sign_frame, to_header, verify_frame
from api.fleet.registry import AgentFleet
from api.fleet.statement import parse_statement
from api.proofing.injection import ReceivedFrame, judge_injection
from biometrics.types import Outcome
from devices.camera_identity import CameraIdentity, CameraMalformedError
from tests.fixtures.captures import BEGUN, Shot, new_key, shoot

KEY = new_key()
COUNT = 12
IDS = st.text("0123456789abcdef", min_size=1, max_size=32)
STATEMENTS = st.builds(
    FrameStatement,
    session_id=IDS,
    challenge_id=IDS,
    number=st.integers(0, 999),
    t_ms=st.integers(0, 600_000),
    picture_sha256=st.binary(min_size=32, max_size=32),
    previous_signature=st.none() | st.binary(min_size=64, max_size=64),
)


@cache
def shot() -> Shot:
    return shoot(count=COUNT)


def judge(frames: list[ReceivedFrame]) -> Any:
    return judge_injection(shot().context, frames, shot().fleet)


@given(STATEMENTS, STATEMENTS)
def test_a_signature_is_of_one_frame_alone(one: FrameStatement, other: FrameStatement) -> None:
    signature = sign_frame(one, KEY)
    verify_frame(one, signature, KEY.public_key())
    assert parse_header(to_header(signature)) == signature
    assume(one != other)
    with pytest.raises(FrameSignatureInvalidError):
        verify_frame(other, signature, KEY.public_key())


@given(STATEMENTS, IDS, IDS)
def test_ids_do_not_run_into_one_another(one: FrameStatement, left: str, right: str) -> None:
    for cut in range(len(left + right)):
        first, second = (left + right)[:cut], (left + right)[cut:]
        a = replace(one, session_id=left, challenge_id=right)
        b = replace(one, session_id=first, challenge_id=second)
        assert (a.to_bytes() == b.to_bytes()) == (a == b)


@given(st.binary(max_size=80))
def test_no_bytes_are_a_signature_by_chance(signature: bytes) -> None:
    statement = FrameStatement("a", "b", 0, 0, bytes(32), None)
    with pytest.raises(FrameSignatureInvalidError):
        verify_frame(statement, signature, KEY.public_key())


@given(st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=COUNT + 3))
def test_only_the_stream_itself_or_its_beginning_is_attested(order: list[int]) -> None:
    made = shot().frames
    times = [made[0].t_ms + 83 * place for place in range(len(order))]
    frames = [
        replace(
            made[source],
            number=place,
            t_ms=made[source].t_ms if place == source else times[place],
            received_at=BEGUN + timedelta(milliseconds=700 + times[place]),
        )
        for place, source in enumerate(order)
    ]
    attested = judge(frames).capture is Capture.ATTESTED_AGENT
    assert attested == (order == list(range(len(order))))


@given(
    st.lists(st.floats(-20_000, 40_000), min_size=COUNT, max_size=COUNT),
    st.lists(st.integers(-1, 600_000), min_size=COUNT, max_size=COUNT),
)
def test_any_times_are_judged(arrived_ms: list[float], t_ms: list[int]) -> None:
    frames = [
        replace(frame, t_ms=t, received_at=BEGUN + timedelta(milliseconds=ms))
        for frame, t, ms in zip(shot().frames, t_ms, arrived_ms, strict=True)
    ]
    verdict = judge(frames)
    assert (verdict.capture is Capture.ATTESTED_AGENT) <= (verdict.outcome is Outcome.PASSED)
    span = t_ms[-1] - t_ms[0]
    if span > 0 and max(arrived_ms) - min(arrived_ms) < span / 2:
        assert verdict.outcome is Outcome.FAILED


@given(
    st.floats(0, 9000),
    st.lists(st.floats(0, 1500), min_size=COUNT, max_size=COUNT),
)
def test_an_honest_stream_over_an_uneven_network_is_in_time(
    start_ms: float, delays_ms: list[float]
) -> None:
    long = shoot(device=shot().device, fleet=shot().fleet)
    frames, last = [], 0.0
    for n, frame in enumerate(long.frames):
        # One connection: no frame overtakes another.
        last = max(last, start_ms + frame.t_ms + delays_ms[n % COUNT])
        frames.append(replace(frame, received_at=BEGUN + timedelta(milliseconds=last)))
    assume(frames[0].received_at - BEGUN <= timedelta(seconds=10))
    verdict = judge_injection(long.context, frames, long.fleet)
    assert verdict.capture is Capture.ATTESTED_AGENT, verdict.reasons


@given(
    st.text(max_size=300)
    | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,90}")
)
def test_any_text_as_a_statement(text: str) -> None:
    with pytest.raises(StatementInvalidError):
        parse_statement(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    JSON
    | st.fixed_dictionaries(
        {"kind": st.sampled_from(["device", "file"]) | JSON},
        optional=dict.fromkeys(("driver", "bus", "name", "usb_id", "path"), JSON),
    )
)
def test_any_json_as_a_camera(data: Any) -> None:
    try:
        camera = CameraIdentity.from_dict(data)
    except CameraMalformedError:
        return
    assert CameraIdentity.from_dict(camera.to_dict()) == camera


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_as_a_list_of_agents(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "agents.toml"
    path.write_bytes(data)
    try:
        fleet = AgentFleet.load(path)
    except AgentsInvalidError:
        return
    assert fleet.agents == ()
