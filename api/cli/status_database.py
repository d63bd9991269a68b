"""The server's database, for commands that look into it or change a status."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.errors import ApiError
from api.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine


class DatabaseUnusableError(ApiError):
    """The server's database is missing, busy, or not one."""

    code = "database-unusable"
    retryable = True


@contextmanager
def server_database(settings: Settings) -> "Iterator[Engine]":
    """Open the server's database, which must be there."""
    from sqlalchemy.exc import SQLAlchemyError

    from api.store.database import open_database

    if not settings.database.is_file():
        raise DatabaseUnusableError(f"{settings.database} is not there: which folder is it?")
    try:
        engine = open_database(settings.database)
        try:
            yield engine
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        raise DatabaseUnusableError(
            f"{settings.database} cannot be used now ({type(error).__name__})"
        ) from None
