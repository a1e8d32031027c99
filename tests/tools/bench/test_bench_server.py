import os

import pytest

from tests.support.postgres_server import SUPERUSER, PostgresServer
from tools.bench.bench_server import (
    PREFIX,
    describe_server,
    find_parent_server,
    find_server_process,
    new_database,
    settle,
)
from tools.data.server_connections import connected


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.url("postgres", role=SUPERUSER)


def list_databases(server: PostgresServer) -> list[str]:
    return [name for (name,) in server.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", PREFIX)]


def test_database_is_dropped_at_the_end_of_its_block(postgres_server: PostgresServer, url: str) -> None:
    with new_database(url, "other") as made:
        with connected(made) as connection:
            connection.execute("CREATE TABLE words (number INTEGER)")
        settle(made)
        assert list_databases(postgres_server) == [f"{PREFIX}other"]
    assert list_databases(postgres_server) == []


def test_database_replaces_what_a_killed_run_has_left(postgres_server: PostgresServer, url: str) -> None:
    postgres_server.execute(f"CREATE DATABASE {PREFIX}other")
    postgres_server.execute("CREATE TABLE words (number INTEGER)", database=f"{PREFIX}other")
    with new_database(url, "other") as made, connected(made) as connection:
        assert connection.fetch("SELECT COUNT(*) FROM pg_tables WHERE tablename = 'words'")[0][0] == 0


def test_server_process_is_the_parent_of_its_backends(postgres_server: PostgresServer, url: str) -> None:
    assert find_server_process(url).pid == postgres_server.process.pid


def test_other_processes_belong_to_no_server() -> None:
    """As where the server is on another machine: Linux has no number above 2^22."""
    assert find_parent_server(os.getpid()) is None
    assert find_parent_server(2**22 + 1) is None


def test_server_is_described_with_its_version_and_settings(url: str) -> None:
    assert describe_server(url).startswith("PostgreSQL 18.")
    assert "fsync=off" in describe_server(url)
