"""Evidence in the database: it goes with the state that held it, late pieces stay out."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from api.proofing.repository import (
    FRAME,
    SIGNATURE,
    EvidenceTooLargeError,
    Piece,
    Repository,
    utc_now,
)
from api.proofing.states import (
    HOLDS_EVIDENCE,
    TRANSITIONS,
    SessionExpiredError,
    State,
    StateConflictError,
)
from api.store import database
from api.store.tables import SessionRow

MARK = b"a face nobody may find again "
ENDS = sorted((now, then) for now in HOLDS_EVIDENCE for then in TRANSITIONS[now])
KEEPS_FRAMES = HOLDS_EVIDENCE - {State.CHIP}
"""A session that comes back for another capture keeps its chip and no frame."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.sqlite"


@pytest.fixture
def repository(path: Path) -> Any:
    repository = Repository(database.open_database(path))
    yield repository
    repository.close()


def _session(repository: Repository, state: State, id_: str = "a" * 32) -> str:
    row = SessionRow(
        id=id_,
        token_sha256="0" * 64,
        state=state,
        created_at=utc_now(),
        request={},
        chip_challenge=bytes(8),
        reasons=[],
    )
    repository.add(row)
    return row.id


def _piece(data: bytes = MARK * 200, number: int = 0) -> Piece:
    return Piece(FRAME, number, 0, data, utc_now())


def _stored(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def _overdue(repository: Repository) -> None:
    with Session(repository._engine) as db, db.begin():
        db.execute(update(SessionRow).values(deadline=utc_now() - timedelta(seconds=1)))


@pytest.mark.parametrize(("now", "then"), ENDS)
def test_evidence_goes_in_the_transaction_that_leaves_it(
    repository: Repository, path: Path, monkeypatch: Any, now: State, then: State
) -> None:
    session = _session(repository, now)
    repository.put_pieces(session, now, _piece(), limit=1 << 20)
    assert MARK in _stored(path)
    # A crash right after the commit: nothing runs that could still delete.
    monkeypatch.setattr("api.proofing.repository.forget_deleted", lambda _: None)
    repository.move(session, now, then)
    assert len(repository.pieces(session, FRAME)) == (then in KEEPS_FRAMES)
    monkeypatch.undo()
    repository.expire_overdue()
    assert (MARK in _stored(path)) == (then in KEEPS_FRAMES)


def test_another_capture_keeps_the_chip_and_nothing_of_the_one_before(
    repository: Repository, path: Path
) -> None:
    session = _session(repository, State.CAPTURE)
    pieces = [replace(_piece(), kind=kind) for kind in (FRAME, SIGNATURE)]
    chip = replace(_piece(b"a chip"), kind="chip")
    repository.put_pieces(session, State.CAPTURE, chip, *pieces, limit=1 << 20)
    repository.move(session, State.CAPTURE, State.DECIDING)
    repository.move(session, State.DECIDING, State.CHIP, record={"captures": []})
    held = [len(repository.pieces(session, kind)) for kind in ("chip", FRAME, SIGNATURE)]
    assert held == [1, 0, 0]
    assert MARK not in _stored(path)


def test_what_was_meant_for_the_capture_before_stays_out(repository: Repository) -> None:
    session = _session(repository, State.CHIP)
    for attempt in (0, 1):
        begun = {"attempt": attempt + 1}
        repository.move(
            *(session, State.CHIP, State.CAPTURE), attempt=attempt, capture_challenge=begun
        )
        repository.move(session, State.CAPTURE, State.DECIDING, attempt=attempt + 1)
        repository.move(session, State.DECIDING, State.CHIP)
    # A request that read the session before the first capture began.
    with pytest.raises(StateConflictError):
        repository.move(session, State.CHIP, State.CAPTURE, attempt=0)
    repository.move(session, State.CHIP, State.CAPTURE, attempt=2)
    with pytest.raises(StateConflictError):
        repository.put_pieces(session, State.CAPTURE, _piece(), limit=1 << 20, attempt=1)
    assert repository.pieces(session, FRAME) == []


def test_expired_evidence_is_in_no_file(repository: Repository, path: Path) -> None:
    session = _session(repository, State.CAPTURE)
    repository.put_pieces(session, State.CAPTURE, _piece(), limit=1 << 20)
    _overdue(repository)
    assert repository.expire_overdue() == 1
    assert MARK not in _stored(path)
    assert repository.get(session).state == State.EXPIRED


def test_state_that_ran_out_meanwhile_takes_nothing(repository: Repository) -> None:
    session = _session(repository, State.CAPTURE)
    _overdue(repository)
    with pytest.raises(SessionExpiredError):
        repository.put_pieces(session, State.CAPTURE, _piece(), limit=1 << 20)
    with pytest.raises(SessionExpiredError):
        repository.move(session, State.CAPTURE, State.DECIDING)


def test_limit_counts_what_is_kept_and_nothing_twice(repository: Repository) -> None:
    session = _session(repository, State.CAPTURE)
    repository.put_pieces(session, State.CAPTURE, _piece(bytes(600)), limit=1000)
    repository.put_pieces(session, State.CAPTURE, _piece(bytes(600)), limit=1000)
    with pytest.raises(EvidenceTooLargeError):
        repository.put_pieces(session, State.CAPTURE, _piece(bytes(600), 1), limit=1000)
    assert len(repository.pieces(session, FRAME)) == 1


def test_decision_that_was_overtaken_stores_nothing(repository: Repository) -> None:
    session = _session(repository, State.DECIDING)
    repository.move(session, State.DECIDING, State.CANCELLED)
    with pytest.raises(StateConflictError):
        repository.move(session, State.DECIDING, State.PASSED, assertion="signed")
    assert repository.get(session).assertion is None


def test_card_counts_where_it_was_or_may_be_tried(repository: Repository) -> None:
    card = "c" * 64
    sessions = [_session(repository, State.CONSENTED, str(n) * 32) for n in range(5)]

    def use(number: int) -> bool:
        return repository.use_card(sessions[number], card, 2, 86_400)

    assert use(0)
    assert use(0)
    assert use(1)
    assert not use(2)
    # Its authority did not answer: no capture began.
    repository.move(sessions[0], State.CONSENTED, State.REVIEW)
    assert use(2)
    assert not use(3)
    repository.move(sessions[1], State.CONSENTED, State.CHIP)
    repository.move(sessions[2], State.CONSENTED, State.CHIP)
    begun = {"attempt": 1}
    repository.move(sessions[1], State.CHIP, State.CAPTURE, capture_challenge=begun)
    repository.move(sessions[1], State.CAPTURE, State.CANCELLED)
    assert not use(3)
    repository.move(sessions[2], State.CHIP, State.CANCELLED)
    assert use(3)
    assert not use(4)


def test_how_a_capture_was_asked_for_is_forgotten_after_a_day(repository: Repository) -> None:
    session = _session(repository, State.CHIP)
    begun = {"attempt": 1, "asked": {"pace": "slow"}}
    repository.move(session, State.CHIP, State.CAPTURE, capture_challenge=begun)
    repository.move(session, State.CAPTURE, State.CANCELLED)
    repository.expire_overdue()
    assert repository.get(session).attempt == 1
    with Session(repository._engine) as db, db.begin():
        db.execute(update(SessionRow).values(created_at=utc_now() - timedelta(days=1, seconds=1)))
    repository.expire_overdue()
    assert repository.get(session).capture_challenge is None
