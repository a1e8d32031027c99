from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tests.support.accounts import At, Caller, register
from tests.support.browser import Browser
from tests.support.clocks import SteppedClock
from tests.support.openapi_checks import check_all_responses
from tests.support.passwords import CountingHash
from tests.support.stored import Stored, StoredInFile
from tests.support.tokens import TokenKeys
from users.app import create_app
from users.settings import Settings


@pytest.fixture
def hasher() -> CountingHash:
    return CountingHash()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def stored(make_stored: Callable[[str], Stored]) -> Stored:
    """A users database with one legacy player, who has no password."""
    stored = make_stored("users")
    stored.run("INSERT INTO users VALUES (?, ?)", (UUID(bytes=bytes(range(16))), "o'neill  ümlaut;--"))
    return stored


@pytest.fixture
def database(stored: Stored) -> Path:
    """The file, in tests that do not run on PostgreSQL."""
    assert isinstance(stored, StoredInFile)
    return stored.path


@pytest.fixture
def settings(stored: Stored, token_keys: TokenKeys) -> Settings:
    return Settings(
        _env_file=None,
        database_url=stored.url,
        busy_timeout_ms=2000,
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
def at(make_app: Callable[[Settings], FastAPI], settings: Settings) -> Iterator[At]:
    """Creates callers at different addresses, all of one service instance."""
    with TestClient(ProxyHeadersMiddleware(make_app(settings), trusted_hosts="testclient")) as client:  # type: ignore[arg-type]  # uvicorn has types of its own
        yield lambda address: Caller(client, address)


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
