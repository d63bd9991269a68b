"""Follow a head's turns through a capture: a pure state machine over nose offsets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby, pairwise
from statistics import median
from typing import Final

from biometrics.challenge import Turn
from biometrics.liveness.findings import Finding, adverse, unclear

FRONT_OFFSET: Final = 0.12
"""Up to this change of the nose offset the face counts as turned back to the front."""
MAX_REST_OFFSET: Final = 0.25
"""A person whose resting face lies further off does not look at the camera."""
REST_FRAMES: Final = 3
MIN_TURNED_FRAMES: Final = 2
"""A single frame beyond the threshold may be a detection error."""
MAX_STEP: Final = 0.75
"""The most of a turn that may happen between two frames; a starting value, not calibrated."""


class Zone(Enum):
    """Where the nose is, relative to the person's own rest."""

    FRONT = "front"
    BETWEEN = "between"
    LEFT = "left"
    RIGHT = "right"


TURN_OF: Final = {Zone.LEFT: Turn.LEFT, Zone.RIGHT: Turn.RIGHT}


@dataclass(frozen=True)
class Event:
    """The head rested in the front or reached a side."""

    zone: Zone
    frames: tuple[int, ...]
    """Positions in the offsets."""


@dataclass(frozen=True)
class Track:
    """The course of the nose offset."""

    rest: float | None = field(repr=False)
    """Nose offset of the resting face; None if the person did not look at the camera first."""
    changes: tuple[float, ...] = field(repr=False)
    """Each frame's offset less the rest; positive to the subject's left."""
    events: tuple[Event, ...]

    @property
    def turns(self) -> tuple[Event, ...]:
        """Return the turns that were made."""
        return tuple(event for event in self.events if event.zone in TURN_OF)

    @property
    def front_frames(self) -> tuple[int, ...]:
        """Return the positions of all frames that show the face from the front."""
        return tuple(i for event in self.events if event.zone is Zone.FRONT for i in event.frames)


def trace(offsets: Sequence[float], turn_offset: float) -> Track:
    """Return the events in a course of nose offsets.

    Args:
        offsets: nose offset of each usable frame, in order.
        turn_offset: change from which the head counts as turned.
    """
    opening = offsets[:REST_FRAMES]
    if len(opening) < REST_FRAMES or not abs(median(opening)) <= MAX_REST_OFFSET:
        return Track(None, (), ())
    rest = median(opening)
    changes = tuple(offset - rest for offset in offsets)
    zones = [(_zone(change, turn_offset), i) for i, change in enumerate(changes)]
    marked = [(zone, i) for zone, i in zones if zone is not Zone.BETWEEN]
    runs = _runs(marked)
    firm = [run for run in runs if run.zone is Zone.FRONT or len(run.frames) >= MIN_TURNED_FRAMES]
    return Track(rest, changes, _runs([(run.zone, i) for run in firm for i in run.frames]))


def check_order(turns: Sequence[Turn], track: Track) -> tuple[Finding, ...]:
    """Return why the track did not follow `turns`; nothing if it did.

    The turns seen must be exactly those asked for, in their order, each from the front.
    """
    if track.rest is None:
        return (unclear("challenge-not-frontal"),)
    seen = [TURN_OF[event.zone] for event in track.turns]
    if seen != list(turns):
        missing = seen == list(turns[: len(seen)])
        return (adverse("challenge-step-missing" if missing else "challenge-wrong-order"),)
    zones = [event.zone for event in track.events]
    from_front = all(
        i > 0 and zones[i - 1] is Zone.FRONT for i, zone in enumerate(zones) if zone in TURN_OF
    )
    return () if from_front else (adverse("challenge-return-missing"),)


def check_motion(track: Track) -> Iterator[Finding]:
    """Yield a finding for each turn whose motion was not seen, as in a show of still pictures."""
    fronts = track.front_frames
    for event in track.turns:
        start = max(i for i in fronts if i < event.frames[0])
        way = track.changes[start : event.frames[0] + 1]
        reached = max(abs(track.changes[i]) for i in event.frames)
        if max(abs(later - earlier) for earlier, later in pairwise(way)) > MAX_STEP * reached:
            yield unclear("challenge-motion-unseen")


def _zone(change: float, turn_offset: float) -> Zone:
    if change > turn_offset:
        return Zone.LEFT
    if change < -turn_offset:
        return Zone.RIGHT
    return Zone.FRONT if abs(change) <= FRONT_OFFSET else Zone.BETWEEN


def _runs(marked: Sequence[tuple[Zone, int]]) -> tuple[Event, ...]:
    groups = groupby(marked, key=lambda mark: mark[0])
    return tuple(Event(zone, tuple(i for _, i in group)) for zone, group in groups)
