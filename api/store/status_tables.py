"""Tables: status lists, which assertion has which index, and every change of a status."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base


class StatusListRow(Base):
    """One list, and how many of its indices have been given out."""

    __tablename__ = "status_lists"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """A random UUID: a new database never gives a name that an old one gave."""
    issuer: Mapped[str]
    """The `iss` of the assertions in it."""
    uri: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int]
    used: Mapped[int]
    permutation_key: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Tells in which order indices were given out; forgotten when all have been."""
    created_at: Mapped[datetime]


class StatusArrayRow(Base):
    """The statuses of a list: apart, because giving out an index must not write them again."""

    __tablename__ = "status_arrays"

    list_id: Mapped[str] = mapped_column(ForeignKey("status_lists.id"), primary_key=True)
    packed: Mapped[bytes]
    version: Mapped[int]
    """How many changes it has seen."""


class StatusTokenRow(Base):
    """The token of a list that is served until it is outdated."""

    __tablename__ = "status_tokens"

    list_id: Mapped[str] = mapped_column(ForeignKey("status_lists.id"), primary_key=True)
    token: Mapped[str]
    version: Mapped[int]
    """Of the array that it says."""
    leaf_sha256: Mapped[str] = mapped_column(String(64))
    """Of the certificate that signed it."""
    issued_at: Mapped[datetime]
    stale_at: Mapped[datetime]


class StatusEntryRow(Base):
    """Which assertion has an index: what an operator needs to revoke it by another name."""

    __tablename__ = "status_entries"

    list_id: Mapped[str] = mapped_column(ForeignKey("status_lists.id"), primary_key=True)
    idx: Mapped[int] = mapped_column(primary_key=True)
    jti: Mapped[str] = mapped_column(unique=True)
    session_id: Mapped[str] = mapped_column(String(32), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class StatusChangeRow(Base):
    """One change of a status; kept for good."""

    __tablename__ = "status_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[str] = mapped_column(ForeignKey("status_lists.id"), index=True)
    idx: Mapped[int]
    at: Mapped[datetime]
    previous: Mapped[int]
    status: Mapped[int]
    reason: Mapped[str]
    who: Mapped[str]
