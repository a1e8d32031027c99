from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.old_databases import CREATE_MORE, CREATE_TABLES, dump_file, make_file
from tests.support.postgres_server import PostgresServer, find_binaries
from tests.support.scripts import copy_keys, use_databases
from tests.support.stored import StoredOnServer, new_suite_databases, use_server
from tools.config.paths import DataPaths
from tools.data import init, populate


@pytest.fixture
def dump_text(tmp_path: Path) -> str:
    """An old database as SQL text."""
    return dump_file(make_file(tmp_path / "dumped.db", schema=CREATE_TABLES + CREATE_MORE))


@pytest.fixture
def on_server(postgres_server: PostgresServer) -> Iterator[dict[str, StoredOnServer]]:
    with new_suite_databases(postgres_server) as suite:
        yield suite


@pytest.fixture(scope="session")
def populated_suite(
    postgres_server: PostgresServer, populated_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, StoredOnServer]]:
    """Databases on a server with the players, games and keys of `populated_folder`, to be copied."""
    data_paths = DataPaths.in_folder(tmp_path_factory.mktemp("populated_suite") / "var")
    data_paths.folder.mkdir()
    copy_keys(DataPaths.in_folder(populated_folder), data_paths)
    with new_suite_databases(postgres_server) as suite, pytest.MonkeyPatch.context() as monkeypatch:
        use_databases(data_paths, monkeypatch)
        use_server(monkeypatch, suite)
        populate.main(["--users", "300", "--games", "3000"])
        init.main([])
        yield suite


@pytest.fixture
def populated_on_server(
    postgres_server: PostgresServer, populated_suite: dict[str, StoredOnServer]
) -> Iterator[dict[str, StoredOnServer]]:
    """Copies, which no setting names yet."""
    with new_suite_databases(postgres_server, populated_suite) as suite:
        yield suite


@pytest.fixture
def suite(
    populated: DataPaths, populated_on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> dict[str, StoredOnServer]:
    """All databases on the server; the keys are files."""
    use_server(monkeypatch, populated_on_server)
    return populated_on_server


@pytest.fixture
def postgres_programs(monkeypatch: pytest.MonkeyPatch, postgres_server: PostgresServer) -> None:
    """pg_dump and pg_restore of the server's version."""
    monkeypatch.setenv("PG_BIN", str(find_binaries()))


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """Where the backups of a test lie, and nothing else."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder
