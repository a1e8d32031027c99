"""Schema versions of the databases agree in share/, in the services and in the upgrade steps."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import games.app
import games.queries
import games.settings
import stats.app
import stats.queries
import stats.settings
import users.app
import users.queries
import users.settings
import words.app
import words.queries
import words.settings
from servicekit.db.moves import INCOMPLETE, MOVED
from tests.support.scripts import environment, write_rows
from tools.config.paths import SHARE, DataPaths
from tools.data.upgrade_steps import STEPS

VERSIONS = {
    "users.sql": {users.queries.SCHEMA_VERSION, stats.queries.USERS_SCHEMA_VERSION},
    "games.sql": {stats.queries.SHARD_SCHEMA_VERSION},
    "words.sql": {words.queries.SCHEMA_VERSION},
    "answers.sql": {games.queries.ANSWERS_SCHEMA_VERSION},
    "plays.sql": {games.queries.PLAYS_SCHEMA_VERSION},
}
READERS = [
    ("users", "users.db"),
    ("words", "words.db"),
    ("games", "answers.db"),
    ("games", "plays.db"),
    ("stats", "users.db"),
    ("stats", "games1.db"),
]


def make_app(service: str) -> FastAPI:
    """A service's app on the databases named in the environment."""
    match service:
        case "users":
            return users.app.create_app(users.settings.Settings())
        case "words":
            return words.app.create_app(words.settings.Settings())
        case "games":
            return games.app.create_app(games.settings.Settings())
        case _:
            return stats.app.create_app(stats.settings.Settings())


@pytest.mark.parametrize("schema", VERSIONS)
def test_services_and_upgrades_have_the_version_of_share(schema: str) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript((SHARE / schema).read_text(encoding="utf-8"))
        (made,) = database.execute("PRAGMA user_version").fetchone()
    assert VERSIONS[schema] == {made}
    assert len(STEPS[schema]) == made


@pytest.mark.parametrize(("service", "name"), READERS)
@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (0, "Stop the suite and run bin/init"),
        (99, "later version"),
        (INCOMPLETE + 7, "is incomplete since bin/reshard was interrupted"),
        (MOVED + 7, "has been moved by bin/reshard"),
    ],
)
def test_database_of_another_schema_version_is_503(
    service: str, name: str, version: int, sentence: str, data_paths: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environment(data_paths).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(Path(data_paths.folder))  # where there is no .env
    with TestClient(make_app(service)) as client:
        assert client.get("/health").status_code == 200
    write_rows(data_paths.folder / name, f"PRAGMA user_version = {version}")

    with TestClient(make_app(service)) as client:
        response = client.get("/health")

    assert response.status_code == 503
    assert name in response.json()["detail"]
    assert sentence in response.json()["detail"]
