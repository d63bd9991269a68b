"""Tables: sessions, and the numbered pieces of evidence that arrive for them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Root of the mapped tables."""


class SessionRow(Base):
    """One session of one party."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), index=True)
    created_at: Mapped[datetime]
    deadline: Mapped[datetime | None] = mapped_column(index=True)
    """When the present state ends by itself; naive UTC."""
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    chip_challenge: Mapped[bytes] = mapped_column(LargeBinary(8))
    capture_challenge: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """The present capture: its challenge, which attempt it is, and when it was begun."""
    outcome: Mapped[str | None] = mapped_column(String(16))
    level: Mapped[str | None] = mapped_column(String(16))
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    assertion: Mapped[str | None]

    @property
    def attempt(self) -> int:
        """Return which capture is the present or latest one, from 1; 0 before the first."""
        return int(self.capture_challenge["attempt"]) if self.capture_challenge else 0


class PieceRow(Base):
    """One piece of evidence, kept until its session is decided."""

    __tablename__ = "pieces"

    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    """`chip`, `frame`, `sig` (the agent's signature of the frame of that number), `ca` (the
    server's secret part of Chip Authentication), `expected` (whom the relying party expects) or
    `online` (an authority's answer)."""
    number: Mapped[int] = mapped_column(primary_key=True)
    t_ms: Mapped[int]
    """Capture time of a frame since the first, as the sender says; 0 for others."""
    received_at: Mapped[datetime]
    data: Mapped[bytes]


class CardUseRow(Base):
    """A session that a card was accepted for: attempts are limited a card."""

    __tablename__ = "card_uses"

    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True
    )
    card_sha256: Mapped[str] = mapped_column(String(64), index=True)
    """Digest of what the card's issuer signed."""
    at: Mapped[datetime]


class SeenFrameRow(Base):
    """The digest of a frame that a capture was decided on: no camera gives it twice."""

    __tablename__ = "seen_frames"

    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    capture: Mapped[str] = mapped_column(String(48))
    """Which capture it came with first."""
    at: Mapped[datetime]


class RecordRow(Base):
    """What the checks of a session measured, for the operator and never for the subject."""

    __tablename__ = "records"

    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True
    )
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
