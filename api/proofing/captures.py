"""Captures that are arriving: their frames are looked at as they come, in the background.

What is held here is in memory alone and can be lost: a decision makes it again from the frames that
the database holds. It is never held longer than those.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from api.proofing.states import TIME_LIMIT_S, State
from biometrics.analysis import CaptureAnalysis, FaceVerdict
from biometrics.types import FrameSample

MAX_CAPTURES = 32
"""More at one time are looked at when they are decided."""
MAX_WAITING_BYTES = 16 << 20
"""Of the frames of one capture that were not looked at yet: more than an honest capture has in all.
What comes on top is looked at when the capture is decided."""
KEPT_S = float(TIME_LIMIT_S[State.CAPTURE])
WORKERS = 2

log = logging.getLogger("chinhchu.api")


@dataclass
class _Capture:
    """One capture; `lock` guards the analysis, and the lock of all captures the rest."""

    analysis: CaptureAnalysis = field(repr=False)
    waiting: dict[int, tuple[FrameSample, int]] = field(default_factory=dict, repr=False)
    """Frames by number, with their bytes."""
    next_number: int = 0
    """Of the frame that the analysis gets next."""
    is_queued: bool = False
    """Whether a worker has it to do, or is at it."""
    is_broken: bool = False
    """Whether the analysis failed half-way."""
    begun_at: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock, repr=False)

    def keep(self, number: int, frame: FrameSample, size: int) -> None:
        """Let a new frame wait, if there is room."""
        held = sum(size for _, size in self.waiting.values())
        if number >= self.next_number and held + size <= MAX_WAITING_BYTES:
            self.waiting.setdefault(number, (frame, size))

    def take(self) -> FrameSample | None:
        """Return the frame that comes next, if it is there."""
        if self.next_number not in self.waiting:
            return None
        frame, _ = self.waiting.pop(self.next_number)
        self.next_number += 1
        return frame


class LiveCaptures:
    """The captures of one process, each by a key of the caller's."""

    def __init__(self) -> None:
        self._captures: dict[str, _Capture] = {}
        self._lock = Lock()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="capture")

    def begin(self, key: str, analysis: CaptureAnalysis) -> None:
        """Take a capture up, if there is room."""
        self.forget_old()
        with self._lock:
            if len(self._captures) < MAX_CAPTURES:
                self._captures[key] = _Capture(analysis)

    def add(self, key: str, number: int, frame: FrameSample, size: int) -> None:
        """Look at a frame soon; one that came before, or of no capture here, is passed over.

        Args:
            key: which capture.
            number: of the frame, from 0.
            frame: the frame.
            size: of its picture, in bytes.
        """
        with self._lock:
            capture = self._captures.get(key)
            if capture is None:
                return
            capture.keep(number, frame, size)
            if capture.next_number in capture.waiting and not capture.is_queued:
                self._queue(key, capture)

    def conclude(
        self, key: str, frames: Sequence[FrameSample], begin: Callable[[], CaptureAnalysis]
    ) -> FaceVerdict:
        """Judge a capture and let go of it.

        Args:
            key: which.
            frames: all that the database holds of it, in order.
            begin: makes the analysis where there is none here.
        """
        capture = self._take_away(key)
        if capture is not None:
            with capture.lock:
                if not capture.is_broken:
                    return capture.analysis.conclude(frames)
        return begin().conclude(frames)

    def forget(self, key: str) -> None:
        """Let go of a capture, and of its frames that wait."""
        self._take_away(key)

    def forget_old(self) -> None:
        """Let go of captures that nobody has concluded in time."""
        oldest = time.monotonic() - KEPT_S
        with self._lock:
            old = [key for key, capture in self._captures.items() if capture.begun_at < oldest]
        for key in old:
            self._take_away(key)

    def forget_all(self) -> None:
        """Let go of every capture."""
        with self._lock:
            keys = list(self._captures)
        for key in keys:
            self._take_away(key)

    def _take_away(self, key: str) -> _Capture | None:
        with self._lock:
            capture = self._captures.pop(key, None)
            if capture is not None:
                capture.waiting.clear()
            return capture

    def _queue(self, key: str, capture: _Capture) -> None:
        capture.is_queued = True
        self._workers.submit(self._look, key, capture)

    def _look(self, key: str, capture: _Capture) -> None:
        """Look at one frame and queue again behind other captures: none keeps a worker."""
        with capture.lock:
            with self._lock:
                frame = capture.take()
            try:
                if frame is not None:
                    capture.analysis.add(frame)
            except Exception as error:  # whatever fails here fails again, and is said, when decided
                log.error("capture %s", type(error).__name__)
                capture.is_broken = True
                self.forget(key)
        with self._lock:
            capture.is_queued = False
            if capture.next_number in capture.waiting:
                self._queue(key, capture)
