"""Give every assertion an index of its own, in a list that is named for ever."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api.assertions.status_array import StatusArray, StatusReference
from api.status.permutation import KEY_BYTES, Permutation
from api.store.status_tables import StatusArrayRow, StatusEntryRow, StatusListRow

LIST_SIZE = 1 << 20
"""A million assertions hide among one another, in a token of a kilobyte while none is revoked."""

PATH = "/v1/status-lists"
"""Where a server serves its lists."""


@dataclass(frozen=True)
class ReservedIndex:
    """An index that one assertion may have."""

    reference: StatusReference
    list_id: str

    def entry(self, *, jti: str, session_id: str) -> StatusEntryRow:
        """Return the row that links an assertion to it, to be stored together with the assertion.

        Args:
            jti: the assertion's.
            session_id: the session that it was issued for.
        """
        return StatusEntryRow(
            list_id=self.list_id,
            idx=self.reference.idx,
            jti=jti,
            session_id=session_id,
            at=datetime.now(UTC).replace(tzinfo=None),
        )


@dataclass(frozen=True)
class StatusAllocation:
    """Indices for new assertions, over one database that several processes may share."""

    engine: Engine
    public_url: str | None = None
    """Where relying parties reach this server; None: lists travel as files, named by a URN."""
    list_size: int = LIST_SIZE
    """Of new lists; a power of four."""

    def reserve(self, issuer: str) -> ReservedIndex:
        """Return an index that nobody else gets, in a list of the issuer.

        An assertion that is not stored afterwards wastes it: that index stays `VALID`, and no
        assertion has it.
        """
        with Session(self.engine) as db, db.begin():
            row = self._open_list(db, issuer)
            assert row.permutation_key is not None
            idx = Permutation(row.permutation_key, row.size).index(row.used)
            row.used += 1
            if row.used == row.size:
                row.permutation_key = None
            return ReservedIndex(StatusReference(idx, row.uri), row.id)

    def close(self) -> int:
        """Give no index of the present lists out any more; return how many lists that closed.

        For a database that was restored from a backup: what was given out since the backup must not
        be given out again.
        """
        with Session(self.engine) as db, db.begin():
            rows = db.scalars(select(StatusListRow).where(StatusListRow.used < StatusListRow.size))
            closed = 0
            for row in rows:
                row.used, row.permutation_key = row.size, None
                closed += 1
        return closed

    def _open_list(self, db: Session, issuer: str) -> StatusListRow:
        base = f"{self.public_url}{PATH}/" if self.public_url else "urn:uuid:"
        query = (
            select(StatusListRow)
            .where(
                StatusListRow.issuer == issuer,
                StatusListRow.uri.startswith(base, autoescape=True),
                StatusListRow.used < StatusListRow.size,
            )
            .order_by(StatusListRow.created_at, StatusListRow.id)
            .limit(1)
            .with_for_update()
        )
        return db.scalar(query) or self._new_list(db, issuer, base)

    def _new_list(self, db: Session, issuer: str, base: str) -> StatusListRow:
        name = str(uuid.uuid4())
        row = StatusListRow(
            id=name,
            issuer=issuer,
            uri=base + name,
            size=self.list_size,
            used=0,
            permutation_key=secrets.token_bytes(KEY_BYTES),
            created_at=datetime.now(UTC).replace(tzinfo=None),
        )
        db.add(row)
        db.flush()
        packed = StatusArray.of_valid(self.list_size).packed
        db.add(StatusArrayRow(list_id=name, packed=packed, version=0))
        return row
