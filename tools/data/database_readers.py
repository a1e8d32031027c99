"""Reads databases of both engines with the same statements, each as of one moment.

Values are those that SQLite's files have: an id is its 16 bytes, a day is text. So a check needs one form only, and an
invalid value in a file is a difference like any other.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias
from uuid import UUID

from servicekit.db.engine import Engine
from tools.config.paths import DataPaths
from tools.data.atomic_files import open_to_read
from tools.data.server_connections import ServerConnection, connected

Row: TypeAlias = tuple[Any, ...]

UNCHECKED = """
SELECT 'the constraint ' || conname || ' of ' || conrelid::regclass || ' is not validated'
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND NOT convalidated
UNION ALL
SELECT 'the index ' || indexrelid::regclass || ' is not valid'
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = 'public'::regnamespace AND NOT (indisvalid AND indisready)
"""
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""On PostgreSQL: all statements see what the first one sees."""


class Reader(Protocol):
    """A database in a transaction that neither blocks writers nor sees their changes."""

    engine: ClassVar[Engine]

    @property
    def name(self) -> str:
        """The path, or the URL without its password."""
        ...

    def execute(self, query: str) -> Iterable[Row]: ...

    def find_version(self) -> int:
        """Of the schema."""
        ...

    def find_damage(self) -> list[str]:
        """What the engine itself finds wrong with its tables and indexes."""
        ...


@dataclass(frozen=True, slots=True)
class FileReader:
    engine: ClassVar[Engine] = Engine.SQLITE
    path: Path
    connection: sqlite3.Connection

    @property
    def name(self) -> str:
        return str(self.path)

    def execute(self, query: str) -> Iterable[Row]:
        return self.connection.execute(query)

    def find_version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    def find_damage(self) -> list[str]:
        return [problem for (problem,) in self.connection.execute("PRAGMA integrity_check") if problem != "ok"]


@dataclass(frozen=True, slots=True)
class ServerReader:
    engine: ClassVar[Engine] = Engine.POSTGRESQL
    connection: ServerConnection

    @property
    def name(self) -> str:
        return self.connection.name

    def execute(self, query: str) -> Iterable[Row]:
        return (tuple(map(to_file_value, row)) for row in self.connection.fetch(query))

    def find_version(self) -> int:
        return int(self.connection.fetch("SELECT version FROM schema_version")[0][0])

    def find_damage(self) -> list[str]:
        """What SQLite's check finds in rows, PostgreSQL's constraints exclude, as long as they are validated."""
        return [problem for (problem,) in self.connection.fetch(UNCHECKED)]


def to_file_value(value: object) -> object:
    if isinstance(value, UUID):
        return value.bytes
    return value.isoformat() if isinstance(value, date) else value


Servers: TypeAlias = Mapping[Path, ServerConnection]
"""Connections that are in a transaction, each by the path of its database."""
NO_SERVERS: Servers = {}


@contextmanager
def reading(data_paths: DataPaths, path: Path, servers: Servers = NO_SERVERS) -> Iterator[Reader]:
    """In a transaction of its own, or in that of `servers`. Raises sqlite3.Error or Unusable if the database cannot be
    read."""
    if path in servers:
        yield ServerReader(servers[path])
    elif path in data_paths.on_servers:
        with connected(data_paths.on_servers[path]) as connection:
            connection.execute(BEGIN)
            yield ServerReader(connection)
    else:
        with closing(open_to_read(path)) as database:
            database.execute("BEGIN")
            yield FileReader(path, database)
