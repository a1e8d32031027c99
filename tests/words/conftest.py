from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from servicekit.auth.tokens import Scope
from tests.support.openapi_checks import check_all_responses
from tests.support.tokens import TokenKeys
from tools.config.paths import SHARE
from tools.data.atomic_files import create_database, seal
from words.app import create_app
from words.settings import Settings

WORDS = ("abbey", "crane", "crank", "crape", "daddy", "zebra", "zesty")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "words.db"
    with closing(create_database(path, SHARE / "words.sql")) as connection:
        connection.executemany("INSERT INTO words VALUES (?)", [(word,) for word in WORDS])
    seal(path)
    return path


@pytest.fixture
def client(database: Path, token_keys: TokenKeys) -> Iterator[TestClient]:
    """A client of the words service, authorized as administrator."""
    settings = Settings(
        _env_file=None,
        database_url=f"sqlite:///{database}",
        busy_timeout_ms=200,
        instance="words.1",
        token_public_key_file=token_keys.public_key_file,
    )
    headers = token_keys.headers(Scope.ADMIN)
    with TestClient(create_app(settings), root_path="/api/words", headers=headers) as client:
        check_all_responses(client)
        yield client
