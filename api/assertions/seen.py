"""The assertions that an office accepted, in one file, so that none is accepted twice.

A SQLite file: several processes and machines of an office may share it, and what was accepted
survives a crash. It holds digests and nothing of a person; an assertion is known by its issuer and
its `jti`, for two issuers may use the same one. Nothing is forgotten when an assertion expires, for
with a timestamp it can be shown again years later; an entry takes 40 bytes.
"""

import hashlib
import json
import sqlite3
from pathlib import Path
from types import TracebackType

from api.errors import ApiError

WAIT_S = 10.0
"""For another process that is verifying; a verification takes far less."""

_APPLICATION_ID = 0x63686332
"""Marks the file as one of these (`PRAGMA application_id`): no other database is touched."""


class SeenFileUnusableError(ApiError):
    """The file of accepted assertions cannot be read or written, or is another database."""

    code = "seen-file-unusable"


class SeenFileBusyError(ApiError):
    """Another process holds the file of accepted assertions."""

    code = "seen-file-busy"
    retryable = True


class SeenAssertions:
    """The accepted assertions, held for one verification.

    Between entering and leaving no other process accepts anything, so that of two that are shown
    the same assertion at once only one accepts it. What was added counts once it is left without
    an exception.

        with SeenAssertions(file) as seen:
            verification = verify(…, seen_jti=seen)
            if verification.outcome is Outcome.PASSED:
                seen.add(verification.claims["iss"], verification.claims["jti"])
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> "SeenAssertions":
        """Open the file, which is made if it is not there, and keep others out.

        Raises:
            SeenFileUnusableError: it cannot be opened, or is another kind of file.
            SeenFileBusyError: another process held it for ten seconds.
        """
        try:
            # Absolute, so that no name stands for a database that is forgotten (":memory:").
            file = self._file.absolute()
            self._database = sqlite3.connect(file, timeout=WAIT_S, isolation_level=None)
            self._database.execute("BEGIN IMMEDIATE")
            self._check_kind()
        except sqlite3.Error as error:
            self._close()
            raise self._wrapped(error) from None
        except ApiError:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep what was added, or nothing after an exception."""
        try:
            self._opened.execute("ROLLBACK" if kind else "COMMIT")
        except sqlite3.Error as fault:
            raise self._wrapped(fault) from None
        finally:
            self._close()

    def was_accepted(self, issuer: str, jti: str) -> bool:
        """Whether an issuer's assertion was accepted before."""
        key = _digest(issuer, jti)
        try:
            found = self._opened.execute("SELECT 1 FROM seen WHERE digest = ?", (key,))
            return found.fetchone() is not None
        except sqlite3.Error as error:
            raise self._wrapped(error) from None

    def add(self, issuer: str, jti: str) -> None:
        """Remember an issuer's assertion as accepted."""
        try:
            self._opened.execute("INSERT OR IGNORE INTO seen VALUES (?)", (_digest(issuer, jti),))
        except sqlite3.Error as error:
            raise self._wrapped(error) from None

    @property
    def _opened(self) -> sqlite3.Connection:
        assert self._database is not None, "used outside of `with`"
        return self._database

    def _check_kind(self) -> None:
        (kind,) = self._opened.execute("PRAGMA application_id").fetchone()
        (tables,) = self._opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if kind == 0 and tables == 0:
            self._opened.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._opened.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        elif kind != _APPLICATION_ID:
            raise SeenFileUnusableError(f"{self._file} is another database")

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _wrapped(self, error: sqlite3.Error) -> ApiError:
        # The low byte is the primary result code (sqlite.org/rescode.html).
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return SeenFileBusyError(f"{self._file} is in use by another process")
        return SeenFileUnusableError(f"{self._file} cannot be used to remember assertions")


def _digest(issuer: str, jti: str) -> bytes:
    # As JSON, so that no issuer's name ends where another's `jti` begins.
    return hashlib.sha256(json.dumps([issuer, jti]).encode("ascii")).digest()
