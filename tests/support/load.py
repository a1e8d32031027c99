"""A concurrent load on all services of a running suite, and the outcome of each request.

Most connections read statistics and leaderboards and post results; some play whole games; one registers players and
logs them in.
"""

import asyncio
import itertools
import random
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import httpx

from games.rules.puzzles import game_id_of
from servicekit.auth.tokens import Scope
from tests.support.live import (
    PASSWORD,
    choose_guesses,
    list_players,
    list_players_with_plays,
    list_players_with_results,
    read_answer,
    token_headers,
)
from tools.process.stack import Stack

CONNECTIONS = 32
PLAYER_CONNECTIONS = 4
"""Connections that play games."""
TIMEOUT_S = 20.0
"""Longer than all of Traefik's retries together: a request without a response in that time has failed."""
READS = 4
"""Reads for each posted result."""
MIN_ANSWERS = 100
"""Successful responses required before a fault, and again after it."""

Work: TypeAlias = Callable[[httpx.AsyncClient], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a request."""

    method: str
    url: str
    status: int | None
    """None if there was no response."""
    served_by: str
    began_at: float
    """Time of time.monotonic()."""
    ended_at: float
    text: str
    """The body of an error response."""

    @property
    def is_good(self) -> bool:
        return self.status in {200, 201}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A result acknowledged by stats, or by games in response to the last guess of a play."""

    user_id: UUID
    game_id: int
    guesses: int
    won: bool


class Load:
    """The responses and acknowledged results so far; the lists only grow."""

    def __init__(self, stack: Stack) -> None:
        self.answers: list[Answer] = []
        self.posted: list[Acknowledged] = []
        self.played: list[Acknowledged] = []
        self._stack = stack
        self._is_over = False
        players = list_players(stack)
        have_played = list_players_with_plays(stack)
        self._players = iter([player for player in players[::2] if player not in have_played])
        """Players who play today's game, each once."""
        self._others = list_players_with_results(stack)
        """Players whose statistics are read and results posted; they have results, so stats does not ask users."""
        self._headers = token_headers(stack, Scope.SERVICE)
        self._game_id = game_id_of(datetime.now(UTC).date())
        self._answer = read_answer(stack, self._game_id)
        self._game_ids = itertools.count(random.randrange(10_000, 2**30))  # noqa: S311 - no secret

    def end(self) -> None:
        """Sends no further requests."""
        self._is_over = True

    def failed(self, method: str | None = None) -> list[Answer]:
        return [answer for answer in list(self.answers) if not answer.is_good and method in {None, answer.method}]

    def count_good(self) -> int:
        return sum(answer.is_good for answer in list(self.answers))

    async def run(self) -> None:
        context = httpx.create_ssl_context()  # shared: creating one takes 50 ms
        work = [self._register, *[self._play] * PLAYER_CONNECTIONS]
        work += [self._read_and_post] * (CONNECTIONS - len(work))
        await asyncio.gather(*(self._repeat(some, context) for some in work))

    async def _repeat(self, work: Work, context: ssl.SSLContext) -> None:
        async with httpx.AsyncClient(base_url=f"{self._stack.url}/api/", timeout=TIMEOUT_S, verify=context) as client:
            while not self._is_over:
                await work(client)

    async def _read_and_post(self, client: httpx.AsyncClient) -> None:
        for user_id in random.choices(self._others, k=READS):  # noqa: S311 - no secret
            url = random.choice([f"stats/users/{user_id}", "stats/leaders/wins", "stats/leaders/streaks"])  # noqa: S311 - no secret
            await self._send(client, "GET", url)
        user_id, guesses = random.choice(self._others), random.randint(1, 6)  # noqa: S311 - no secret
        result = Acknowledged(user_id, next(self._game_ids), guesses, won=guesses != 3)
        body = {"game_id": result.game_id, "guesses": result.guesses, "won": result.won}
        answer = await self._send(client, "POST", f"stats/users/{user_id}/games", json=body, headers=self._headers)
        if answer.is_good:
            self.posted.append(result)

    async def _play(self, client: httpx.AsyncClient) -> None:
        user_id = next(self._players)
        headers = token_headers(self._stack, Scope.PLAYER, user_id)
        game_id = self._game_id
        guesses = choose_guesses(self._answer, random.choice([2, 4, None]))  # noqa: S311 - no secret
        url = f"games/{game_id}/plays/{user_id}"
        if not (await self._send(client, "PUT", url, headers=headers)).is_good:
            return
        for attempt, guess in enumerate(guesses, start=1):
            body = {"attempt": attempt, "guess": guess}
            answer = await self._send(client, "POST", f"{url}/guesses", json=body, headers=headers)
            if not answer.is_good:
                return
        self.played.append(Acknowledged(user_id, game_id, len(guesses), won=len(guesses) < 6))

    async def _register(self, client: httpx.AsyncClient) -> None:
        name = f"load-{uuid4().hex[:20]}"
        registered = await self._send(client, "POST", "users", json={"username": name, "password": PASSWORD})
        if not registered.is_good:
            return
        await self._send(client, "POST", "users/token", data={"username": name, "password": PASSWORD})
        await self._send(client, "GET", f"users?username={name}")

    async def _send(self, client: httpx.AsyncClient, method: str, url: str, **request: Any) -> Answer:  # noqa: ANN401 - httpx's own keywords
        began_at = time.monotonic()
        try:
            response = await client.request(method, url, **request)
        except httpx.HTTPError as error:
            answer = Answer(method, url, None, "", began_at, time.monotonic(), repr(error))
        else:
            text = "" if response.is_success else response.text
            served_by = response.headers.get("X-Served-By", "")
            answer = Answer(method, url, response.status_code, served_by, began_at, time.monotonic(), text)
        self.answers.append(answer)
        return answer


@contextmanager
def under_load(stack: Stack) -> Iterator[Load]:
    """Runs the block under load, once MIN_ANSWERS have succeeded; as many must succeed after it."""
    with load_until_end(stack) as load:
        yield load
        wait_for_answers(load, MIN_ANSWERS)


@contextmanager
def load_until_end(stack: Stack, *, warm_up: int = MIN_ANSWERS) -> Iterator[Load]:
    """Runs the block under load, once `warm_up` responses have succeeded; waits for all requests at the end."""
    load = Load(stack)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(load.run())
        except BaseException as error:  # a bug in the load fails the test
            failures.append(error)

    thread = threading.Thread(target=run, name="load")
    thread.start()
    try:
        wait_for_answers(load, warm_up)
        yield load
    finally:
        load.end()
        thread.join()
    if failures:
        raise failures[0]


def wait_for_answers(load: Load, count: int, *, timeout_s: float = 30) -> None:
    """Waits until this many more requests have succeeded."""
    goal = load.count_good() + count
    deadline = time.monotonic() + timeout_s
    while load.count_good() < goal:
        assert time.monotonic() < deadline, f"of {len(load.answers)} requests failed, among others: {load.failed()[:5]}"
        time.sleep(0.05)
