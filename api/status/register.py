"""The statuses themselves: find an assertion's, change it, and keep when, why and by whom."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, func, select
from sqlalchemy.orm import Session

from api.assertions.status_array import Status, StatusArray, StatusReference
from api.status.errors import (
    AssertionUnknownError,
    StatusFinalError,
    StatusIndexNotIssuedError,
    StatusListUnknownError,
    StatusReasonMissingError,
)
from api.status.permutation import Permutation
from api.store.database import forget_deleted
from api.store.status_tables import (
    StatusArrayRow,
    StatusChangeRow,
    StatusEntryRow,
    StatusListRow,
)
from api.store.tables import SessionRow

MAX_TEXT = 200
"""Characters of a reason, or of who gave it."""


@dataclass(frozen=True)
class StatusChange:
    """One change of a status."""

    at: datetime
    previous: Status
    status: Status
    reason: str
    who: str


@dataclass(frozen=True)
class StatusEntry:
    """What is known of one assertion's status."""

    reference: StatusReference
    status: Status
    changes: tuple[StatusChange, ...]
    """From the first to the last."""
    session_id: str | None = None
    jti: str | None = None
    issued_at: datetime | None = None
    """None, like the two above, once the link to the assertion is forgotten."""


@dataclass(frozen=True)
class StatusListSummary:
    """One list, for people."""

    id: str
    uri: str
    issuer: str
    size: int
    used: int
    created_at: datetime
    changes: int
    """Of all statuses in it, so far."""


@dataclass(frozen=True)
class StatusRegister:
    """All statuses of one database."""

    engine: Engine

    def lists(self) -> tuple[StatusListSummary, ...]:
        """Return every list, the oldest first."""
        query = (
            select(StatusListRow, StatusArrayRow.version)
            .join(StatusArrayRow, StatusArrayRow.list_id == StatusListRow.id)
            .order_by(StatusListRow.created_at, StatusListRow.id)
        )
        with Session(self.engine) as db:
            return tuple(
                StatusListSummary(
                    id=row.id,
                    uri=row.uri,
                    issuer=row.issuer,
                    size=row.size,
                    used=row.used,
                    created_at=row.created_at.replace(tzinfo=UTC),
                    changes=version,
                )
                for row, version in db.execute(query)
            )

    def of_session(self, session_id: str) -> tuple[StatusReference, ...]:
        """Return where the assertion of a session has its status (raises as `of_jti`)."""
        return self._linked(StatusEntryRow.session_id == session_id)

    def of_jti(self, jti: str) -> tuple[StatusReference, ...]:
        """Return where the assertion of an id has its status.

        Raises:
            AssertionUnknownError: no link to such an assertion is kept.
        """
        return self._linked(StatusEntryRow.jti == jti)

    def of_dossier(
        self, dossier_id: str, audience: str | None = None
    ) -> tuple[StatusReference, ...]:
        """Return where all assertions of a dossier have theirs (raises as `of_jti`).

        Args:
            dossier_id: as the relying party named it.
            audience: which relying party; any if None, and two may use the same name.
        """
        sessions = select(SessionRow.id).where(
            SessionRow.request["dossier_id"].as_string() == dossier_id
        )
        if audience is not None:
            sessions = sessions.where(SessionRow.request["audience"].as_string() == audience)
        return self._linked(StatusEntryRow.session_id.in_(sessions))

    def entry(self, reference: StatusReference) -> StatusEntry:
        """Return what is known of a place in a list.

        Raises:
            StatusListUnknownError: there is no such list here.
            StatusIndexNotIssuedError: no assertion has the index.
        """
        with Session(self.engine) as db:
            row = _list(db, reference)
            packed = db.get_one(StatusArrayRow, row.id).packed
            changes = db.scalars(
                select(StatusChangeRow)
                .where(StatusChangeRow.list_id == row.id, StatusChangeRow.idx == reference.idx)
                .order_by(StatusChangeRow.id)
            )
            link = db.get(StatusEntryRow, (row.id, reference.idx))
            return StatusEntry(
                reference=reference,
                status=Status(StatusArray(packed).get(reference.idx)),
                changes=tuple(_change(change) for change in changes),
                session_id=link.session_id if link else None,
                jti=link.jti if link else None,
                issued_at=link.at.replace(tzinfo=UTC) if link else None,
            )

    def suspend(self, reference: StatusReference, *, reason: str, who: str) -> None:
        """Make an assertion invalid for now (raises what `change` raises)."""
        self.change(reference, Status.SUSPENDED, reason=reason, who=who)

    def revoke(self, reference: StatusReference, *, reason: str, who: str) -> None:
        """Make an assertion invalid for good (raises what `change` raises)."""
        self.change(reference, Status.INVALID, reason=reason, who=who)

    def reinstate(self, reference: StatusReference, *, reason: str, who: str) -> None:
        """Make a suspended assertion valid again (raises what `change` raises)."""
        self.change(reference, Status.VALID, reason=reason, who=who)

    def change(self, reference: StatusReference, status: Status, *, reason: str, who: str) -> None:
        """Change a status, and keep why; the status that it has already changes nothing.

        Args:
            reference: the assertion's place.
            status: the new one.
            reason: why, in at most 200 characters, without anything personal: it is kept for good.
            who: who decided it, in as many.

        Raises:
            StatusListUnknownError: there is no such list here.
            StatusIndexNotIssuedError: no assertion has the index.
            StatusFinalError: the assertion is revoked.
            StatusReasonMissingError: reason or name are empty, too long, or not one line.
        """
        for text in (reason, who):
            if not text.strip() or len(text) > MAX_TEXT or not text.isprintable():
                raise StatusReasonMissingError(
                    f"reason and who decided it are a line of 1 to {MAX_TEXT} characters each"
                )
        with Session(self.engine) as db, db.begin():
            row = _list(db, reference)
            array = db.get_one(StatusArrayRow, row.id, with_for_update=True)
            statuses = StatusArray(array.packed)
            previous = Status(statuses.get(reference.idx))
            if previous is status:
                return
            if previous is Status.INVALID:
                raise StatusFinalError("the assertion is revoked; that cannot be undone")
            array.packed = statuses.set(reference.idx, status).packed
            array.version += 1
            db.add(
                StatusChangeRow(
                    list_id=row.id,
                    idx=reference.idx,
                    at=datetime.now(UTC).replace(tzinfo=None),
                    previous=previous,
                    status=status,
                    reason=reason,
                    who=who,
                )
            )

    def forget_links(self, older_than_s: int) -> int:
        """Forget which assertion has which index where that was long ago; return how many.

        The statuses and their changes stay. Who holds the assertion can still name its place.
        """
        oldest = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=older_than_s)
        old = StatusEntryRow.at < oldest
        with Session(self.engine) as db, db.begin():
            count = db.scalar(select(func.count()).select_from(StatusEntryRow).where(old)) or 0
            if count:
                db.execute(delete(StatusEntryRow).where(old))
        if count:
            forget_deleted(self.engine)
        return count

    def _linked(self, condition: ColumnElement[bool]) -> tuple[StatusReference, ...]:
        query = (
            select(StatusEntryRow.idx, StatusListRow.uri)
            .join(StatusListRow, StatusListRow.id == StatusEntryRow.list_id)
            .where(condition)
            .order_by(StatusEntryRow.at)
        )
        with Session(self.engine) as db:
            references = tuple(StatusReference(idx, uri) for idx, uri in db.execute(query))
        if not references:
            raise AssertionUnknownError("no link to such an assertion is kept here")
        return references


def _list(db: Session, reference: StatusReference) -> StatusListRow:
    """Return the list of a place that an assertion has."""
    row = db.scalar(select(StatusListRow).where(StatusListRow.uri == reference.uri))
    if row is None:
        raise StatusListUnknownError("there is no such status list here")
    if not 0 <= reference.idx < row.size:
        raise StatusIndexNotIssuedError("the list does not reach to this index")
    if row.permutation_key is not None:
        number = Permutation(row.permutation_key, row.size).number(reference.idx)
        if number >= row.used:
            raise StatusIndexNotIssuedError("no assertion has this index yet")
    return row


def _change(row: StatusChangeRow) -> StatusChange:
    return StatusChange(
        at=row.at.replace(tzinfo=UTC),
        previous=Status(row.previous),
        status=Status(row.status),
        reason=row.reason,
        who=row.who,
    )
