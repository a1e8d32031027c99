from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.moved_suites import MovedSuite, add_rows
from tests.support.postgres_server import PostgresServer
from tests.support.stored import new_suite_databases
from tools.config.paths import DataPaths


@pytest.fixture
def old(populated: DataPaths) -> MovedSuite:
    suite = MovedSuite.in_files(populated)
    add_rows(suite)
    return suite


@pytest.fixture
def new(tmp_path: Path) -> MovedSuite:
    """Where twelve shards will be."""
    return MovedSuite.in_files(DataPaths.in_folder(tmp_path / "new", shards=12))


@pytest.fixture
def file(new: MovedSuite, tmp_path: Path) -> Path:
    return new.write_settings(tmp_path / "new.env")


@pytest.fixture
def server_suite(postgres_server: PostgresServer) -> Iterator[MovedSuite]:
    with new_suite_databases(postgres_server) as databases:
        yield MovedSuite.on_server(databases)
