"""The databases of a test on either engine: tests fill and read them past the services, by the same SQL.

Statements have `?` for values. An id goes in and comes out as a UUID, a time with its zone.
"""

import itertools
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import asyncpg
import pytest

import servicekit.db.column_types  # noqa: F401 - registers how UUIDs and times are stored
from tests.support.postgres_server import ROLE, STRATEGY, PostgresServer, Server, execute_many, fetch, loop
from tools.config.paths import SHARE, DataPaths

Row: TypeAlias = tuple[Any, ...]


class Stored(Protocol):
    @property
    def url(self) -> str: ...

    def run(self, statement: str, *rows: Sequence[object]) -> None:
        """For each row of values; once without rows."""
        ...

    def read(self, query: str, *values: object) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class StoredInFile:
    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def run(self, statement: str, *rows: Sequence[object]) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(statement, rows or [()])

    def read(self, query: str, *values: object) -> list[Row]:
        with closing(sqlite3.connect(self.path, detect_types=sqlite3.PARSE_DECLTYPES)) as connection:
            return connection.execute(query, values).fetchall()


@dataclass(frozen=True, slots=True)
class StoredAt:
    """On a server, with the rights of the role that the URL names."""

    url: str

    def run(self, statement: str, *rows: Sequence[object]) -> None:
        loop.run(execute_many(self.url, number_parameters(statement), rows or [()]))

    def read(self, query: str, *values: object) -> list[Row]:
        return loop.run(fetch(self.url, number_parameters(query), values))


@dataclass(frozen=True, slots=True)
class StoredOnServer:
    server: Server
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def run(self, statement: str, *rows: Sequence[object]) -> None:
        self.server.execute_many(number_parameters(statement), rows or [()], database=self.name)

    def read(self, query: str, *values: object) -> list[Row]:
        return self.server.fetch(number_parameters(query), *values, database=self.name)

    def clear(self) -> None:
        tables = self.read(
            "SELECT string_agg(relname, ', ') FROM pg_stat_user_tables WHERE relname <> 'schema_version'"
        )
        self.run(f"TRUNCATE {tables[0][0]} RESTART IDENTITY")


def number_parameters(statement: str) -> str:
    numbers = itertools.count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", statement)


@dataclass(frozen=True, slots=True)
class StoredPlayers:
    """The databases that stats uses."""

    users: Stored
    shards: tuple[Stored, ...]

    @classmethod
    def in_files(cls, data_paths: DataPaths) -> "StoredPlayers":
        return cls(StoredInFile(data_paths.users), tuple(map(StoredInFile, data_paths.shards)))


class ServerDatabases:
    """Databases of each kind on a server, made when a test first needs one and then emptied."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._made: dict[str, StoredOnServer] = {}

    def empty(self, name: str) -> StoredOnServer:
        """`name` is that of the file in the default settings without its ending: `users`, `games0`."""
        if name in self._made:
            self._made[name].clear()
        else:
            schema = SHARE / "postgresql" / f"{name.rstrip('012')}.sql"
            self._server.create_database(name, schema=schema.read_text(encoding="utf-8"))
            self._server.keep_connection(name)
            self._made[name] = StoredOnServer(self._server, name)
        return self._made[name]


SUITE = ("users", "words", "answers", "plays", "games0", "games1", "games2")
suite_numbers = itertools.count()


def make_database(server: Server, name: str, template: str = "template0") -> StoredOnServer:
    """As an operator makes it: without tables, and not owned by the role of the services; or as a copy."""
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' STRATEGY {STRATEGY}")
    server.execute(f"GRANT CREATE ON SCHEMA public TO {ROLE}", database=name)
    return StoredOnServer(server, name)


def drop_database(database: StoredOnServer) -> None:
    database.server.execute(f"DROP DATABASE {database.name} WITH (FORCE)")


@contextmanager
def new_copy(database: StoredOnServer) -> Iterator[StoredOnServer]:
    copy = make_database(database.server, f"copy{next(suite_numbers)}", database.name)
    yield copy
    drop_database(copy)


@contextmanager
def new_suite_databases(
    server: Server, templates: Mapping[str, StoredOnServer] | None = None
) -> Iterator[dict[str, StoredOnServer]]:
    """The databases of a suite, empty or copies of those of another suite."""
    prefix = f"suite{next(suite_numbers)}"
    suite = {
        name: make_database(server, f"{prefix}_{name}", templates[name].name if templates else "template0")
        for name in SUITE
    }
    yield suite
    for database in suite.values():
        drop_database(database)


@contextmanager
def service_session(url: str) -> Iterator[None]:
    """A connection as services have them, which does nothing."""
    connection = loop.run(asyncpg.connect(url, server_settings={"application_name": "quintet"}))
    try:
        yield
    finally:
        loop.run(connection.close())


def read_all(suite: Mapping[str, StoredOnServer]) -> dict[str, list[str]]:
    """All rows of all tables."""
    tables = "SELECT relname FROM pg_stat_user_tables ORDER BY relname"
    return {
        f"{name}.{table}": sorted(map(str, database.read(f"SELECT * FROM {table}")))  # noqa: S608 - names of ours
        for name, database in suite.items()
        for (table,) in database.read(tables)
    }


def list_urls(suite: Mapping[str, StoredOnServer], *kinds: str) -> dict[str, str]:
    """The settings that put these kinds of databases on the server; without kinds, all."""
    shards = ",".join(suite[f"games{number}"].url for number in range(3))
    return {
        variable: shards if kind == "shards" else suite[kind].url
        for kind in kinds or VARIABLES
        for variable in VARIABLES[kind]
    }


def use_server(monkeypatch: pytest.MonkeyPatch, suite: Mapping[str, StoredOnServer], *kinds: str) -> None:
    """Puts these kinds of databases on the server, by the environment; the others stay files."""
    for variable, url in list_urls(suite, *kinds).items():
        monkeypatch.setenv(variable, url)


VARIABLES = {
    "users": ("USERS_DATABASE_URL", "STATS_USERS_URL"),
    "words": ("WORDS_DATABASE_URL",),
    "answers": ("GAMES_ANSWERS_URL",),
    "plays": ("GAMES_PLAYS_URL",),
    "shards": ("STATS_SHARD_URLS",),
}
"""The settings that name each kind of databases."""
