"""The ledger of ledger.py on PostgreSQL."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from servicekit.db.database import Database
from servicekit.db.engine import Engine
from tests.support.ledger import CHECK, Ledger
from tests.support.postgres_server import PostgresServer

SCHEMA = """
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
CREATE TABLE entries (number INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE total (amount INTEGER NOT NULL);
CREATE TABLE tally (entries INTEGER NOT NULL);
INSERT INTO total VALUES (0);
INSERT INTO tally VALUES (0);
INSERT INTO schema_version VALUES (1);
"""
count = itertools.count()


@dataclass(frozen=True, slots=True)
class PostgresLedger:
    server: PostgresServer
    name: str

    @property
    def engine(self) -> Engine:
        return Engine.POSTGRESQL

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def open(self, *, busy_timeout_ms: int = 10_000) -> Database:
        return Database(self.url, busy_timeout_ms=busy_timeout_ms, schema_version=1)

    def numbers(self) -> set[int]:
        """The numbers of the stored entries; fails if the tables disagree or a connection is left in a transaction."""
        assert self.server.count_open_transactions() == 0
        assert self.server.fetch(CHECK, database=self.name) == [(True,)]
        return {number for (number,) in self.server.fetch("SELECT number FROM entries", database=self.name)}

    def total(self) -> int:
        """As another process sees it."""
        return int(self.server.fetch("SELECT amount FROM total", database=self.name)[0][0])


AnyLedger: TypeAlias = Ledger | PostgresLedger


@contextmanager
def new_postgres_ledger(server: PostgresServer) -> Iterator[PostgresLedger]:
    name = f"ledger{next(count)}"
    server.create_database(name, schema=SCHEMA)
    yield PostgresLedger(server, name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
