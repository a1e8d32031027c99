"""Whole games through Traefik, from registration to leaderboard, also with games killed before delivery."""

import asyncio
import os
import random
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import httpx
import pytest

from servicekit.auth.tokens import Scope
from tests.support.live import (
    PASSWORD,
    choose_guesses,
    count_waiting,
    find_instance,
    list_players,
    read_answer,
    register,
    token_headers,
    wait_until_delivered,
)
from tests.support.players import repeat_until_given
from tools.process.stack import Stack

CONNECTIONS = 64
Send: TypeAlias = Callable[..., Awaitable[httpx.Response]]
State: TypeAlias = dict[str, Any]
Statistics: TypeAlias = dict[str, Any]
Json: TypeAlias = dict[str, Any]


def play(api: httpx.Client, user: str, game_id: int, guesses: list[str]) -> State:
    """Plays a game and returns the state after the last guess."""
    url = f"games/{game_id}/plays/{user}"
    assert api.put(url, json={"hard": False}).status_code == 201
    for attempt, guess in enumerate(guesses, start=1):
        response = api.post(f"{url}/guesses", json={"attempt": attempt, "guess": guess})
        assert response.status_code == 200, response.text
    state: State = response.json()
    return state


def read_distribution(stack: Stack, game_id: int) -> Json:
    headers = token_headers(stack, Scope.SERVICE)
    distribution: Json = httpx.get(f"{stack.url}/api/stats/games/{game_id}", headers=headers).raise_for_status().json()
    return distribution


def test_new_player_plays_and_appears_on_the_leaderboard(stack: Stack, api: httpx.Client) -> None:
    user = register(api)
    name = api.get(f"users/{user}").json()["username"]
    token = api.post("users/token", data={"username": name, "password": PASSWORD}).json()
    assert token["token_type"] == "bearer"  # noqa: S105 - not a secret
    api.headers["Authorization"] = f"Bearer {token['access_token']}"
    game_id = api.get("games/today").json()["game_id"]
    answer = read_answer(stack, game_id)
    play(api, user, game_id, choose_guesses(answer, 3))
    last = partial(api.post, f"games/{game_id}/plays/{user}/guesses", json={"attempt": 3, "guess": answer})
    state = repeat_until_given(last, "distribution")
    assert (state["status"], state["answer"], state["remaining"]) == ("won", answer, 0)
    assert state["distribution"]["guesses"]["3"] >= 1
    assert state["distribution"]["played"] >= state["distribution"]["won"] >= 1
    wait_until_delivered(stack)
    assert api.get(f"stats/users/{user}").json()["guesses"]["3"] == 1
    assert api.get(f"stats/games/{game_id}").status_code == 403  # public from midnight on
    assert read_distribution(stack, game_id)["played"] >= state["distribution"]["played"]
    assert api.get(f"stats/games/{game_id - 1}").status_code == 200
    around = api.get("stats/leaders/wins", params={"around": user, "limit": 3}).json()["leaders"]
    assert user in [row["user_id"] for row in around]
    shared = api.get(f"games/{game_id}/plays/{user}/share").text
    assert shared.startswith(f"Quintet {game_id} 3/6\n")
    assert shared.rstrip().endswith("🟩🟩🟩🟩🟩")
    log = stack.log.read_text(encoding="utf-8")
    assert token["access_token"] not in log
    assert PASSWORD not in log
    assert f"/{answer}" not in log


def test_writes_without_the_required_scope_are_401_or_403(stack: Stack, api: httpx.Client) -> None:
    user, other = register(api), register(api)
    game_id = api.get("games/today").json()["game_id"]
    result = {"game_id": game_id, "won": True, "guesses": 1}
    for headers, status in (({}, 401), (token_headers(stack, Scope.PLAYER, UUID(other)), 403)):
        assert api.put(f"games/{game_id}/plays/{user}", headers=headers).status_code == status
        assert api.post(f"stats/users/{user}/games", json=result, headers=headers).status_code == status
        for open_game in (game_id, game_id - 1):  # yesterday's game can still be finished
            check = api.post(f"games/{open_game}/check", json={"guess": "crane"}, headers=headers)
            assert check.status_code == status
        assert api.put("words/zzzzz", headers=headers).status_code == status
        assert api.put(f"games/{game_id + 1}/answer", json={"answer": "crane"}, headers=headers).status_code == status
    assert api.get(f"stats/users/{user}").json()["gamesPlayed"] == 0


@dataclass(frozen=True, slots=True)
class PlannedGame:
    player: UUID
    headers: dict[str, str]
    url: str
    """Of the play, relative to /api/."""
    guesses: list[str]
    expected_count: str
    """The count of the statistics that the game increments: the number of guesses, or `fail`."""


def plan_games(stack: Stack, count: int) -> list[PlannedGame]:
    """Today's game for some players of the population, to be won with any number of guesses, or lost."""
    game_id = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    answer = read_answer(stack, game_id)
    rng = random.Random(2022)  # noqa: S311 - the same games in every run
    plans = []
    for player in list_players(stack)[:count]:
        wins_in = rng.choice([1, 2, 3, 4, 5, 6, None])
        headers, url = token_headers(stack, Scope.PLAYER, player), f"games/{game_id}/plays/{player}"
        expected = "fail" if wins_in is None else str(wins_in)
        plans.append(PlannedGame(player, headers, url, choose_guesses(answer, wins_in), expected))
    return plans


async def play_all(stack: Stack, plans: list[PlannedGame]) -> list[tuple[Statistics, State]]:
    """Plays the games at the same time; returns the statistics before each one, and its state at the end."""
    semaphore = asyncio.Semaphore(CONNECTIONS)  # httpx's pool is slow with a thousand waiters
    async with httpx.AsyncClient(base_url=f"{stack.url}/api/", timeout=60) as client:

        async def send(method: str, url: str, plan: PlannedGame, body: object = None) -> httpx.Response:
            async with semaphore:
                return await client.request(method, url, json=body, headers=plan.headers)

        async with asyncio.TaskGroup() as group:  # closes all connections when one of the games fails
            games = [group.create_task(play_planned(send, plan)) for plan in plans]
        return [game.result() for game in games]


async def play_planned(send: Send, plan: PlannedGame) -> tuple[Statistics, State]:
    before = (await send("GET", f"stats/users/{plan.player}", plan)).json()
    begun = await send("PUT", plan.url, plan)
    assert begun.status_code in {200, 201}, begun.text  # 200 when Traefik had to send it again
    for attempt, guess in enumerate(plan.guesses, start=1):
        body = {"attempt": attempt, "guess": guess}
        times = 2 if attempt % 3 == 0 else 1
        responses = await asyncio.gather(*(send("POST", f"{plan.url}/guesses", plan, body) for _ in range(times)))
        assert [response.status_code for response in responses] == [200] * times, responses[0].text
    return before, responses[0].json()


@pytest.mark.parametrize("games", [100, pytest.param(1000, marks=pytest.mark.faults)])
def test_concurrent_games_agree_with_the_statistics(stack: Stack, games: int) -> None:
    """Players of the population each play a game, over 64 connections; every third guess is sent twice."""
    plans = plan_games(stack, games)
    game_id = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    distribution = read_distribution(stack, game_id)
    ended = asyncio.run(play_all(stack, plans))
    wait_until_delivered(stack)
    counted: Counter[str] = Counter(read_distribution(stack, game_id)["guesses"])
    counted.subtract(distribution["guesses"])
    assert +counted == Counter(plan.expected_count for plan in plans)
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=60) as client:
        for plan, (before, state) in zip(plans, ended, strict=True):
            assert state["status"] == ("lost" if plan.expected_count == "fail" else "won")
            after = client.get(f"stats/users/{plan.player}").json()
            added = Counter(after["guesses"])
            added.subtract(before["guesses"])
            assert +added == Counter([plan.expected_count])
            assert after["gamesPlayed"] == before["gamesPlayed"] + 1
    verified = subprocess.run([stack.root / "bin" / "verify"], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_result_survives_a_crash_between_commit_and_delivery(stack: Stack, api: httpx.Client) -> None:
    wait_until_delivered(stack)
    settings = stack.root / ".env"
    valid = settings.read_text(encoding="utf-8")
    unreachable = "http://127.0.0.1:9/api/stats"  # port of the discard service, on which nothing listens
    settings.write_text(re.sub("(?<=GAMES_STATS_URL=).*", unreachable, valid), encoding="utf-8")
    try:
        subprocess.run([stack.root / "bin" / "restart", "games"], check=True, capture_output=True)
        user = register(api)
        game_id = api.get("games/today").json()["game_id"]
        api.headers.update(token_headers(stack, Scope.PLAYER, UUID(user)))
        state = play(api, user, game_id, choose_guesses(read_answer(stack, game_id), None))
        assert (state["status"], state["statistics"]) == ("lost", None)
        assert count_waiting(stack) == 1
    finally:
        settings.write_text(valid, encoding="utf-8")
        os.kill(find_instance(stack, "games.1").processes[0].pid, signal.SIGKILL)  # it starts again with these settings
    wait_until_delivered(stack)
    statistics = api.get(f"stats/users/{user}").json()
    assert (statistics["gamesPlayed"], statistics["guesses"]["fail"]) == (1, 1)
