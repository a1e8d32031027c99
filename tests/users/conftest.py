from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.support.accounts import register
from tests.support.browser import Browser
from tests.support.clocks import SteppedClock
from tests.support.openapi_checks import check_all_responses
from tests.support.passwords import CountingHash
from tests.support.tokens import TokenKeys
from tools.config.paths import SHARE
from tools.data.atomic_files import create_database, seal
from users.app import create_app
from users.settings import Settings


@pytest.fixture
def hasher() -> CountingHash:
    return CountingHash()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A users database with one legacy player, who has no password."""
    path = tmp_path / "users.db"
    with closing(create_database(path, SHARE / "users.sql")) as connection:
        connection.execute("INSERT INTO users VALUES (?, ?)", (bytes(range(16)), "o'neill  ümlaut;--"))
    seal(path)
    return path


@pytest.fixture
def settings(database: Path, token_keys: TokenKeys) -> Settings:
    return Settings(
        _env_file=None,
        database_url=f"sqlite:///{database}",
        busy_timeout_ms=1000,
        instance="users.1",
        token_public_key_file=token_keys.public_key_file,
        token_private_key_file=token_keys.private_key_file,
    )


@pytest.fixture
def make_app(clock: SteppedClock, hasher: CountingHash) -> Callable[[Settings], FastAPI]:
    """Creates the users app with the test's clock and hasher."""

    def make(settings: Settings) -> FastAPI:
        return create_app(settings, hasher=hasher, clock=clock)

    return make


@pytest.fixture
def client(make_app: Callable[[Settings], FastAPI], settings: Settings) -> Iterator[TestClient]:
    with TestClient(make_app(settings), root_path="/api/users") as client:
        check_all_responses(client)
        yield client


@pytest.fixture
def ada(client: TestClient) -> UUID:
    """The id of a player."""
    return register(client)


@pytest.fixture
def browser(client: TestClient, ada: UUID) -> Browser:
    """Signed in as ada."""
    browser = Browser(client)
    assert browser.sign_in().status_code == 200
    return browser
