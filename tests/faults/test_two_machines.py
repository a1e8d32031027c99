"""Two formations, each with its own Traefik, on the same PostgreSQL databases and keys: as on two machines."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from servicekit.auth.tokens import Scope
from tests.support.live import RUNNER, UNLIMITED, choose_guesses, register, require_runner, token_headers
from tests.support.polling import wait_until
from tests.support.postgres_server import PostgresServer
from tests.support.stored import StoredOnServer, list_urls, new_suite_databases
from tools.process.stack import Stack, copy_project, running_stack

pytestmark = pytest.mark.faults
PLAYERS = 12
KEYS = ("tokens.key", "tokens.pub", "games.token")


@pytest.fixture(scope="module")
def databases(postgres_server: PostgresServer) -> Iterator[dict[str, StoredOnServer]]:
    with new_suite_databases(postgres_server) as suite:
        yield suite


@pytest.fixture(scope="module")
def machines(databases: dict[str, StoredOnServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stack]]:
    require_runner(RUNNER)
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    for root in (first, second):
        copy_project(root)
        with (root / ".env").open("a", encoding="utf-8") as dotenv:
            dotenv.writelines(f"{name}={url}\n" for name, url in list_urls(databases).items())
            dotenv.write("POSTGRES_CONNECTIONS=3\n")  # of each; the server allows a hundred
    subprocess.run([first / "bin" / "init"], check=True, capture_output=True)
    copy_keys(first, second)
    with ExitStack() as until_end:
        environment = UNLIMITED
        yield [
            until_end.enter_context(running_stack(root, runner=RUNNER, environment=environment))
            for root in (first, second)
        ]


def copy_keys(source: Path, target: Path) -> None:
    (target / "var").mkdir(exist_ok=True)
    for name in KEYS:
        shutil.copy2(source / "var" / name, target / "var" / name)


def play_on_both(machines: list[Stack], answer: str, seed: int) -> tuple[UUID, str]:
    """Registers a player on one machine and plays today's puzzle, each request on either; returns who and the count of
    the statistics that the game adds to."""
    rng = random.Random(seed)  # noqa: S311 - which machine
    wins_in = rng.choice([1, 2, 3, 4, 5, 6, None])
    with ExitStack() as until_end:
        clients = [
            until_end.enter_context(httpx.Client(base_url=f"{machine.url}/api/", timeout=20)) for machine in machines
        ]
        user = register(rng.choice(clients))
        headers = token_headers(rng.choice(machines), Scope.PLAYER, UUID(user))
        game_id = rng.choice(clients).get("games/today").json()["game_id"]
        play = f"games/{game_id}/plays/{user}"
        assert rng.choice(clients).put(play, headers=headers).status_code == 201
        for attempt, guess in enumerate(choose_guesses(answer, wins_in), start=1):
            body = {"attempt": attempt, "guess": guess}
            responses = [client.post(f"{play}/guesses", json=body, headers=headers) for client in clients]
            assert [response.status_code for response in responses] == [200, 200]
    return UUID(user), "fail" if wins_in is None else str(wins_in)


def test_two_machines_serve_one_game(machines: list[Stack], databases: dict[str, StoredOnServer]) -> None:
    """Every guess is sent to both machines."""
    game_id = httpx.get(f"{machines[0].url}/api/games/today").json()["game_id"]
    for machine in machines:
        check = f"{machine.url}/api/games/{game_id}/check"
        httpx.post(check, json={"guess": "crane"}, headers=token_headers(machine, Scope.ADMIN)).raise_for_status()
    ((answer,),) = databases["answers"].read("SELECT answer FROM answers WHERE game_id = ?", game_id)
    with ThreadPoolExecutor(PLAYERS) as pool:
        played = list(pool.map(lambda seed: play_on_both(machines, answer, seed), range(PLAYERS)))
    wait_until(lambda: databases["plays"].read("SELECT count(*) FROM outbox") == [(0,)])
    for user, count in played:
        for machine in machines:
            statistics = httpx.get(f"{machine.url}/api/stats/users/{user}").json()
            assert (statistics["gamesPlayed"], statistics["guesses"][count]) == (1, 1)
    for machine in machines:
        page = httpx.get(f"{machine.url}/api/stats/leaders/wins").json()
        assert page["players"] == PLAYERS
