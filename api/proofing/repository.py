"""Sessions and their evidence in the database; every change of state is compare-and-set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, func, null, or_, select, update
from sqlalchemy.orm import Session

from api.errors import ApiError
from api.proofing.states import (
    ASSERTION_KEPT_S,
    HOLDS_EVIDENCE,
    KEEPS_ANSWER,
    TIME_LIMIT_S,
    SessionExpiredError,
    State,
    StateConflictError,
    check_transition,
)
from api.store.database import forget_deleted
from api.store.tables import Base, CardUseRow, PieceRow, RecordRow, SeenFrameRow, SessionRow

EXPECTED, ONLINE = "expected", "online"
"""Kinds of piece: whom the relying party expects, and what an authority answered."""

FRAME, SIGNATURE = "frame", "sig"
"""Kinds of piece: a frame of the present capture, and the agent's signature of it."""


class SessionUnknownError(ApiError):
    """There is no such session, or the token is not its token."""

    code = "session-unknown"


class PieceConflictError(ApiError):
    """A piece of this number was acknowledged before, with other content."""

    code = "piece-conflict"


class EvidenceTooLargeError(ApiError):
    """The session holds as much evidence as it may."""

    code = "body-too-large"


def utc_now() -> datetime:
    """Return the time as the database keeps it: naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Piece:
    """One numbered piece of evidence."""

    kind: str
    """As in the table of pieces."""
    number: int
    t_ms: int
    """Capture time in milliseconds since the first frame; 0 for others."""
    data: bytes = field(repr=False)
    received_at: datetime
    """Naive UTC."""

    def row(self, session_id: str) -> PieceRow:
        """Return the row that keeps it."""
        return PieceRow(
            session_id=session_id,
            kind=self.kind,
            number=self.number,
            t_ms=self.t_ms,
            received_at=self.received_at,
            data=self.data,
        )


class Repository:
    """All reads and writes of sessions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Close the connections to the database; the next call opens new ones."""
        self._engine.dispose()

    def add(self, row: SessionRow, *pieces: Piece) -> None:
        """Keep a new session, with what its evidence will be checked with."""
        with Session(self._engine, expire_on_commit=False) as db, db.begin():
            row.deadline = utc_now() + timedelta(seconds=TIME_LIMIT_S[State(row.state)])
            db.add(row)
            db.flush()
            db.add_all([piece.row(row.id) for piece in pieces])

    def get(self, session_id: str) -> SessionRow:
        """Return a session, detached from the database.

        Raises:
            SessionUnknownError: there is none of this id.
        """
        with Session(self._engine, expire_on_commit=False) as db:
            row = db.get(SessionRow, session_id)
            if row is None:
                raise SessionUnknownError("no session with this id and token")
            return row

    def move(
        self,
        session_id: str,
        now: State,
        then: State,
        *pieces: Piece,
        attempt: int | None = None,
        record: dict[str, Any] | None = None,
        rows: Sequence[Base] = (),
        **values: Any,
    ) -> None:
        """Take a session from one state to the next, with the pieces and values that belong to it.

        Where the next state holds no evidence, what there is goes in the same transaction: no crash
        can leave it behind. What an authority answered stays with the decision that rests on it.
        Back at `chip`, the frames of the capture before go.

        Args:
            session_id: whose state.
            now: the state that it must be in.
            then: the next.
            pieces: evidence that comes with it.
            attempt: which capture it must be at; None: any.
            record: what the operator may see of the checks, in place of what was kept before.
            rows: what else has to be kept if the step is taken, and not if it is not.
            values: columns of the session.

        Raises:
            StateConflictError: the table forbids it, or another request was quicker.
            SessionExpiredError: the time of the state ran out meanwhile.
        """
        check_transition(now, then)
        limit = TIME_LIMIT_S.get(then)
        deadline = utc_now() + timedelta(seconds=limit) if limit else None
        with Session(self._engine) as db, db.begin():
            row = _in_state(db, session_id, now, attempt)
            row.state, row.deadline = then, deadline
            for name, value in values.items():
                setattr(row, name, value)
            if then not in HOLDS_EVIDENCE:
                kept = ONLINE if then in KEEPS_ANSWER else None
                of_session = (
                    PieceRow.session_id == session_id,
                    PieceRow.kind.is_distinct_from(kept),
                )
                db.execute(delete(PieceRow).where(*of_session))
            elif then is State.CHIP:
                capture = PieceRow.kind.in_((FRAME, SIGNATURE))
                db.execute(delete(PieceRow).where(PieceRow.session_id == session_id, capture))
            if record is not None:
                db.merge(RecordRow(session_id=session_id, data=record))
            db.add_all([*(piece.row(session_id) for piece in pieces), *rows])
        if now is State.DECIDING or (now in HOLDS_EVIDENCE and then not in HOLDS_EVIDENCE):
            forget_deleted(self._engine)

    def put_pieces(
        self,
        session_id: str,
        state: State,
        *pieces: Piece,
        limit: int,
        attempt: int | None = None,
    ) -> None:
        """Keep pieces of evidence that belong together; the same again changes nothing.

        Raises:
            StateConflictError: the session is not in `state`, or at another capture than `attempt`.
            SessionExpiredError: the time of the state ran out meanwhile.
            PieceConflictError: a piece of such a number with other content is kept already.
            EvidenceTooLargeError: the session would hold more than `limit` bytes.
        """
        with Session(self._engine) as db, db.begin():
            _in_state(db, session_id, state, attempt)
            for piece in pieces:
                kept = db.get(PieceRow, (session_id, piece.kind, piece.number))
                if kept is None:
                    if _held_bytes(db, session_id) + len(piece.data) > limit:
                        raise EvidenceTooLargeError(f"a session holds at most {limit >> 20} MiB")
                    db.add(piece.row(session_id))
                elif (kept.data, kept.t_ms) != (piece.data, piece.t_ms):
                    raise PieceConflictError(
                        f"{piece.kind} {piece.number} was received before with other content"
                    )

    def replace_piece(self, session_id: str, state: State, piece: Piece) -> None:
        """Keep a piece in place of the one of its number, if there is one.

        Raises:
            StateConflictError: the session is not in `state`.
            SessionExpiredError: the time of the state ran out meanwhile.
        """
        with Session(self._engine) as db, db.begin():
            _in_state(db, session_id, state)
            db.merge(piece.row(session_id))

    def pieces(self, session_id: str, kind: str) -> Sequence[PieceRow]:
        """Return the pieces of a kind by number."""
        query = (
            select(PieceRow)
            .where(PieceRow.session_id == session_id, PieceRow.kind == kind)
            .order_by(PieceRow.number)
        )
        with Session(self._engine, expire_on_commit=False) as db:
            return db.scalars(query).all()

    def numbers(self, session_id: str, kind: str) -> list[int]:
        """Return the numbers of the pieces of a kind, in order."""
        query = (
            select(PieceRow.number)
            .where(PieceRow.session_id == session_id, PieceRow.kind == kind)
            .order_by(PieceRow.number)
        )
        with Session(self._engine) as db:
            return list(db.scalars(query))

    def use_card(self, session_id: str, card_sha256: str, limit: int, window_s: int) -> bool:
        """Note that a card serves a session, unless it was tried in too many without a pass.

        A session counts while a capture may still begin, and afterwards only if one has begun:
        whoever got no challenge has tried nothing.

        Args:
            session_id: the session.
            card_sha256: digest of what the card's issuer signed.
            limit: in so many sessions a card may be tried.
            window_s: sessions older than this many seconds no longer count.
        """
        since = utc_now() - timedelta(seconds=window_s)
        has_tried = SessionRow.capture_challenge.is_not(None)
        may_try = SessionRow.state.in_((State.CONSENTED, State.CHIP))
        others = (
            select(func.count())
            .select_from(CardUseRow)
            .join(SessionRow, SessionRow.id == CardUseRow.session_id)
            .where(
                CardUseRow.card_sha256 == card_sha256,
                CardUseRow.session_id != session_id,
                CardUseRow.at >= since,
                SessionRow.state != State.PASSED,
                or_(has_tried, may_try),
            )
        )
        with Session(self._engine) as db, db.begin():
            if (db.scalar(others) or 0) >= limit:
                return False
            db.merge(CardUseRow(session_id=session_id, card_sha256=card_sha256, at=utc_now()))
        return True

    def note_frames(self, capture: str, digests: Sequence[bytes]) -> int:
        """Return how many frames came with another capture before, and keep the others' digests."""
        with Session(self._engine) as db, db.begin():
            known: dict[bytes, str] = {}
            for digest in dict.fromkeys(digests):
                row = db.get(SeenFrameRow, digest)
                known[digest] = capture if row is None else row.capture
                if row is None:
                    db.add(SeenFrameRow(sha256=digest, capture=capture, at=utc_now()))
        return sum(first != capture for first in known.values())

    def record(self, session_id: str) -> dict[str, Any]:
        """Return what the checks of a session measured; empty where nothing is kept."""
        with Session(self._engine) as db:
            row = db.get(RecordRow, session_id)
            return dict(row.data) if row else {}

    def expire_overdue(self) -> int:
        """End every session whose state lasted too long; return how many.

        Their evidence is forgotten, and so are assertions, records, authorities' answers, the
        digests of cards and frames, and how captures were asked for (slowly, or without light: that
        tells something of a person), where they were kept long enough. The log is emptied each
        time, for deletions after which a crash or a busy connection had kept it from being emptied.
        """
        with Session(self._engine) as db, db.begin():
            rows = db.scalars(select(SessionRow).where(SessionRow.deadline < utc_now())).all()
            for row in rows:
                row.state, row.deadline, row.reasons = State.EXPIRED, None, ["session-expired"]
                db.execute(delete(PieceRow).where(PieceRow.session_id == row.id))
            kept_since = utc_now() - timedelta(seconds=ASSERTION_KEPT_S)
            old = (SessionRow.created_at < kept_since, SessionRow.assertion.is_not(None))
            db.execute(update(SessionRow).where(*old).values(assertion=None))
            begun = (SessionRow.created_at < kept_since, SessionRow.capture_challenge.is_not(None))
            db.execute(update(SessionRow).where(*begun).values(capture_challenge=null()))
            ids = select(SessionRow.id).where(SessionRow.created_at < kept_since)
            answers = (PieceRow.kind == ONLINE, PieceRow.session_id.in_(ids))
            db.execute(delete(PieceRow).where(*answers))
            db.execute(delete(RecordRow).where(RecordRow.session_id.in_(ids)))
            db.execute(delete(CardUseRow).where(CardUseRow.at < kept_since))
            db.execute(delete(SeenFrameRow).where(SeenFrameRow.at < kept_since))
        forget_deleted(self._engine)
        return len(rows)

    def recover(self) -> None:
        """After a crash, let sessions that were being decided be decided again."""
        with Session(self._engine) as db, db.begin():
            for row in db.scalars(select(SessionRow).where(SessionRow.state == State.DECIDING)):
                row.state = State.CAPTURE


def _in_state(db: Session, session_id: str, state: State, attempt: int | None = None) -> SessionRow:
    row = db.get(SessionRow, session_id)
    if row is None or row.state != state:
        raise StateConflictError(f"the session is not {state}")
    if attempt is not None and row.attempt != attempt:
        raise StateConflictError("another capture of the session has begun meanwhile")
    if row.deadline is not None and row.deadline < utc_now():
        raise SessionExpiredError("the session has run out of time; open a new one")
    return row


def _held_bytes(db: Session, session_id: str) -> int:
    query = select(func.sum(func.length(PieceRow.data))).where(PieceRow.session_id == session_id)
    return db.scalar(query) or 0
