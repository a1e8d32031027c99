"""A database that bin/moveshard moves from one server to another."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.support.postgres_server import ROLE, SUPERUSER, PostgresServer
from tests.support.stored import VARIABLES, StoredOnServer, drop_database, make_database, read_all

IS_FENCED = """
SELECT count(*) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
WHERE datname = current_database() AND setconfig = '{default_transaction_read_only=on}'
"""
REPLICATION = """
SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_subscription)
     + (SELECT count(*) FROM pg_replication_slots)
"""


@dataclass(frozen=True, slots=True)
class MovedDatabase:
    old: StoredOnServer
    new: StoredOnServer

    @property
    def arguments(self) -> list[str]:
        """Of bin/moveshard."""
        old, new = (stored.server.url(stored.name, role=SUPERUSER) for stored in (self.old, self.new))
        return ["--from", old, "--to", new]

    @property
    def url(self) -> str:
        """With both hosts."""
        old, new = (urlsplit(stored.url).netloc.partition("@")[2] for stored in (self.old, self.new))
        return self.old.url.replace(old, f"{old},{new}")

    def use_both(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Changes the settings of this process that name the old database."""
        for variable in itertools.chain.from_iterable(VARIABLES.values()):
            monkeypatch.setenv(variable, os.environ[variable].replace(self.old.url, self.url))

    def list_writable(self) -> list[str]:
        """The names of the fields whose databases the services can write to."""
        return [name for name, stored in (("old", self.old), ("new", self.new)) if stored.read(IS_FENCED) == [(0,)]]

    def read_rows(self, stored: StoredOnServer) -> dict[str, list[str]]:
        return read_all({"": stored})

    def has_replication(self) -> bool:
        """Whether anything of it is left on either server."""
        return any(stored.read(REPLICATION) != [(0,)] for stored in (self.old, self.new))


@contextmanager
def prepared_move(old: StoredOnServer, server: PostgresServer) -> Iterator[MovedDatabase]:
    """The new database is as docs/operating.md says: empty and fenced."""
    new = make_database(server, old.name)
    server.execute(f"ALTER ROLE {ROLE} IN DATABASE {new.name} SET default_transaction_read_only = on")
    yield MovedDatabase(old, new)
    drop_database(new)
