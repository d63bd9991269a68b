"""Captures in memory: looked at in order, fairly, within bounds, and gone when they are over."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from api.proofing import captures
from api.proofing.captures import LiveCaptures
from biometrics.types import FrameSample


class Analysis:
    """Notes what it is given; may wait at a frame, or fail at one."""

    def __init__(
        self,
        *,
        wait_at: int | None = None,
        fail_at: int | None = None,
        mark: int = 0,
        seen: list[int] | None = None,
    ) -> None:
        self.seen: list[int] = [] if seen is None else seen
        self.wait_at, self.fail_at, self.mark = wait_at, fail_at, mark
        self.waits, self.may_go_on = threading.Event(), threading.Event()

    def add(self, frame: FrameSample) -> None:
        number = int(frame.t_ms)
        if number == self.wait_at:
            self.waits.set()
            assert self.may_go_on.wait(60)
        self.seen.append(self.mark + number)
        if number == self.fail_at:
            raise RuntimeError

    def conclude(self, frames: Sequence[FrameSample]) -> Any:
        for frame in frames[len(self.seen) :]:
            self.add(frame)
        return self


def frame(number: int) -> FrameSample:
    return FrameSample(b"picture", float(number))


def never() -> Any:
    raise AssertionError("the capture was lost")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def live() -> Iterator[LiveCaptures]:
    live = LiveCaptures()
    yield live
    live.forget_all()
    live._workers.shutdown()


def begin(live: LiveCaptures, key: str, **behaviour: Any) -> Any:
    analysis: Any = Analysis(**behaviour)
    live.begin(key, analysis)
    return analysis


def add(live: LiveCaptures, key: str, *numbers: int, size: int = 7) -> None:
    for number in numbers:
        live.add(key, number, frame(number), size=size)


def test_frames_are_looked_at_in_order_once_each(live: LiveCaptures) -> None:
    analysis = begin(live, "a")
    add(live, "a", 3, 1, 1, 0, 2, 0, 3, 5)
    until(lambda: analysis.seen == [0, 1, 2, 3])
    concluded: Any = live.conclude("a", [frame(n) for n in range(6)], never)
    assert concluded is analysis
    assert analysis.seen == [0, 1, 2, 3, 4, 5]


def test_a_decision_waits_for_the_frame_at_hand_and_takes_the_rest(live: LiveCaptures) -> None:
    analysis = begin(live, "a", wait_at=1)
    add(live, "a", *range(5))
    assert analysis.waits.wait(60)
    threading.Timer(0.05, analysis.may_go_on.set).start()
    concluded: Any = live.conclude("a", [frame(n) for n in range(5)], never)
    assert concluded is analysis
    assert analysis.seen == [0, 1, 2, 3, 4]


def test_nothing_is_looked_at_after_a_capture_was_given_up(live: LiveCaptures) -> None:
    analysis = begin(live, "a", wait_at=0)
    add(live, "a", *range(20))
    assert analysis.waits.wait(60)
    (capture,) = live._captures.values()
    live.forget("a")
    assert not capture.waiting
    analysis.may_go_on.set()
    until(lambda: not capture.is_queued)
    assert analysis.seen == [0]
    fresh: Any = Analysis()
    assert live.conclude("a", [frame(0)], lambda: fresh) is fresh


def test_no_capture_keeps_the_workers_from_others(live: LiveCaptures) -> None:
    order: list[int] = []
    long = [begin(live, f"long {n}", wait_at=0, seen=order) for n in range(captures.WORKERS)]
    for n in range(captures.WORKERS):
        add(live, f"long {n}", *range(400))
    for analysis in long:
        assert analysis.waits.wait(60)
    begin(live, "other", mark=1000, seen=order)
    add(live, "other", 0)
    for analysis in long:
        analysis.may_go_on.set()
    until(lambda: len(order) == 400 * captures.WORKERS + 1)
    assert order.index(1000) <= 2 * captures.WORKERS


def test_what_waits_is_bounded_and_looked_at_later(live: LiveCaptures) -> None:
    analysis = begin(live, "a")
    add(live, "a", *range(1, 480), size=4 << 20)
    (capture,) = live._captures.values()
    assert len(capture.waiting) == captures.MAX_WAITING_BYTES // (4 << 20)
    live.conclude("a", [frame(n) for n in range(480)], never)
    assert analysis.seen == list(range(480))


def test_an_analysis_that_failed_half_way_judges_nothing(live: LiveCaptures) -> None:
    broken = begin(live, "a", wait_at=1, fail_at=1)
    add(live, "a", 0, 1)
    assert broken.waits.wait(60)
    threading.Timer(0.05, broken.may_go_on.set).start()
    fresh: Any = Analysis()
    frames = [frame(n) for n in range(3)]
    concluded: Any = live.conclude("a", frames, lambda: fresh)
    assert concluded is fresh
    assert fresh.seen == [0, 1, 2]


def test_captures_that_nobody_concludes_go_with_their_session(
    live: LiveCaptures, monkeypatch: Any
) -> None:
    begin(live, "old")
    add(live, "old", 1)
    (capture,) = live._captures.values()
    monkeypatch.setattr(captures, "KEPT_S", -1.0)
    live.forget_old()
    assert (live._captures, capture.waiting) == ({}, {})


def test_there_is_room_for_so_many(live: LiveCaptures) -> None:
    for n in range(captures.MAX_CAPTURES + 3):
        begin(live, str(n))
    assert len(live._captures) == captures.MAX_CAPTURES
