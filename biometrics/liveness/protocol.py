"""Was each step of the challenge done: in its window, to its side, as far as asked, and back?

Movements are given to the steps by the time of their beginning; what belongs to no step is extra.
Spontaneous blinks are natural and count nowhere but in a blink step, where one of them is let
pass. A step that was seen to be done otherwise speaks against the capture; one that could not be
seen leaves the question open. A signal without findings has every step done.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import mean, median
from typing import Final

from biometrics.challenge import Action, Challenge, Extent, Side, Step
from biometrics.liveness.capture import MAX_FRAMES, Observation
from biometrics.liveness.courses import Courses, Limits, NotFrontalError, shipped_limits, trace
from biometrics.liveness.findings import Finding, adverse, unclear
from biometrics.liveness.motion import MAX_JUMP, Blink, Moment, Movement, measure
from biometrics.liveness.performance import Performance, StepPerformance, StepResult
from biometrics.liveness.signal import Signal
from biometrics.types import Method

METHOD: Final = Method("challenge-protocol", "2")

MIN_REACTION_MS: Final = 150
"""Nobody reads a prompt and reacts faster; who seems to has begun before it. So what belongs to a
step may go on for as long after its window. Source: choice reactions take 300 ms and more, World
Athletics' Technical Rule 16.6 takes 100 ms for the least of the simplest one."""
MAX_GAP_MS: Final = 400
"""A movement that takes this long could hide where no face is seen."""
MAX_BLINK_INTERVAL_MS: Final = 100
"""A blink on request closes the eyes for about 150 ms, and opens them for as long before the next;
frames further apart can miss either."""
MAX_BLINK_PAUSE_MS: Final = 400
"""Blinks that follow so soon upon one of a window belong to it, after its end too: whoever blinks
three times where once is asked is not to pass by being slow. Eyes do not hinder the next step."""
FULL_LEAST: Final = 0.85
HALF_MOST: Final = 1.15
"""In full turns, what is too little for a full one and too much for half a one. Nobody sees how far
they turn: between the two a turn counts as either; natural full turns go further, to 0.3 and more.
Of 260 rendered people who turned by 50 to 58 degrees, five stayed below 1, one of them (whose mesh
hardly turned) below 0.85."""
HALF_LEAST: Final = 0.75
"""In half turns, what is too little for one. Between this and 1 a turn is one where it was asked
for, and sway where it was not. Of 260 rendered people who turned by 20 to 24 degrees, three."""
FURTHEST_FRAMES: Final = 8
FURTHEST_PART: Final = 0.7
REST_FRAMES: Final = 40


def judge_challenge(
    challenge: Challenge, observations: Sequence[Observation], limits: Limits | None = None
) -> tuple[Signal, Performance]:
    """Judge whether a capture shows the steps of a challenge.

    The score is the mean over the steps of how well in its window each was begun: 1 in the middle,
    0 at an end and for whatever was not done.

    Args:
        challenge: what was asked.
        observations: the capture, in the order of its frames.
        limits: how far is far enough; by default those of the shipped manifest.

    Returns:
        The signal, and what was done step by step, for those who look at single frames.
    """
    if len(observations) > MAX_FRAMES:
        return _unjudged(challenge, "challenge-too-many-frames")
    return judge_moments(challenge, measure(observations), limits)


def judge_moments(
    challenge: Challenge, moments: Sequence[Moment], limits: Limits | None = None
) -> tuple[Signal, Performance]:
    """Judge what the frames showed: see `judge_challenge`."""
    limits = limits or shipped_limits()
    if not moments:
        return _unjudged(challenge, "challenge-too-few-frames")
    times = [moment.t_ms for moment in moments]
    if not all(map(math.isfinite, times)) or any(b <= a for a, b in pairwise(times)):
        return _unjudged(challenge, "challenge-time-not-monotonic")
    try:
        courses = trace(challenge, moments, limits)
    except NotFrontalError as error:
        return _unjudged(challenge, error.reason)
    return _Judgement(challenge, moments, courses, limits).conclude()


class _Judgement:
    """One capture against one challenge."""

    def __init__(
        self, challenge: Challenge, moments: Sequence[Moment], courses: Courses, limits: Limits
    ) -> None:
        self._challenge = challenge
        self._moments = moments
        self._courses = courses
        self._limits = limits
        self._findings: list[Finding] = []

    def conclude(self) -> tuple[Signal, Performance]:
        owned, extra = self._deal_out()
        steps = []
        for step, movements in zip(self._challenge.steps, owned, strict=True):
            performance, others = (
                self._judge_blinks(step, movements)
                if step.action is Action.BLINK
                else self._judge_movement(step, movements)
            )
            extra += others
            performance = self._check_sight(performance)
            steps.append(performance)
            if performance.result not in (StepResult.OK, StepResult.NOT_JUDGED):
                self._findings.append(adverse(f"challenge-step-{performance.result}"))
        if extra:
            self._findings.append(adverse("challenge-step-extra"))
        rest = self._courses.resting()[:REST_FRAMES]
        if not rest:
            self._findings.append(unclear("challenge-not-frontal"))
        score = mean(_margin(performance) for performance in steps)
        signal = Signal(METHOD, tuple(self._findings), True, score, self._measurements(steps))
        return signal, Performance(self._positions(rest), tuple(steps))

    def _deal_out(self) -> tuple[list[list[Movement]], list[Movement]]:
        """Return the movements of each step, and those after the last."""
        ends = [step.until_ms + MIN_REACTION_MS for step in self._challenge.steps]
        owned: list[list[Movement]] = [[] for _ in ends]
        after: list[Movement] = []
        for movement in (*self._courses.turns, *self._courses.approaches):
            owner = next((i for i, end in enumerate(ends) if movement.begun_ms <= end), None)
            if owner is not None:
                owned[owner].append(movement)
            elif movement.begun_ms <= self._challenge.duration_ms:
                after.append(movement)
        return owned, [movement for movement in after if self._counts(movement)]

    def _judge_movement(
        self, step: Step, movements: Sequence[Movement]
    ) -> tuple[StepPerformance, list[Movement]]:
        """Return how a turn, or a change of distance, was done, and what was done besides."""
        matching = [m for m in movements if self._is_of(m, step.action) and m.sign == _sign(step)]
        if not matching:
            others = [movement for movement in movements if self._counts(movement)]
            result = StepResult.WRONG if others else StepResult.MISSING
            return StepPerformance(step, result), others[1:]
        done = max(matching, key=lambda movement: movement.extent)
        others = [m for m in movements if m is not done and self._counts(m)]
        performance = StepPerformance(
            step=step,
            result=self._result(step, done),
            begun_ms=done.begun_ms,
            reached_ms=done.reached_ms,
            returned_ms=done.returned_ms,
            extent=done.extent if step.action is Action.TURN else math.exp(done.sign * done.extent),
            furthest=self._positions(self._furthest(done)),
        )
        hidden = done.jump > MAX_JUMP and step.extent is not Extent.HALF
        if performance.result is StepResult.OK and hidden:
            self._findings.append(unclear("challenge-motion-unseen"))
            performance = replace(performance, result=StepResult.NOT_JUDGED)
        return performance, others

    def _result(self, step: Step, done: Movement) -> StepResult:
        least, most = self._range(step)
        if done.begun_ms < step.at_ms + MIN_REACTION_MS:
            return StepResult.EARLY
        if done.begun_ms > step.begin_by_ms:
            return StepResult.LATE
        if not done.extent >= least:
            return StepResult.TOO_SMALL
        if not done.extent < most:
            return StepResult.TOO_LARGE
        if done.returned_ms is None or done.returned_ms > step.until_ms + MIN_REACTION_MS:
            return StepResult.NOT_RETURNED
        return StepResult.OK

    def _range(self, step: Step) -> tuple[float, float]:
        """Return the least extent of a step, and the one that is too much."""
        if step.extent is Extent.HALF:
            return HALF_LEAST * self._limits.half_turn, HALF_MOST * self._limits.turn
        if step.extent is Extent.FULL:
            return FULL_LEAST * self._limits.turn, math.inf
        return math.log(self._limits.approach), math.inf

    def _judge_blinks(
        self, step: Step, movements: Sequence[Movement]
    ) -> tuple[StepPerformance, list[Movement]]:
        """Return how often the person blinked, and what else they did."""
        seen = self._blinks_of(step)
        asked = step.count or 0
        if not seen:
            result = StepResult.MISSING
        elif seen[0].begun_ms > step.begin_by_ms:
            result = StepResult.LATE
        elif len(seen) < asked:
            result = StepResult.TOO_SMALL
        elif len(seen) > asked + 1:
            result = StepResult.TOO_LARGE
        else:
            result = StepResult.OK
        performance = StepPerformance(
            step=step,
            result=result,
            begun_ms=seen[0].begun_ms if seen else None,
            reached_ms=float(self._courses.t_ms[seen[0].frames[0]]) if seen else None,
            returned_ms=seen[-1].ended_ms if seen else None,
            extent=float(len(seen)),
            furthest=self._positions(blink.frames[0] for blink in seen),
        )
        return performance, [movement for movement in movements if self._counts(movement)]

    def _blinks_of(self, step: Step) -> list[Blink]:
        """Return the blinks in a step's window, and those that follow upon them at once."""
        ends = [
            other.at_ms + MIN_REACTION_MS
            for other in self._challenge.steps
            if other.action is Action.BLINK and other.at_ms >= step.until_ms
        ]
        end = min(ends, default=math.inf)
        seen = list[Blink]()
        for blink in self._courses.blinks:
            inside = step.at_ms <= blink.begun_ms - MIN_REACTION_MS <= step.until_ms
            follows = bool(seen) and blink.begun_ms - seen[-1].ended_ms <= MAX_BLINK_PAUSE_MS
            if blink.begun_ms < end and (inside or follows):
                seen.append(blink)
        return seen

    def _check_sight(self, performance: StepPerformance) -> StepPerformance:
        """Return the performance, not judged where too little of its window was seen."""
        step = performance.step
        blink = step.action is Action.BLINK
        seen = [m.t_ms for m in self._moments if m.pose and step.at_ms < m.t_ms < step.until_ms]
        edges = [float(step.at_ms), *seen, float(step.until_ms)]
        longest = max(b - a for a, b in pairwise(edges))
        too_slow = (
            blink
            and performance.result in (StepResult.MISSING, StepResult.TOO_SMALL)
            and longest > MAX_BLINK_INTERVAL_MS
        )
        if longest <= MAX_GAP_MS and not too_slow:
            return performance
        lost = any(m.pose is None and step.at_ms <= m.t_ms <= step.until_ms for m in self._moments)
        reason = "challenge-face-lost" if lost else "challenge-too-few-frames"
        self._findings.append(unclear(reason))
        return replace(performance, result=StepResult.NOT_JUDGED)

    def _is_of(self, movement: Movement, action: Action) -> bool:
        turns = any(movement is turn for turn in self._courses.turns)
        return turns == (action is Action.TURN)

    def _counts(self, movement: Movement) -> bool:
        """Return whether a movement that nobody asked for is more than sway."""
        if self._is_of(movement, Action.TURN):
            return movement.extent >= self._limits.half_turn
        return movement.extent >= self._limits.sway

    def _furthest(self, movement: Movement) -> Iterator[int]:
        course = self._courses.turn
        if not self._is_of(movement, Action.TURN):
            course = self._courses.size
        for i in movement.frames[:FURTHEST_FRAMES]:
            if course[i] * movement.sign >= FURTHEST_PART * movement.extent:
                yield i

    def _positions(self, places: Iterator[int] | Sequence[int]) -> tuple[int, ...]:
        return tuple(self._courses.positions[i] for i in places)

    def _measurements(self, steps: Sequence[StepPerformance]) -> dict[str, float]:
        """Return reaction times, and how well the capture could be seen."""
        reactions = [s.begun_ms - s.step.at_ms for s in steps if s.begun_ms is not None]
        intervals = [b.t_ms - a.t_ms for a, b in pairwise(self._moments)]
        measured = {
            "steps_done": float(sum(s.result is StepResult.OK for s in steps)),
            "blinks": float(len(self._courses.blinks)),
        }
        if intervals:
            measured["frame_interval_ms"] = median(intervals)
        if reactions:
            measured["reaction_ms"] = median(reactions)
            measured["reaction_range_ms"] = max(reactions) - min(reactions)
        return measured


def _sign(step: Step) -> int:
    return 1 if step.side is Side.LEFT or step.action is Action.NEARER else -1


def _margin(performance: StepPerformance) -> float:
    """Return how far from both ends of its window a step was begun, 0-1."""
    if performance.result is not StepResult.OK or performance.begun_ms is None:
        return 0.0
    first, last = performance.step.at_ms + MIN_REACTION_MS, performance.step.begin_by_ms
    nearest = min(performance.begun_ms - first, last - performance.begun_ms)
    return max(0.0, 2 * nearest / (last - first))


def _unjudged(challenge: Challenge, reason: str) -> tuple[Signal, Performance]:
    """Return the signal of a capture that cannot be judged at all."""
    steps = tuple(StepPerformance(step, StepResult.NOT_JUDGED) for step in challenge.steps)
    return Signal(METHOD, (unclear(reason),), False, None), Performance((), steps)
