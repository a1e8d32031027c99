"""Fixtures that more than one folder of tests uses: fresh databases, and the stats service on them."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import stats.app
import stats.settings
from tests.openapi_checks import hold_to_document
from tools.locations import SHARE, Locations

BUSY_TIMEOUT_MS = 5000


@pytest.fixture
def anyio_backend() -> str:
    """Tests that are `async def` and marked `anyio` run under asyncio, as the services do."""
    return "asyncio"


def locate(folder: Path) -> Locations:
    shards = (folder / "games0.db", folder / "games1.db", folder / "games2.db")
    return Locations(folder / "users.db", shards, folder / "words.db", folder / "answers.db")


@pytest.fixture(scope="session")
def empty_databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every database as share/ describes it, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    for path in locate(folder).all:
        schema = SHARE / f"{path.stem.rstrip('012')}.sql"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(schema.read_text(encoding="utf-8"))
            connection.execute("PRAGMA journal_mode = WAL")
    return folder


@pytest.fixture
def locations(tmp_path: Path, empty_databases: Path) -> Locations:
    """Fresh databases, all empty."""
    return locate(shutil.copytree(empty_databases, tmp_path / "var"))


@pytest.fixture
def stats_settings(locations: Locations) -> stats.settings.Settings:
    return stats.settings.Settings(
        _env_file=None,  # what the developer has in .env is not the tests' business
        instance="stats.1",
        users_url=f"sqlite:///{locations.users}",
        shard_urls=tuple(f"sqlite:///{shard}" for shard in locations.shards),
        busy_timeout_ms=BUSY_TIMEOUT_MS,
    )


@pytest.fixture
def stats_client(stats_settings: stats.settings.Settings) -> Iterator[TestClient]:
    """The stats service on `locations`; an exception in it, or a response that it does not describe, fails the test."""
    with TestClient(stats.app.create_app(stats_settings)) as client:
        hold_to_document(client)
        yield client
