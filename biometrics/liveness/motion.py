"""How head and eyes move through a capture: courses over time, and the movements in them.

Everything is relative to the person: to the offset, size and eye openness of their own rest. Pure
functions of what the frames showed; which movement was asked for is `protocol`'s business.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from biometrics.landmarks import LEFT_EYE, RIGHT_EYE, Mesh
from biometrics.liveness.capture import Observation

Course: TypeAlias = NDArray[np.float64]
"""One value a frame."""

FOREHEAD: Final = 10
NOSE_BASE: Final = 2
CHIN: Final = 152

SPIKE: Final = 0.12
"""A single frame that lies so far from both its neighbours, while they agree, is an error of the
mesh. In the unit of the course; heads reach it within 100 ms but do not come back in as many."""
ONSET: Final = 0.2
SWING: Final = 0.6
"""A movement began as long before the first of these parts of its extent as it took from there to
the second: noise at the rest does not shift it. That is 0.1 of the time of the way out late for the
bell-shaped speed of natural movements (Flash and Hogan 1985), 0.2 early for an even speed."""
REACHED: Final = 0.9
RETURNED: Final = 0.4
"""With this part of the extent left, a movement is over: what remains of a natural return takes a
fifth of its time, and people do not come back to the very place."""
SLIP_MS: Final = 250
"""Who has come back most of the way does not go out again so soon: the mesh slipped, as it did in 2
of 260 rendered people who turned far."""
MAX_JUMP: Final = 0.9
"""The most of a movement that may lie between two frames. Turning within 250 ms, 8 frames a second
and a bell-shaped speed give 0.87. A HALF turn takes less, and cannot be judged so."""
BOTH_EYES: Final = 0.85
"""In a blink each eye is closed to this part of its opening at least."""
REOPENED: Final = 0.78
"""From here on, or half-way back up, the eyes are open again."""
MIN_BLINK_MS: Final = 50
MAX_BLINK_MS: Final = 700
"""A blink takes 100 to 400 ms, one on request up to 600; longer, the eyes are shut."""


@dataclass(frozen=True)
class Pose:
    """What one frame shows of head and eyes."""

    nose_offset: float = field(repr=False)
    """In eye distances, positive to the subject's left."""
    size_px: float = field(repr=False)
    eyes: tuple[float, float] = field(repr=False)
    """Openness of the right and the left: height by width."""


@dataclass(frozen=True)
class Moment:
    """One frame of the capture."""

    position: int
    """In the observations."""
    t_ms: float
    """From the first frame."""
    pose: Pose | None
    """None where no face could be measured."""


@dataclass(frozen=True)
class Movement:
    """A way out from the rest, and back."""

    sign: int
    """+1: to the subject's left, or nearer; -1: to the right, or farther."""
    extent: float = field(repr=False)
    """Of the second furthest frame: a single one may be an error."""
    begun_ms: float
    reached_ms: float
    returned_ms: float | None
    """None if it was not seen to return."""
    jump: float
    """Largest part of the extent between two frames, on either way."""
    frames: tuple[int, ...]
    """Places in the course, furthest first."""


@dataclass(frozen=True)
class Blink:
    """Both eyes closed and opened."""

    begun_ms: float
    ended_ms: float
    frames: tuple[int, ...]
    """Places in the course, most closed first."""


def measure(observations: Sequence[Observation]) -> list[Moment]:
    """Return what each observation shows of head and eyes."""
    start = observations[0].t_ms if observations else 0.0
    return [Moment(i, o.t_ms - start, _pose(o)) for i, o in enumerate(observations)]


def face_size(mesh: Mesh) -> float:
    """Return the face's height in pixels, by its extent in space.

    The mean of forehead to nose and forehead to chin: 0.96 to 1.06 of itself while the sample
    pictures are turned by up to 50 degrees, where distances in the picture's plane change more.
    """
    forehead = mesh.points[FOREHEAD]
    heights = (np.linalg.norm(mesh.points[i] - forehead) for i in (NOSE_BASE, CHIN))
    return math.sqrt(math.prod(map(float, heights)))


def eye_openness(mesh: Mesh) -> tuple[float, float]:
    """Return height by width of the right and the left eye, in space: a turn changes it little.

    Source: Soukupova and Cech 2016, eye aspect ratio; the mean of five heights.
    """
    return _aspect_ratio(mesh, RIGHT_EYE), _aspect_ratio(mesh, LEFT_EYE)


def without_spikes(course: Course) -> Course:
    """Return the course with single frames that nothing leads to replaced by their neighbours."""
    if len(course) < 3:
        return course
    before, here, after = course[:-2], course[1:-1], course[2:]
    nearest = np.minimum(abs(here - before), abs(here - after))
    spiky = (nearest > SPIKE) & (abs(after - before) < SPIKE)
    return np.concatenate([course[:1], np.where(spiky, (before + after) / 2, here), course[-1:]])


def find_movements(t_ms: Course, course: Course, least: float) -> list[Movement]:
    """Return the movements away from 0 and back, in the order of their beginning.

    Args:
        t_ms: time of each frame, rising.
        course: what changes, 0 at rest.
        least: what goes less far is sway.
    """
    found = [
        _movement(t_ms, course * sign, sign, stretch)
        for sign in (1, -1)
        for stretch in _without_slips(t_ms, _excursions(course * sign, 0.7 * least))
    ]
    return sorted(
        (movement for movement in found if movement and movement.extent >= 0.7 * least),
        key=lambda movement: movement.begun_ms,
    )


def find_blinks(
    t_ms: Course, eyes: NDArray[np.float64], usable: NDArray[np.bool_], closed: float
) -> list[Blink]:
    """Return the blinks. The last may still be closed at the capture's end.

    Args:
        t_ms: time of each frame, rising.
        eyes: N x 2, openness as a part of the person's own.
        usable: which frames show both eyes from the front.
        closed: below this part the eyes are closed.
    """
    openness = eyes.mean(axis=1)
    shut = (openness < closed) & (eyes.max(axis=1) < BOTH_EYES) & usable
    blinks, i, last = list[Blink](), 1, len(t_ms) - 1
    while i <= last:
        if not shut[i] or not usable[i - 1] or openness[i - 1] < closed:
            i += 1
            continue
        end, lowest = i, 1.0
        while end <= last and usable[end]:
            lowest = min(lowest, float(openness[end]))
            if openness[end] >= max(closed, min(REOPENED, (1 + lowest) / 2)):
                break
            end += 1
        reopened = min(end, last)
        lasted_ms = (t_ms[reopened] + t_ms[end - 1] - t_ms[i] - t_ms[i - 1]) / 2
        if usable[reopened] and MIN_BLINK_MS <= lasted_ms <= MAX_BLINK_MS:
            deepest = sorted(range(i, end), key=lambda k: float(openness[k]))
            blinks.append(
                Blink(float(t_ms[i - 1] + t_ms[i]) / 2, float(t_ms[reopened]), tuple(deepest))
            )
        i = end
    return blinks


def _pose(observation: Observation) -> Pose | None:
    sighting = observation.sighting
    if sighting is None:
        return None
    pose = Pose(sighting.nose_offset, face_size(sighting.mesh), eye_openness(sighting.mesh))
    measured = (pose.nose_offset, pose.size_px, *pose.eyes)
    return pose if all(map(math.isfinite, measured)) and pose.size_px > 0 else None


def _aspect_ratio(mesh: Mesh, rim: Sequence[int]) -> float:
    points = mesh.points[list(rim)]
    width = float(np.linalg.norm(points[0] - points[8]))
    heights = np.linalg.norm(points[2:7] - points[14:9:-1], axis=1)
    return float(heights.mean()) / width if width else math.nan


def _excursions(course: Course, leave: float) -> list[tuple[int, int, int]]:
    """Return each stretch beyond `leave`: the place of rest before it, its first and last frame.

    A stretch ends when the course has come back to `RETURNED` of its peak; the next begins only
    when it has gone out again by `leave` from the nearest place since.
    """
    found, rest, first, peak = list[tuple[int, int, int]](), 0, -1, 0.0
    for i, value in enumerate(map(float, course)):
        if first >= 0:
            peak = max(peak, value)
            if value < RETURNED * peak:
                found.append((rest, first, i - 1))
                rest, first = i, -1
        elif value >= leave and value - max(float(course[rest]), 0.0) >= leave:
            first, peak = i, value
        elif value <= max(float(course[rest]), 0.0):
            rest = i
    if first >= 0:
        found.append((rest, first, len(course) - 1))
    return found


def _without_slips(
    t_ms: Course, stretches: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    """Return the stretches, with those in one that only a slip of the mesh parts."""
    whole = list[tuple[int, int, int]]()
    for rest, first, last in stretches:
        if whole and t_ms[first] - t_ms[whole[-1][2]] < SLIP_MS:
            rest, first, _ = whole.pop()
        whole.append((rest, first, last))
    return whole


def _movement(
    t_ms: Course, course: Course, sign: int, stretch: tuple[int, int, int]
) -> Movement | None:
    """Return the movement of one stretch; None if it is a single frame."""
    rest, first, last = stretch
    frames = sorted(range(first, last + 1), key=lambda i: -float(course[i]))
    if len(frames) < 2:
        return None
    extent = float(course[frames[1]])
    start = min(i for i in frames if course[i] >= REACHED * extent)
    onset_ms, swung_ms = (
        _left_ms(t_ms, course, range(start, rest, -1), part * extent) for part in (ONSET, SWING)
    )
    home = last + 1 < len(course)
    level = RETURNED * float(course[frames[0]])
    way = course[rest : last + 1 + home]
    return Movement(
        sign=sign,
        extent=extent,
        begun_ms=onset_ms - (swung_ms - onset_ms),
        reached_ms=float(t_ms[start]),
        returned_ms=_left_ms(t_ms, course, range(last, last + 1), level) if home else None,
        jump=float(abs(np.diff(way)).max()) / extent,
        frames=tuple(frames),
    )


def _left_ms(t_ms: Course, course: Course, way: range, level: float) -> float:
    """Return when the course, followed along `way`, first falls below a level; else its end."""
    for i in way:
        low, high = float(course[i + way.step]), float(course[i])
        if low < level <= high:
            part = (high - level) / (high - low)
            return float(t_ms[i] + part * (t_ms[i + way.step] - t_ms[i]))
    return float(t_ms[way.stop])
