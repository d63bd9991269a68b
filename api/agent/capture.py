"""Hand in the frames of a capture and ask for the decision."""

from collections.abc import Iterable
from typing import Any

from api.agent.client import SessionClient


def hand_in_frames(session: SessionClient, frames: Iterable[tuple[int, bytes]]) -> dict[str, Any]:
    """Send frames, each with its time in milliseconds, and return the session as decided.

    Raises:
        ServerUnreachableError, ServerRefusedError: the server did not take one of them; what it
            took it keeps, and all may be sent again.
    """
    for number, (t_ms, picture) in enumerate(frames):
        session.put_frame(number, t_ms, picture)
    return session.decide()
