"""Check that frames can be one uninterrupted capture of one face."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final

from biometrics.liveness.capture import MAX_FRAMES, Observation
from biometrics.liveness.findings import Finding, adverse, unclear

MIN_FRAMES: Final = 10
MIN_MS_PER_TURN: Final = 600.0
"""No one turns the head and comes back faster."""
MAX_DURATION_MS: Final = 30_000.0
MAX_GAP_MS: Final = 1_000.0
MAX_LOST_FRACTION: Final = 0.2
MIN_DISTINCT_FRACTION: Final = 0.5
"""A page may hand over a camera's frame twice; more than that is no camera."""


def check_continuity(observations: Sequence[Observation], turns: int) -> Iterator[Finding]:
    """Yield what is wrong with the frames as one capture of `turns` turns."""
    if len(observations) > MAX_FRAMES:
        yield unclear("challenge-too-many-frames")
    yield from _check_faces(observations)
    if len({o.size for o in observations if o.size}) > 1:
        yield unclear("challenge-frame-size-changed")
    yield from _check_times(observations, turns)
    yield from _check_repetition(observations)


def _check_faces(observations: Sequence[Observation]) -> Iterator[Finding]:
    lost = 0
    for observation in observations:
        if not observation.pixel_sha256:
            yield unclear("challenge-frame-unreadable")
        elif observation.fault == "several-faces":
            yield adverse("challenge-several-faces")
        lost += observation.sighting is None
    if lost > MAX_LOST_FRACTION * len(observations):
        yield unclear("challenge-face-lost")
    if len(observations) - lost < MIN_FRAMES:
        yield unclear("challenge-too-few-frames")


def _check_times(observations: Sequence[Observation], turns: int) -> Iterator[Finding]:
    times = [observation.t_ms for observation in observations]
    steps = [later - earlier for earlier, later in pairwise(times)]
    if not all(map(math.isfinite, times)) or any(step <= 0 for step in steps):
        yield adverse("challenge-time-not-monotonic")
        return
    duration_ms = times[-1] - times[0] if times else 0.0
    if duration_ms < MIN_MS_PER_TURN * turns:
        yield unclear("challenge-too-short")
    if duration_ms > MAX_DURATION_MS:
        yield unclear("challenge-too-long")
    if any(step > MAX_GAP_MS for step in steps):
        yield unclear("challenge-frames-missing")


def _check_repetition(observations: Sequence[Observation]) -> Iterator[Finding]:
    digests = [o.pixel_sha256 for o in observations if o.pixel_sha256]
    if len(digests) < 2:
        return
    if len(set(digests)) < MIN_DISTINCT_FRACTION * len(digests):
        yield adverse("challenge-frames-identical")
    in_a_row = [digest for digest, _ in groupby(digests)]
    if len(set(in_a_row)) < len(in_a_row):
        yield adverse("challenge-frames-repeated")
