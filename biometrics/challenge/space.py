"""The space of challenges: which there are, how many, and one drawn from them.

A challenge is a sequence of moves, each after a pause. Two challenges count as two only where the
judge tells the performance of one from that of the other:

- by order, action, side or extent: another movement in a window fails it;
- by blinks: once or three times, since the judge lets one spontaneous blink pass;
- by timing: a pause is a multiple of `PAUSE_MS`. Whoever begins 500 ms after the prompt, in the
  middle of the time in which a step may begin (150 to 850 ms), begins outside it when the prompt is
  moved by one pause, earlier or later.

Light, nonce and whatever lies between the multiples are not counted.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from biometrics.challenge.steps import Action, Extent, Side

REST_MS: Final = 300
"""Before the first pause; with the person's reaction half a second of rest is seen."""
TAIL_MS: Final = 200
"""After the last step, so that its end is seen."""
DURATION_MS: Final = 8_000
"""Of the longest challenge at normal pace. Source: issue 6, a willing person takes 8 s at most."""
PAUSE_MS: Final = 400
MAX_MOVES: Final = 5
"""More than that is a burden to people."""


class Move(NamedTuple):
    """One movement, without its time."""

    action: Action
    side: Side | None = None
    extent: Extent | None = None
    blinks: int | None = None

    @property
    def budget_ms(self) -> int:
        """Return the time from the prompt to the rest after it, at normal pace."""
        return BUDGET_MS[self.action, self.extent, self.blinks]


BUDGET_MS: Final = {
    (Action.TURN, Extent.FULL, None): 1600,
    (Action.TURN, Extent.HALF, None): 1300,
    (Action.NEARER, None, None): 1600,
    (Action.FARTHER, None, None): 1600,
    (Action.BLINK, None, 1): 900,
    (Action.BLINK, None, 3): 1500,
}
"""Reaction, way out and most of the way back: the judge takes a movement as over when less than
half of it is left, and nobody follows the next prompt within 100 ms."""
MOVES: Final = (
    *(Move(Action.TURN, side, extent) for side in Side for extent in Extent),
    Move(Action.NEARER),
    Move(Action.FARTHER),
    *(Move(Action.BLINK, blinks=blinks) for blinks in (1, 3)),
)


@dataclass(frozen=True)
class _Beginning:
    """What matters of the moves so far for those that may follow."""

    left_ms: int = DURATION_MS - REST_MS - TAIL_MS
    moves: int = 0
    last: Move | None = None
    turned_fully: bool = False
    """A FULL turn shows a head's depth."""
    changed_distance: bool = False
    """So does perspective, in another way."""
    blinked: bool = False
    """A rigid mask cannot."""

    @property
    def complete(self) -> bool:
        return self.turned_fully and self.changed_distance and self.blinked

    def continuations(self) -> Iterator[tuple[int, Move, "_Beginning"]]:
        """Yield each pause and move that may follow.

        No move follows itself and no blinks follow blinks, for a prompt that stays the same is
        no prompt.
        """
        if self.moves == MAX_MOVES:
            return
        for move in MOVES:
            if self.last and (move == self.last or move.action is self.last.action is Action.BLINK):
                continue
            for pause_ms in range(0, self.left_ms - move.budget_ms + 1, PAUSE_MS):
                yield (
                    pause_ms,
                    move,
                    _Beginning(
                        self.left_ms - pause_ms - move.budget_ms,
                        self.moves + 1,
                        move,
                        self.turned_fully or move.extent is Extent.FULL,
                        self.changed_distance or move.action in (Action.NEARER, Action.FARTHER),
                        self.blinked or move.action is Action.BLINK,
                    ),
                )


@cache
def _count(beginning: _Beginning) -> int:
    """Return how many challenges begin like this."""
    return beginning.complete + sum(_count(after) for _, _, after in beginning.continuations())


def count_distinguishable() -> int:
    """Return how many challenges the judge can tell apart, without light."""
    return _count(_Beginning())


def draw(rng: random.Random) -> list[tuple[int, Move]]:
    """Return the pauses (ms) and moves of one challenge; each is as likely as any other."""
    beginning, drawn = _Beginning(), list[tuple[int, Move]]()
    while True:
        ticket = rng.randrange(_count(beginning)) - beginning.complete
        if ticket < 0:
            return drawn
        for pause_ms, move, after in beginning.continuations():
            ticket -= _count(after)
            if ticket < 0:
                drawn.append((pause_ms, move))
                beginning = after
                break
