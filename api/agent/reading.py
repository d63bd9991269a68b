"""Read a card for a session: ask what is wanted, read, hand the evidence in."""

from dataclasses import dataclass
from importlib import metadata
from typing import Any

from api.agent.client import ServerAnswerUnusableError, SessionClient
from api.errors import ApiError
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds.mrz import Password
from devices.emrtd.terminal.interruption import PartialReading
from devices.emrtd.terminal.lengths import LengthMemory
from devices.emrtd.terminal.reader import ProgressListener, read_chip
from devices.transport import CardTransport


class SessionNotReadyError(ApiError):
    """The session does not wait for a chip."""

    code = "session-not-ready"


@dataclass(frozen=True)
class SessionReading:
    """What was read, and what the server says to it."""

    evidence: ChipEvidence
    session: dict[str, Any]
    """The session after the evidence: its state, outcome and, if it passed, the challenge."""


def read_for_session(
    session: SessionClient,
    transport: CardTransport,
    password: Password,
    progress: ProgressListener | None = None,
    *,
    resume: PartialReading | None = None,
    lengths: LengthMemory | None = None,
) -> SessionReading:
    """Read the data groups that the session's procedure wants, over the server's challenges.

    Args:
        session: whose chip this is.
        transport: the card.
        password: what opens it.
        progress: called as the reading goes on.
        resume: what an interrupted reading of the same card left.
        lengths: what is known about cards and readers.

    Raises:
        SessionNotReadyError: the citizen has not consented yet, or the session is past this step;
            the card is not touched.
        DeviceError: the card cannot be read; the session still waits for it.
        ServerUnreachableError, ServerRefusedError: the server did not take the evidence.
        ServerAnswerUnusableError: what the server wants is not understood; the card is not touched.
    """
    wanted = session.read()
    try:
        state, data_groups = str(wanted["state"]), tuple(map(int, wanted["data_groups"]))
        challenge = bytes.fromhex(wanted["chip_challenge"])
    except (KeyError, TypeError, ValueError):
        raise ServerAnswerUnusableError("the server does not say what it wants read") from None
    if state != "consented":
        raise SessionNotReadyError(
            f"the session is {state}: a card is read once the citizen has consented"
        )
    evidence = read_chip(
        transport,
        password,
        data_groups=data_groups,
        challenge=challenge,
        clone_challenge=session.challenge_chip,
        agent=f"chinhchu {metadata.version('chinhchu')}",
        progress=progress,
        resume=resume,
        lengths=lengths,
    )
    return SessionReading(evidence, session.put_chip(evidence.to_bytes()))
