"""The one door to a database: `open_database`, `transaction` and, beside them, the API of the `databases` package.

Another URL (PostgreSQL) can take SQLite's place: `databases` has a backend for it, and `transaction` is the only
thing here that would need its begin, commit and rollback.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from databases import Database
from databases.core import Connection

from servicekit.metrics import Metrics
from servicekit.sqlite import SQLiteConnection

Database.SUPPORTED_BACKENDS["sqlite"] = "servicekit.sqlite:SQLiteBackend"

Readable: TypeAlias = Database | Connection
"""What a query that only reads is given: a database, or the connection of a transaction."""


def open_database(url: str, *, busy_timeout_ms: int, metrics: Metrics | None = None) -> Database:
    """A database that touches no disk before its first use; the metrics are told how long its transactions waited."""
    return Database(url, busy_timeout_ms=busy_timeout_ms, metrics=metrics)


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[Connection]:
    """Everything inside happens or, on any exception and on cancellation, nothing; it is on the disk at the end.

    Only a cancellation that comes during the commit may find it done; nothing is ever half done.

    The write lock is taken at the start, so what is read inside cannot change before the commit. Use it inside the
    route: what runs after a dependency's `yield` runs when the client has been told that all is well.

    Raises DatabaseUnavailable if the lock is not to be had within the busy timeout, or the disk refuses the commit;
    sqlite3.IntegrityError if a deferred constraint does.
    """
    async with database.connection() as connection:
        session = connection.raw_connection
        assert isinstance(session, SQLiteConnection), "transaction() knows SQLite only"  # noqa: S101 - for the types
        await session.begin()
        try:
            yield connection
            await session.commit()
        except BaseException:
            await session.rollback()
            raise
