"""A whole suite on PostgreSQL, made by its own scripts and played through Traefik."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from servicekit.auth.tokens import Scope
from tests.support.live import RUNNER, UNLIMITED, choose_guesses, register, require_runner, token_headers
from tests.support.postgres_server import PostgresServer
from tests.support.stored import StoredOnServer, list_urls, new_suite_databases
from tools.process.stack import Stack, copy_project, running_stack


@pytest.fixture(scope="module")
def databases(postgres_server: PostgresServer) -> Iterator[dict[str, StoredOnServer]]:
    with new_suite_databases(postgres_server) as suite:
        yield suite


@pytest.fixture(scope="module")
def root(databases: dict[str, StoredOnServer], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose .env names the databases, with a small population."""
    require_runner(RUNNER)
    root = tmp_path_factory.mktemp("postgres")
    copy_project(root)
    with (root / ".env").open("a", encoding="utf-8") as dotenv:
        dotenv.writelines(f"{name}={url}\n" for name, url in list_urls(databases).items())
    subprocess.run([root / "bin" / "populate", "--users", "300", "--games", "2000"], check=True, capture_output=True)
    return root


@pytest.fixture(scope="module")
def stack_on_server(root: Path) -> Iterator[Stack]:
    with running_stack(root, runner=RUNNER, environment=UNLIMITED) as stack:
        yield stack


def test_game_is_played_and_counted(stack_on_server: Stack, databases: dict[str, StoredOnServer]) -> None:
    with httpx.Client(base_url=f"{stack_on_server.url}/api/", timeout=10) as api:
        before = api.get("stats/leaders/wins").json()["players"]
        user = register(api)
        game_id = api.get("games/today").json()["game_id"]
        api.headers.update(token_headers(stack_on_server, Scope.PLAYER, UUID(user)))
        play = f"games/{game_id}/plays/{user}"
        assert api.put(play, json={"hard": False}).status_code == 201
        ((answer,),) = databases["answers"].read("SELECT answer FROM answers WHERE game_id = ?", game_id)
        for attempt, guess in enumerate(choose_guesses(answer, 3), start=1):
            state = api.post(f"{play}/guesses", json={"attempt": attempt, "guess": guess}).raise_for_status().json()
        assert (state["status"], state["statistics"]["gamesWon"], state["distribution"]["won"]) == ("won", 1, 1)
        for _ in range(3):  # each instance
            page = api.get("stats/leaders/wins", params={"around": user, "limit": 1}).json()
            assert page["players"] == before + 1
            assert page["leaders"][0]["wins"] == 1
        assert databases["plays"].read("SELECT count(*) FROM outbox") == [(0,)]
    assert not list((stack_on_server.root / "var").glob("*.db"))


def test_instance_is_replaced(stack_on_server: Stack) -> None:
    restart = [str(stack_on_server.root / "bin" / "restart"), "words"]
    assert subprocess.run(restart, capture_output=True, text=True, check=True).stdout.endswith("1 instance replaced.\n")


def test_status_shows_the_connections_of_the_server(stack_on_server: Stack, postgres_server: PostgresServer) -> None:
    status = subprocess.run([stack_on_server.root / "bin" / "status"], capture_output=True, text=True, check=False)
    assert f"PostgreSQL at 127.0.0.1:{postgres_server.port}: " in status.stdout
    assert status.stdout.endswith("of 97 that it allows; this formation opens 64 at most.\n")


def test_more_connections_than_the_server_allows_are_refused(root: Path) -> None:
    environment = {**os.environ, "POSTGRES_CONNECTIONS": "10"}
    code = (
        "from tools.process.connections import require_connections; from tools.process.layout import read_layout;"
        "from tools.config.paths import ROOT; require_connections(read_layout(ROOT))"
    )
    refused = subprocess.run(
        [root / "bin" / "python", "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert "may open 160 connections" in refused.stderr
    assert "which allows 97" in refused.stderr
