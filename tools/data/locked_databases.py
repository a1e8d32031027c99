"""Locks a database on either engine, so that no service can use it while it is read and its version is changed.

A file is locked exclusively. On PostgreSQL a lock keeps others from reading `schema_version`, which is the first thing
that each new connection of a service does; where there already is one, the lock is refused. Both locks end with this
process; until `mark`, nothing has changed.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from servicekit.db.column_types import to_uuid
from tools.config.paths import DataPaths
from tools.data.atomic_files import InUse, lock_exclusively, seal
from tools.data.server_connections import SETTINGS, ServerConnection, Unusable, connected
from tools.data.server_databases import BATCH
from tools.data.upgrades import read_version

Rows: TypeAlias = Sequence[tuple[Any, ...]]

LOCK_TIMEOUT_MS = 5000
LOCK_NOT_AVAILABLE = "55P03"
LOCK_VERSION = "LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE"
# Other scripts read the version too, and so wait for the lock; one that has just ended may still be listed.
OTHER_SESSIONS = f"""
SELECT COUNT(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND (usename = current_user OR application_name = 'quintet') AND application_name <> '{SETTINGS["application_name"]}'
"""  # noqa: S608 - text of ours


class LockedDatabase(Protocol):
    def read_version(self) -> int: ...

    def read(self, table: str, columns: Sequence[str]) -> Iterator[Rows]:
        """All rows in batches, with the same Python types on both engines. Raises SystemExit if it cannot be read."""
        ...

    def mark(self, version: int) -> None:
        """Commits, so that it is on the disk; the database is still locked, and can no longer be read."""
        ...


@dataclass(frozen=True, slots=True)
class LockedFile:
    path: Path
    connection: sqlite3.Connection

    def read_version(self) -> int:
        return read_version(self.connection)

    def read(self, table: str, columns: Sequence[str]) -> Iterator[Rows]:
        try:
            rows = self.connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - names of ours
            while batch := rows.fetchmany(BATCH):
                yield batch
        except sqlite3.Error as error:
            raise SystemExit(f"{self.path} cannot be read ({error}).") from error

    def mark(self, version: int) -> None:
        self.connection.execute(f"PRAGMA user_version = {version}")
        self.connection.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class LockedServer:
    connection: ServerConnection
    """In a transaction."""

    def read_version(self) -> int:
        return int(self.connection.fetch("SELECT version FROM schema_version")[0][0])

    def read(self, table: str, columns: Sequence[str]) -> Iterator[Rows]:
        query = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - names of ours

        async def open_cursor(connection: Any) -> Any:  # noqa: ANN401 - asyncpg's
            return await connection.cursor(query)

        cursor = self.connection.run(open_cursor)
        while batch := self.connection.run(lambda _: cursor.fetch(BATCH)):
            yield [tuple(row) for row in batch]

    def mark(self, version: int) -> None:
        self.connection.execute(f"UPDATE schema_version SET version = {version}; COMMIT")  # noqa: S608 - a number


def lock_database(data_paths: DataPaths, path: Path) -> AbstractContextManager[LockedDatabase]:
    """Until the end of the block. Raises InUse if a service has it open, SystemExit if it cannot be read."""
    url = data_paths.on_servers.get(path)
    return lock_file(path) if url is None else lock_server(url)


@contextmanager
def lock_file(path: Path) -> Iterator[LockedFile]:
    with closing(sqlite3.connect(path, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)) as connection:
        try:
            lock_exclusively(connection, path)
        except sqlite3.DatabaseError as error:
            raise SystemExit(f"{path} cannot be read ({error}).") from error
        yield LockedFile(path, connection)
    seal(path)  # locking has ended WAL mode


@contextmanager
def lock_server(url: str) -> Iterator[LockedServer]:
    with connected(url) as connection:
        connection.run(set_uuid_codec)
        try:
            connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}; BEGIN; {LOCK_VERSION}")
        except Unusable as error:
            if getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise InUse(f"{connection.name} is in use: another process has locked its version.") from error
            raise
        if connection.fetch(OTHER_SESSIONS)[0][0]:
            raise InUse(f"{connection.name} is in use: stop the services first, and end all other connections.")
        yield LockedServer(connection)


async def set_uuid_codec(connection: Any) -> None:  # noqa: ANN401 - asyncpg's
    """Ids are read as Python's own class; asyncpg's subclass is unknown to SQLite."""
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", format="binary", encoder=attrgetter("bytes"), decoder=to_uuid
    )
