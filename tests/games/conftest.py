import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

import games.app
import games.settings
from servicekit.auth.tokens import Scope
from tests.support.clocks import GameClock
from tests.support.game_services import CANDIDATES, Stats, make_words_app
from tests.support.openapi_checks import check_all_responses
from tests.support.players import ANSWER, TODAY, Player
from tests.support.servers import serving
from tests.support.stored import Stored, StoredInFile
from tests.support.tokens import TokenKeys
from tools.config.paths import DataPaths


@pytest.fixture
def clock() -> GameClock:
    return GameClock()


@pytest.fixture
def stored_answers(make_stored: Callable[[str], Stored]) -> Stored:
    """Candidates, and answers of games 1980 to 1984 (`ahead` today, `crane` set for tomorrow)."""
    stored = make_stored("answers")
    stored.run("INSERT INTO candidates VALUES (?)", *((word,) for word in CANDIDATES))
    drawn = [(1980, "zebra"), (1981, "geese"), (1982, "daddy"), (TODAY, ANSWER)]
    stored.run("INSERT INTO answers VALUES (?, ?, 'drawn')", *drawn)
    stored.run("INSERT INTO answers VALUES (1984, 'crane', 'operator')")
    return stored


@pytest.fixture
def stored_plays(make_stored: Callable[[str], Stored]) -> Stored:
    return make_stored("plays")


@pytest.fixture
def database(stored_answers: Stored) -> Path:
    """The file of the answers, in tests that do not run on PostgreSQL."""
    assert isinstance(stored_answers, StoredInFile)
    return stored_answers.path


@pytest.fixture
def plays_database(stored_plays: Stored) -> Path:
    """The file of the plays, likewise."""
    assert isinstance(stored_plays, StoredInFile)
    return stored_plays.path


@pytest.fixture(scope="session")
def words_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a words service under a real uvicorn."""
    with serving(make_words_app(tmp_path_factory.mktemp("words") / "words.db")) as url:
        yield url


@pytest.fixture(scope="session")
def stats_service(empty_databases: Path, tmp_path_factory: pytest.TempPathFactory, token_keys: TokenKeys) -> Stats:
    folder = shutil.copytree(empty_databases, tmp_path_factory.mktemp("stats") / "var")
    return Stats(DataPaths.in_folder(folder), token_keys)


@pytest.fixture(scope="session")
def stats_url(stats_service: Stats) -> Iterator[str]:
    """The URL of a stats service under a real uvicorn."""
    with serving(stats_service.make_app()) as url:
        yield url


@pytest.fixture
def token_file(tmp_path: Path, token_keys: TokenKeys) -> Path:
    path = tmp_path / "games.token"
    path.write_text(token_keys.token(Scope.SERVICE) + "\n", encoding="ascii")
    return path


@pytest.fixture
def settings(
    stored_answers: Stored,
    stored_plays: Stored,
    words_url: str,
    stats_url: str,
    token_file: Path,
    token_keys: TokenKeys,
) -> games.settings.Settings:
    return games.settings.Settings(
        _env_file=None,
        answers_url=stored_answers.url,
        plays_url=stored_plays.url,
        words_url=words_url,
        stats_url=stats_url,
        service_token_file=token_file,
        token_public_key_file=token_keys.public_key_file,
        busy_timeout_ms=2000,
        words_timeout_s=20,  # generous: the service shares the interpreter with a dozen test threads
        instance="games.1",
    )


@pytest.fixture
def make_client(
    settings: games.settings.Settings, clock: GameClock, token_keys: TokenKeys
) -> Callable[..., TestClient]:
    """Creates clients of a games service with changed settings, authorized as administrator by default."""

    def make(**changes: object) -> TestClient:
        app = games.app.create_app(settings.model_copy(update=changes), clock=clock)
        return TestClient(app, root_path="/api/games", headers=token_keys.headers(Scope.ADMIN))

    return make


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> Iterator[TestClient]:
    with make_client() as client:
        check_all_responses(client)
        yield client


@pytest.fixture
def make_player(stats_service: Stats, token_keys: TokenKeys) -> Callable[[TestClient | httpx.Client], Player]:
    """Creates players who are registered with stats."""

    def make(client: TestClient | httpx.Client) -> Player:
        user_id = uuid4()
        stats_service.register(user_id)
        return Player(client, user_id, token_keys.headers(Scope.PLAYER, user_id))

    return make


@pytest.fixture
def player(client: TestClient, make_player: Callable[[TestClient], Player]) -> Player:
    return make_player(client)
