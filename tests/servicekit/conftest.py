import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from servicekit.db.database import Database
from servicekit.db.engine import Engine
from servicekit.db.sqlite_file import DatabaseFile
from tests.support.ledger import Ledger, create_ledger
from tests.support.ledger_service import create_ledger_service
from tests.support.postgres_ledger import AnyLedger, PostgresLedger, new_postgres_ledger
from tests.support.postgres_server import PostgresServer


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    create_ledger(tmp_path / "ledger.db")
    return Ledger(tmp_path / "ledger.db")


@pytest.fixture(params=Engine)
def any_ledger(request: pytest.FixtureRequest) -> Iterator[AnyLedger]:
    """A ledger on each engine."""
    if request.param is Engine.SQLITE:
        yield request.getfixturevalue("ledger")
    else:
        with new_postgres_ledger(request.getfixturevalue("postgres_server")) as ledger:
            yield ledger


@pytest.fixture
async def any_database(any_ledger: AnyLedger, anyio_backend: str) -> AsyncIterator[Database]:
    async with any_ledger.open() as database:
        yield database


@pytest.fixture
def postgres_ledger(postgres_server: PostgresServer) -> Iterator[PostgresLedger]:
    with new_postgres_ledger(postgres_server) as ledger:
        yield ledger


@pytest.fixture
async def database(ledger: Ledger, anyio_backend: str) -> AsyncIterator[Database]:
    async with ledger.open() as database:
        yield database


@pytest.fixture
def client(ledger: Ledger) -> Iterator[TestClient]:
    """A client of a small service on the ledger."""
    with TestClient(create_ledger_service(ledger), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL of all writer connections from now on, failed attempts included, from SQLite's trace callback."""
    seen: list[str] = []
    open_writer = DatabaseFile.open_writer

    def open_traced(file: DatabaseFile) -> sqlite3.Connection:
        connection = open_writer(file)
        connection.set_trace_callback(seen.append)
        return connection

    monkeypatch.setattr(DatabaseFile, "open_writer", open_traced)
    return seen
