"""Open the SQLite database so that it survives a crash and forgets what is deleted."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from api.store.status_tables import StatusListRow


def open_database(path: Path) -> Engine:
    """Return an engine on the file, its folder and tables made where missing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions begin where `_begin` says so
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",  # deleted biometric data is overwritten, not only unlinked
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # What a transaction has read stays true until it writes.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    StatusListRow.metadata.create_all(engine)  # with the tables of sessions below it
    return engine


def forget_deleted(engine: Engine) -> None:
    """Empty the write-ahead log, so that deleted evidence is in no file any more.

    Where another connection is in the way, the log stays for the next call.
    """
    connection = engine.raw_connection()
    try:
        with suppress(sqlite3.OperationalError):
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
