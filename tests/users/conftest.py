from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.openapi_checks import hold_to_document
from tools.locations import SHARE
from tools.staging import create_database, seal
from users.app import create_app
from users.settings import Settings


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A users database with one player from older days."""
    path = tmp_path / "users.db"
    with closing(create_database(path, SHARE / "users.sql")) as connection:
        connection.execute("INSERT INTO users VALUES (?, ?)", (bytes(range(16)), "o'neill  ümlaut;--"))
    seal(path)
    return path


@pytest.fixture
def client(database: Path) -> Iterator[TestClient]:
    settings = Settings(_env_file=None, database_url=f"sqlite:///{database}", busy_timeout_ms=200, instance="users.1")
    with TestClient(create_app(settings), root_path="/api/users") as client:
        hold_to_document(client)
        yield client
