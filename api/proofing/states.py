"""The session's states: which may follow which, and how long each may last."""

from collections.abc import Mapping
from enum import StrEnum

from api.errors import ApiError


class State(StrEnum):
    """What a session has reached."""

    CREATED = "created"
    CONSENTED = "consented"
    CHIP = "chip"
    """The chip's evidence is accepted; a capture may begin."""
    CAPTURE = "capture"
    """The challenge is given out and frames are arriving."""
    DECIDING = "deciding"
    PASSED = "passed"
    REVIEW = "review"
    """INDETERMINATE: an officer has to look."""
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class StateConflictError(ApiError):
    """The session is not in a state that allows this step."""

    code = "state-conflict"


class SessionExpiredError(ApiError):
    """The time limit of the session's state is over."""

    code = "session-expired"


_ENDED = frozenset({State.EXPIRED, State.CANCELLED})

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.CREATED: frozenset({State.CONSENTED}) | _ENDED,
    State.CONSENTED: frozenset({State.CHIP, State.REVIEW, State.FAILED}) | _ENDED,
    State.CHIP: frozenset({State.CAPTURE}) | _ENDED,
    State.CAPTURE: frozenset({State.DECIDING}) | _ENDED,
    State.DECIDING: frozenset({State.PASSED, State.REVIEW, State.FAILED, State.CAPTURE, State.CHIP})
    | _ENDED,
    State.PASSED: frozenset(),
    State.REVIEW: frozenset({State.PASSED, State.FAILED}) | _ENDED,
    State.FAILED: frozenset(),
    State.EXPIRED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""A decision that a fault interrupted goes back to `capture`: what was acknowledged is kept. A
capture that a willing person may have got wrong goes back to `chip`, once, for a new challenge."""

STATE_BY_OUTCOME: Mapping[str, State] = {
    "PASSED": State.PASSED,
    "INDETERMINATE": State.REVIEW,
    "FAILED": State.FAILED,
}
"""Where a session ends with an outcome."""

ASSERTION_KEPT_S = 86_400
"""Seconds after its opening that a passed session keeps its assertion, which names the person, and
a decided one its record and the answer of an authority that was asked."""

TIME_LIMIT_S: Mapping[State, int] = {
    State.CREATED: 1800,
    State.CONSENTED: 900,
    State.CHIP: 180,
    State.CAPTURE: 90,
    State.DECIDING: 120,
    State.REVIEW: 86_400,
}
"""Seconds that a session may stay in a state; the ended states have no limit."""


HOLDS_EVIDENCE = frozenset(
    {State.CREATED, State.CONSENTED, State.CHIP, State.CAPTURE, State.DECIDING}
)
"""States in which there is evidence, or what it will be checked with (whom the relying party
expects, the secret of Chip Authentication); entering any other forgets it, `review` and `failed`
too."""

KEEPS_ANSWER = frozenset({State.PASSED, State.REVIEW, State.FAILED})
"""States that keep an authority's signed answer all the same: it proves why the session ended so,
and names the card by a digest alone."""


def check_transition(now: State, then: State) -> None:
    """Allow a step of the table.

    Raises:
        StateConflictError: the table does not have it.
    """
    if then not in TRANSITIONS[now]:
        raise StateConflictError(f"a session that is {now} cannot become {then}")


def require_state(now: str, *states: State) -> None:
    """Allow a step in some states only.

    Raises:
        SessionExpiredError: the session ran out of time.
        StateConflictError: it is in none of these states.
    """
    if now == State.EXPIRED:
        raise SessionExpiredError("the session has run out of time; open a new one")
    if now not in states:
        raise StateConflictError(f"the session is {now}; this step needs {states[0]}")
