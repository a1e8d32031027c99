import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

import games.app
import games.settings
import words.app
import words.settings
from games.deps import Clock, get_clock
from tests.openapi_checks import hold_to_document
from tools.locations import SHARE
from tools.staging import create_database, seal

TODAY = 1983
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""Of the day of game 1983."""
CANDIDATES = ("abbey", "ahead", "crane", "daddy", "eerie", "geese", "zebra")


class SteppedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON
        self.before: list[datetime] = []
        """What it shows, reading by reading, before it shows `now`."""
        self.was_read = threading.Event()

    def __call__(self) -> datetime:
        self.was_read.set()
        return self.before.pop(0) if self.before else self.now

    def move_days(self, days: int) -> None:
        self.now += timedelta(days=days)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Candidates, and the answers of games 1980 to 1984: `ahead` today."""
    path = tmp_path / "answers.db"
    with closing(create_database(path, SHARE / "answers.sql")) as connection:
        connection.executemany("INSERT INTO candidates VALUES (?)", [(word,) for word in CANDIDATES])
        drawn = [(1980, "zebra"), (1981, "geese"), (1982, "daddy"), (TODAY, "ahead"), (1984, "crane")]
        connection.executemany("INSERT INTO answers VALUES (?, ?)", drawn)
    seal(path)
    return path


def serve(app: FastAPI) -> Iterator[str]:
    """The URL of an app that a real uvicorn serves, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def words_database(tmp_path: Path) -> Path:
    path = tmp_path / "words.db"
    with closing(create_database(path, SHARE / "words.sql")) as connection:
        connection.executemany("INSERT INTO words VALUES (?)", [(word,) for word in CANDIDATES])
    seal(path)
    return path


@pytest.fixture
def words_url(words_database: Path) -> Iterator[str]:
    """A real words service with the candidates as its dictionary."""
    yield from serve(
        words.app.create_app(words.settings.Settings(_env_file=None, database_url=f"sqlite:///{words_database}"))
    )


@pytest.fixture
def make_client(database: Path, clock: SteppedClock) -> Callable[[str], TestClient]:
    """A client of a games service that asks the words service at a URL."""

    def make(words_url: str) -> TestClient:
        settings = games.settings.Settings(
            _env_file=None,
            answers_url=f"sqlite:///{database}",
            words_url=words_url,
            busy_timeout_ms=200,
            instance="games.1",
        )
        app = games.app.create_app(settings)

        async def get_stepped_clock() -> Clock:
            return clock

        app.dependency_overrides[get_clock] = get_stepped_clock
        return TestClient(app, root_path="/api/games")

    return make


@pytest.fixture
def client(make_client: Callable[[str], TestClient], words_url: str) -> Iterator[TestClient]:
    with make_client(words_url) as client:
        hold_to_document(client)
        yield client
