"""Captures that are arriving: their frames are looked at as they come, in the background.

What is held here is in memory alone and can be lost: a decision makes it again from the frames that
the database holds.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from biometrics.analysis import CaptureAnalysis, FaceVerdict
from biometrics.types import FrameSample

MAX_CAPTURES = 32
"""More at one time are looked at when they are decided."""
KEPT_S = 180.0
WORKERS = 2

log = logging.getLogger("chinhchu.api")


@dataclass
class _Capture:
    analysis: CaptureAnalysis
    waiting: dict[int, FrameSample] = field(default_factory=dict)
    """Frames by number that came before an earlier one."""
    begun_at: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock)

    def look(self) -> None:
        with self.lock:
            while (number := self.analysis.frames) in self.waiting:
                self.analysis.add(self.waiting.pop(number))


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

    def add(self, key: str, number: int, frame: FrameSample) -> None:
        """Look at a frame soon; one that came before, or of no capture here, is passed over."""
        with self._lock:
            capture = self._captures.get(key)
        if capture is None or number < capture.analysis.frames:
            return
        capture.waiting[number] = frame
        self._workers.submit(self._look, key, capture)

    def conclude(
        self, key: str, frames: Sequence[FrameSample], begin: Callable[[], CaptureAnalysis]
    ) -> FaceVerdict:
        """Judge a capture and let go of it.

        Args:
            key: which.
            frames: all that the database holds of it, in order.
            begin: makes the analysis where there is none here.
        """
        with self._lock:
            capture = self._captures.pop(key, None)
        if capture is None:
            return begin().conclude(frames)
        with capture.lock:
            return capture.analysis.conclude(frames)

    def forget(self, key: str) -> None:
        """Let go of a capture."""
        with self._lock:
            self._captures.pop(key, None)

    def forget_old(self) -> None:
        """Let go of captures that nobody has concluded."""
        oldest = time.monotonic() - KEPT_S
        with self._lock:
            for key in [k for k, c in self._captures.items() if c.begun_at < oldest]:
                del self._captures[key]

    def _look(self, key: str, capture: _Capture) -> None:
        try:
            capture.look()
        except Exception as error:  # whatever fails here fails again, and is said, at the decision
            log.error("capture %s", type(error).__name__)
            self.forget(key)
