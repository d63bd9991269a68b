"""The tokens that relying parties fetch or carry: signed when something changed, or is old."""

import hashlib
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api.assertions.signing_key import SigningKey
from api.assertions.status_list import StatusArray, sign_status_list
from api.status.errors import StatusListOtherIssuerError, StatusListUnknownError
from api.store.status_tables import StatusArrayRow, StatusListRow, StatusTokenRow

TTL_S = 3600
"""How long a fetched token need not be fetched again: so late may a revocation be seen."""
LIFETIME_S = 86_400
"""When a token that is served expires, for verifiers that look at `exp` alone."""
MAX_EXPORT_DAYS = 31
"""Of a token that is carried: as long as an issuer may sensibly not be heard."""


class SigningKeys(Protocol):
    """Where the key comes from that is the issuer's at a time."""

    def current(self, at: datetime) -> SigningKey:
        """Return the key that signs at a time."""
        ...


@dataclass(frozen=True)
class PublishedList:
    """A token as it is served."""

    token: str = field(repr=False)
    issued_at: datetime
    stale_at: datetime
    """When a relying party needs a newer one."""

    @property
    def etag(self) -> str:
        """A strong entity tag (RFC 9110 §8.8.3)."""
        return f'"{hashlib.sha256(self.token.encode("ascii")).hexdigest()[:32]}"'


@dataclass(frozen=True)
class StatusPublisher:
    """The tokens of one database's lists."""

    engine: Engine
    keys: SigningKeys
    _signing: Lock = field(default_factory=Lock, repr=False)

    def uris(self) -> list[str]:
        """Return the URI of every list, the oldest first (§9.3)."""
        query = select(StatusListRow.uri).order_by(StatusListRow.created_at, StatusListRow.id)
        with Session(self.engine) as db:
            return list(db.scalars(query))

    def published(self, list_id: str, at: datetime | None = None) -> PublishedList:
        """Return a list's token, a new one where that is due.

        Args:
            list_id: which list.
            at: the time; now if None.

        Raises:
            StatusListUnknownError: there is no such list here.
            StatusListOtherIssuerError: the signing key may not speak for it.
            ApiError: there is no usable signing key.
        """
        moment = at or datetime.now(UTC)
        key = self.keys.current(moment)
        kept = self._kept(list_id, key, moment)
        if kept is not None:
            return kept
        with self._signing:  # the others wait for the one that signs, and take what it made
            return self._kept(list_id, key, moment) or self._renewed(list_id, key, moment)

    def exported(self, list_id: str, days: int, at: datetime | None = None) -> str:
        """Return a token that says for some days what holds now, for who has no network.

        Args:
            list_id: which list.
            days: 1 to `MAX_EXPORT_DAYS`; for so long a counter does not see a later revocation.
            at: the time; now if None.

        Raises:
            ApiError: as `published`.
        """
        if not 1 <= days <= MAX_EXPORT_DAYS:
            raise ValueError(f"an exported list lasts 1 to {MAX_EXPORT_DAYS} days")
        moment = at or datetime.now(UTC)
        key = self.keys.current(moment)
        uri, statuses, _ = self._content(list_id, key)
        return _sign(statuses, uri, key, moment, days * 86_400, days * 86_400)

    def _kept(self, list_id: str, key: SigningKey, at: datetime) -> PublishedList | None:
        """Return the token that is kept, if it says what holds and has time left."""
        query = (
            select(StatusTokenRow)
            .join(StatusArrayRow, StatusArrayRow.list_id == StatusTokenRow.list_id)
            .where(
                StatusTokenRow.list_id == list_id,
                StatusTokenRow.version == StatusArrayRow.version,
                StatusTokenRow.leaf_sha256 == _leaf_sha256(key),
            )
        )
        with Session(self.engine) as db:
            row = db.scalar(query)
        if row is None:
            return None
        issued_at, stale_at = (t.replace(tzinfo=UTC) for t in (row.issued_at, row.stale_at))
        # Whoever fetches a token can use it for half its time at least.
        renewed_at = issued_at + (stale_at - issued_at) / 2
        if not issued_at <= at < renewed_at:
            return None
        return PublishedList(row.token, issued_at, stale_at)

    def _renewed(self, list_id: str, key: SigningKey, at: datetime) -> PublishedList:
        """Sign a token and keep it, unless another process has kept a newer one meanwhile."""
        uri, statuses, version = self._content(list_id, key)
        issued_at = at.replace(microsecond=0)
        token = _sign(statuses, uri, key, issued_at, TTL_S, LIFETIME_S)
        stale_at = min(issued_at + timedelta(seconds=TTL_S), key.not_after)
        row = StatusTokenRow(
            list_id=list_id,
            token=token,
            version=version,
            leaf_sha256=_leaf_sha256(key),
            issued_at=issued_at.replace(tzinfo=None),
            stale_at=stale_at.replace(tzinfo=None),
        )
        with Session(self.engine) as db, db.begin():
            kept = db.get(StatusTokenRow, list_id)
            if kept is None or kept.version <= version:
                db.merge(row)
        return PublishedList(token, issued_at, stale_at)

    def _content(self, list_id: str, key: SigningKey) -> tuple[str, StatusArray, int]:
        query = (
            select(StatusListRow, StatusArrayRow)
            .join(StatusArrayRow, StatusArrayRow.list_id == StatusListRow.id)
            .where(StatusListRow.id == list_id)
        )
        with Session(self.engine) as db:
            found = db.execute(query).one_or_none()
        if found is None:
            raise StatusListUnknownError("there is no such status list here")
        row, array = found
        if row.issuer != key.issuer:
            raise StatusListOtherIssuerError("the signing key does not speak for the list's issuer")
        return row.uri, StatusArray(array.packed), array.version


def _sign(
    statuses: StatusArray, uri: str, key: SigningKey, at: datetime, ttl_s: int, lifetime_s: int
) -> str:
    # No token outlives the certificate that it is believed by.
    expires_at = min(at + timedelta(seconds=lifetime_s), key.not_after)
    left_s = int((expires_at - at).total_seconds())
    return sign_status_list(
        statuses, uri=uri, key=key, at=at, expires_at=expires_at, ttl_s=max(1, min(ttl_s, left_s))
    )


def _leaf_sha256(key: SigningKey) -> str:
    return hashlib.sha256(b64decode(key.x5c[0])).hexdigest()
