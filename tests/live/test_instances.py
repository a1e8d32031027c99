"""Two instances of every service that has one by default, as docs/operating.md adds them."""

import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from servicekit.auth.tokens import Scope
from tests.support.live import (
    RUNNER,
    UNLIMITED,
    choose_guesses,
    find_instance,
    list_players,
    make_population,
    read_answer,
    register,
    token_headers,
    wait_until_delivered,
)
from tests.support.polling import wait_until
from tools.process.layout import read_layout
from tools.process.stack import Stack, copy_project, running_stack

pytestmark = pytest.mark.faults  # a suite of its own
DOUBLED = ("users", "words", "games")
HEALTH_CHECK = 'healthCheck = { path = "/live", interval = "500ms", timeout = "500ms" }'


def double_instances(root: Path) -> None:
    foreman, routes = root / ".foreman", root / "routes.toml"
    counts = ",".join(f"{service}=2" for service in DOUBLED)
    text = foreman.read_text(encoding="utf-8")
    foreman.write_text(text.replace("stats=3", f"stats=3,{counts}"), encoding="utf-8")
    text = routes.read_text(encoding="utf-8")
    for process in read_layout(root).services:
        service = process.name.partition(".")[0]
        if service in DOUBLED:
            text = re.sub(
                rf'(\[http\.services\.{service}\.loadBalancer]\nservers = \[\{{ url = "http://127\.0\.0\.1:\d+" \}})]',
                rf'\1, {{ url = "http://127.0.0.1:{process.port + 1}" }}]\n{HEALTH_CHECK}',
                text,
            )
    routes.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root = tmp_path_factory.mktemp("doubled")
    copy_project(root)
    make_population(root)
    double_instances(root)
    with running_stack(root, runner=RUNNER, environment=UNLIMITED) as running:
        yield running


def play(stack: Stack, player: UUID, guesses: list[str]) -> set[str]:
    """Plays today's puzzle; returns the instances that answered."""
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=20) as api:
        api.headers.update(token_headers(stack, Scope.PLAYER, player))
        url = f"games/{api.get('games/today').json()['game_id']}/plays/{player}"
        responses = [api.put(url)]
        for attempt, guess in enumerate(guesses, start=1):
            responses.append(api.post(f"{url}/guesses", json={"attempt": attempt, "guess": guess}))
        assert {response.status_code for response in responses} <= {200, 201}, responses[-1].text
        assert responses[-1].json()["status"] == "won"
        return {response.headers["X-Served-By"] for response in responses}


def test_two_instances_play_one_game(stack: Stack) -> None:
    game_id = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    guesses = choose_guesses(read_answer(stack, game_id), 4)
    players = list_players(stack)[:8]
    before = [httpx.get(f"{stack.url}/api/stats/users/{player}").json() for player in players]
    with ThreadPoolExecutor(len(players)) as pool:
        served = set[str]().union(*pool.map(lambda player: play(stack, player, guesses), players))
    wait_until_delivered(stack)
    assert served == {"games.1", "games.2"}
    for player, statistics in zip(players, before, strict=True):
        now = httpx.get(f"{stack.url}/api/stats/users/{player}").json()
        assert now["gamesPlayed"] == statistics["gamesPlayed"] + 1


@pytest.mark.parametrize("frozen", [f"{service}.1" for service in DOUBLED])
def test_frozen_instance_fails_no_request(stack: Stack, frozen: str) -> None:
    """Its requests go to the other one: the first of them after Traefik's time limit, the next ones at once."""
    (process,) = find_instance(stack, frozen).processes
    service = frozen.partition(".")[0]
    paths = {"users": "users?limit=1", "words": "words/crane", "games": "games/today"}
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=20) as api:
        process.send_signal(signal.SIGSTOP)
        try:
            responses = [api.get(paths[service]) for _ in range(8)]
            user = register(api)
            game_id = api.get("games/today").json()["game_id"]
            play(stack, UUID(user), choose_guesses(read_answer(stack, game_id), 2))
        finally:
            process.send_signal(signal.SIGCONT)
        assert {response.status_code for response in responses} == {200}
        assert {response.headers["X-Served-By"] for response in responses} == {f"{service}.2"}
        wait_until(lambda: api.get(paths[service]).headers["X-Served-By"] == frozen)


def test_registration_and_log_in_survive_a_freeze_of_their_instance(stack: Stack) -> None:
    """Of four requests at once two are on their way to the frozen instance, before its health check fails."""
    (process,) = find_instance(stack, "users.1").processes
    names = [f"freeze{number}" for number in range(4)]
    passwords = {"password": "a long password"}
    with (
        httpx.Client(base_url=f"{stack.url}/api/", timeout=20) as api,
        ThreadPoolExecutor(len(names)) as pool,
    ):
        for send in (
            lambda name: api.post("users", json={"username": name} | passwords),
            lambda name: api.post("users/token", data={"username": name} | passwords),
        ):
            wait_until(
                lambda: {api.get("users?limit=1").headers["X-Served-By"] for _ in range(4)} == {"users.1", "users.2"}
            )
            process.send_signal(signal.SIGSTOP)
            try:
                responses = list(pool.map(send, names))
            finally:
                process.send_signal(signal.SIGCONT)
            assert {response.status_code for response in responses} <= {200, 201}, responses
            assert {response.headers["X-Served-By"] for response in responses} == {"users.2"}
