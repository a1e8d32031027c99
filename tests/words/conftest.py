from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from servicekit.auth.tokens import Scope
from tests.support.openapi_checks import check_all_responses
from tests.support.stored import Stored, StoredInFile
from tests.support.tokens import TokenKeys
from words.app import create_app
from words.settings import Settings

WORDS = ("abbey", "crane", "crank", "crape", "daddy", "zebra", "zesty")


@pytest.fixture
def stored(make_stored: Callable[[str], Stored]) -> Stored:
    stored = make_stored("words")
    stored.run("INSERT INTO words VALUES (?)", *((word,) for word in WORDS))
    return stored


@pytest.fixture
def database(stored: Stored) -> Path:
    """The file of the dictionary, in tests that do not run on PostgreSQL."""
    assert isinstance(stored, StoredInFile)
    return stored.path


@pytest.fixture
def client(stored: Stored, token_keys: TokenKeys) -> Iterator[TestClient]:
    """A client of the words service, authorized as administrator."""
    settings = Settings(
        _env_file=None,
        database_url=stored.url,
        busy_timeout_ms=2000,
        instance="words.1",
        token_public_key_file=token_keys.public_key_file,
    )
    headers = token_keys.headers(Scope.ADMIN)
    with TestClient(create_app(settings), root_path="/api/words", headers=headers) as client:
        check_all_responses(client)
        yield client
