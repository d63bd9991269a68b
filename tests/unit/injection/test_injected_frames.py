"""Streams that were not taken now, here, in this order."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from api.assertions.vocabulary import Capture, CheckResult
from api.fleet.frames import FrameSigner
from api.proofing.injection import FIRST_FRAME_WITHIN_S, MAX_FRAMES, MAX_LAG_MS
from biometrics.types import Outcome
from tests.fixtures.captures import BEGUN, Shot, shoot

PASSED, HELD, REFUSED = Outcome.PASSED, Outcome.INDETERMINATE, Outcome.FAILED
SIGNATURE_INVALID = (REFUSED, ("frame-signature-invalid",))


def found(shot: Shot, **context: object) -> tuple[Outcome, tuple[str, ...]]:
    verdict = shot.judge(**context)
    # What is attested has been found in order, in every check.
    in_order = {result for _, result in verdict.checks} == {CheckResult.OK}
    assert in_order == (verdict.capture is Capture.ATTESTED_AGENT)
    assert not (in_order and verdict.reasons)
    return verdict.outcome, verdict.reasons


def _renumber(shot: Shot) -> Shot:
    shot.frames = [replace(frame, number=n) for n, frame in enumerate(shot.frames)]
    return shot


def test_frames_of_another_attempt() -> None:
    old = shoot(challenge_id="0" * 32)
    assert found(old, challenge_id="1" * 32) == SIGNATURE_INVALID


def test_frames_of_another_session_under_todays_statement() -> None:
    today = shoot()
    other = shoot(device=today.device, session_id="b" * 32)
    today.frames = other.frames
    assert found(today) == SIGNATURE_INVALID


def test_one_foreign_frame_in_the_middle() -> None:
    shot = shoot()
    other = shoot(device=shot.device, session_id="b" * 32)
    for at in (0, 40, -1):
        mixed = shoot(device=shot.device, fleet=shot.fleet)
        mixed.frames[at] = other.frames[at]
        assert found(mixed) == SIGNATURE_INVALID


def test_altered_by_somebody_in_the_middle() -> None:
    for change in (
        {"sha256": hashlib.sha256(b"another picture").digest()},
        {"t_ms": 3334},
        {"signature": bytes(64)},
        {"signature": b"\xff" * 64},
        {"signature": b""},
        {"signature": b"short"},
    ):
        shot = shoot()
        shot.frames[40] = replace(shot.frames[40], **change)
        assert found(shot) == SIGNATURE_INVALID


def test_a_reordered_stream() -> None:
    shot = shoot()
    a, b = shot.frames[30], shot.frames[60]
    shot.frames[30] = replace(b, number=30, t_ms=a.t_ms, received_at=a.received_at)
    shot.frames[60] = replace(a, number=60, t_ms=b.t_ms, received_at=b.received_at)
    assert found(shot) == SIGNATURE_INVALID


def test_a_stretch_played_twice() -> None:
    shot = shoot()
    for n in range(40, 60):
        shot.frames[n] = replace(
            shot.frames[n - 20],
            number=n,
            t_ms=shot.frames[n].t_ms,
            received_at=shot.frames[n].received_at,
        )
    assert found(shot) == SIGNATURE_INVALID


def test_a_stretch_left_out_behind_the_agents_back() -> None:
    shot = shoot()
    del shot.frames[30:60]
    assert found(_renumber(shot)) == SIGNATURE_INVALID


def test_the_end_cut_off_is_the_challenges_business() -> None:
    shot = shoot()
    del shot.frames[50:]
    assert found(shot) == (PASSED, ())


def test_signed_in_part() -> None:
    for at in (0, 50, -1):
        shot = shoot()
        shot.frames[at] = replace(shot.frames[at], signature=None)
        assert found(shot) == (REFUSED, ("frame-unsigned",))


def test_signatures_stripped_and_the_statement_left() -> None:
    shot = shoot()
    shot.frames = [replace(frame, signature=None) for frame in shot.frames]
    assert found(shot) == (REFUSED, ("frame-unsigned",))


def test_the_order_of_arrival_does_not_matter() -> None:
    shot = shoot()
    shot.frames.reverse()
    assert found(shot) == (PASSED, ())


def test_frames_of_another_session_in_a_browsers_capture() -> None:
    shot = shoot().unsigned()
    assert found(shot, frames_seen_elsewhere=1) == (REFUSED, ("capture-frames-seen-before",))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("start_ms", [0, 700, 8000])
def test_a_burst_is_refused_whenever_it_comes(start_ms: float, signed: bool) -> None:
    shot = shoot() if signed else shoot().unsigned()
    shot.arriving(*(start_ms + 5 * n for n in range(97)))
    outcome, reasons = found(shot)
    assert outcome is REFUSED
    assert "capture-burst" in reasons


def test_one_frame_at_once_and_the_rest_in_a_burst() -> None:
    shot = shoot().unsigned()
    shot.arriving(500, *(8500 + 5 * n for n in range(96)))
    assert found(shot) == (HELD, ("capture-late",))


def test_twice_as_fast_as_time() -> None:
    shot = shoot().unsigned()
    shot.arriving(*(300 + t / 2 for t in shot.times()))
    assert "capture-burst" in found(shot)[1]


def test_before_it_can_have_been_taken() -> None:
    shot = shoot().unsigned()
    shot.arriving(*(t - 300 if t >= 6000 else t + 100 for t in shot.times()))
    assert "capture-burst" in found(shot)[1]


def test_too_late() -> None:
    shot = shoot().unsigned()
    shot.arriving(*(300 + t * (1 + 1.1 * MAX_LAG_MS / 8000) for t in shot.times()))
    assert found(shot) == (HELD, ("capture-late",))


def test_the_first_frame_must_come_in_time() -> None:
    limit = 1000 * FIRST_FRAME_WITHIN_S
    for start, reasons in ((limit - 50, ()), (limit + 1, ("capture-not-in-time",))):
        shot = shoot().unsigned()
        shot.arriving(*(start + t for t in shot.times()))
        assert found(shot) == (HELD if reasons else PASSED, reasons)


def test_before_the_challenge_was_given_out() -> None:
    shot = shoot().unsigned()
    shot.arriving(*(t - 5000 for t in shot.times()))
    outcome, reasons = found(shot)
    assert outcome is REFUSED
    assert {"capture-not-in-time", "capture-burst"} <= set(reasons)


def test_a_stall_that_the_network_catches_up_with() -> None:
    shot = shoot()
    stalled = [200.0 + t for t in shot.times()]
    # Two seconds without a network, then everything that waited, ten milliseconds apart.
    for n in range(40, 64):
        stalled[n] = max(stalled[n], stalled[64] + 10 * (n - 64))
    assert found(shot.arriving(*stalled)) == (PASSED, ())


def test_a_slow_first_request() -> None:
    shot = shoot()
    arrived = [max(2000.0 + 10 * n, 200.0 + t) for n, t in enumerate(shot.times())]
    assert found(shot.arriving(*arrived)) == (PASSED, ())


def test_times_that_stand_still_or_go_back() -> None:
    for t_ms in (0, 3250):
        shot = shoot().unsigned()
        shot.frames[40] = replace(shot.frames[40], t_ms=t_ms)
        assert "capture-order-invalid" in found(shot)[1]


def test_nothing_one_frame_and_far_too_many() -> None:
    shot = shoot()
    shot.frames = []
    assert found(shot) == (HELD, ("capture-empty",))
    assert found(shoot(count=1)) == (PASSED, ())
    shot = shoot()
    frame = shot.frames[-1]
    shot.frames = [
        replace(frame, number=n, t_ms=n, received_at=BEGUN + timedelta(milliseconds=n))
        for n in range(10 * MAX_FRAMES)
    ]
    verdict = shot.judge()
    assert "capture-incomplete" in verdict.reasons
    assert dict(verdict.checks)["frame-signatures"] is CheckResult.NOT_PERFORMED


def test_a_gap_in_the_numbers() -> None:
    shot = shoot().unsigned()
    del shot.frames[7]
    assert found(shot) == (HELD, ("capture-incomplete",))


def test_a_signer_without_a_key_signs_nothing() -> None:
    frame = FrameSigner("a" * 32, "c" * 32, None).sign(0, b"picture")
    assert frame.signature is None
