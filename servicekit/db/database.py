"""The one door to a database: `open_database`, `write`, `read_version` and, to read, the `databases` package's own API.

Another URL (PostgreSQL) can take SQLite's place: `databases` has a backend for it, and only `write` would need its
begin, commit and rollback, and `read_version` a number that changes with every commit.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from databases import Database

from servicekit.db.reader import SQLiteDatabase
from servicekit.db.transaction import Transaction, Work

T = TypeVar("T")

Readable: TypeAlias = Database | Transaction
"""What a query that only reads is given: a database, or a transaction's view of it."""


def open_database(
    url: str,
    *,
    busy_timeout_ms: int,
    schema_version: int,
    watch_waits: Callable[[str], Callable[[float], None]] | None = None,
) -> Database:
    """A database that touches no disk before its first use.

    Every use raises DatabaseUnavailable while the file's schema version (`PRAGMA user_version`) is another one.

    What `watch_waits` gives for its name (`games0`) is told how long each transaction waited for its turn, in seconds.
    """
    database = SQLiteDatabase(url, busy_timeout_ms=busy_timeout_ms, schema_version=schema_version)
    if watch_waits is not None:
        database.writer.report_wait = watch_waits(database.path.stem)
    return database


async def write(database: Database, work: Work[T], *, since: float | None = None) -> T:
    """What `work` returns. All that it does happens or, on any exception, nothing; it is on the disk at the end.

        await write(words, partial(queries.insert_word, word=word))

    The write lock is taken before the start, so what `work` reads cannot change before the commit. It runs in another
    thread, and awaits nothing but queries. Call this inside the route: what runs after a dependency's `yield` runs when
    the client has been told that all is well.

    Raises DatabaseUnavailable if the lock is not to be had within the busy timeout, or the disk refuses the commit. The
    timeout counts from now, or from `since` of time.monotonic(), for a request that has waited before.
    A cancellation that comes when `work` has begun is raised when it has ended.
    """
    return await _as_sqlite(database).writer.run(work, since=since)


async def read_version(database: Database) -> object:
    """What is equal to an earlier version only if nothing has been committed in between, in whichever process."""
    return await _as_sqlite(database).reader.read_version()


def _as_sqlite(database: Database) -> SQLiteDatabase:
    """For what `databases` has no method for."""
    assert isinstance(database, SQLiteDatabase), "SQLite is the only one"  # noqa: S101 - open_database makes no other; for the types
    return database
