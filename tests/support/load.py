"""A load on a running suite from many connections at once, and what became of each request.

Most connections read statistics and leaderboards and post results; some play whole games, and one registers players
and logs them in. So every service is asked all the time.
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

from games.puzzles import game_id_of
from servicekit.auth.tokens import Scope
from tests.support.live import (
    PASSWORD,
    choose_guesses,
    list_players,
    list_who_have_results,
    list_who_played,
    read_answer,
    token_headers,
)
from tools.process.stack import Stack

CONNECTIONS = 32
OF_PLAYERS = 4
"""Connections on which games are played."""
TIMEOUT_S = 20.0
"""Above all that Traefik may take for its attempts: what gets no answer in that time has failed."""
READS = 4
"""For each result that is posted."""
BEFORE_AND_AFTER = 100
"""Good answers that a load has to get before something happens, and again after it."""

Work: TypeAlias = Callable[[httpx.AsyncClient], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    method: str
    url: str
    status: int | None
    """None if there was no answer."""
    served_by: str
    began_at: float
    """On time.monotonic()."""
    ended_at: float
    text: str
    """Of an error."""

    @property
    def is_good(self) -> bool:
        return self.status in {200, 201}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A result that was taken, by stats or, as the last guess of a play, by games."""

    user_id: UUID
    game_id: int
    guesses: int
    won: bool


class Load:
    """What has been answered so far; the lists only grow."""

    def __init__(self, stack: Stack) -> None:
        self.answers: list[Answer] = []
        self.posted: list[Acknowledged] = []
        self.played: list[Acknowledged] = []
        self._stack = stack
        self._is_over = False
        players = list_players(stack)
        have_played = list_who_played(stack)
        self._players = iter([player for player in players[::2] if player not in have_played])
        """Who play, each today's game, and nobody twice."""
        self._others = list_who_have_results(stack)
        """Whose statistics are read, and whose results are posted: players whom stats knows without asking users."""
        self._headers = token_headers(stack, Scope.SERVICE)
        self._game_id = game_id_of(datetime.now(UTC).date())
        self._answer = read_answer(stack, self._game_id)
        self._game_ids = itertools.count(random.randrange(10_000, 2**30))  # noqa: S311 - no secret

    def end(self) -> None:
        """No new requests from now on."""
        self._is_over = True

    def failed(self, method: str | None = None) -> list[Answer]:
        return [answer for answer in list(self.answers) if not answer.is_good and method in {None, answer.method}]

    def count_good(self) -> int:
        return sum(answer.is_good for answer in list(self.answers))

    async def run(self) -> None:
        context = httpx.create_ssl_context()  # one for all: it takes 50 ms
        work = [self._register, *[self._play] * OF_PLAYERS]
        work += [self._read_and_post] * (CONNECTIONS - len(work))
        await asyncio.gather(*(self._repeat(some, context) for some in work))

    async def _repeat(self, work: Work, context: ssl.SSLContext) -> None:
        async with httpx.AsyncClient(base_url=f"{self._stack.url}/api/", timeout=TIMEOUT_S, verify=context) as client:
            while not self._is_over:
                await work(client)

    async def _read_and_post(self, client: httpx.AsyncClient) -> None:
        for user_id in random.choices(self._others, k=READS):  # noqa: S311 - no secret
            url = random.choice([f"stats/users/{user_id}", "stats/leaders/wins", "stats/leaders/streaks"])  # noqa: S311 - a load, no secret
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
        guesses = choose_guesses(self._answer, random.choice([2, 4, None]))  # noqa: S311 - a load, no secret
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
    """The block runs when the load is well under way, and must leave a suite that goes on answering."""
    with load_until_end(stack) as load:
        yield load
        wait_for_answers(load, BEFORE_AND_AFTER)


@contextmanager
def load_until_end(stack: Stack, *, warm_up: int = BEFORE_AND_AFTER) -> Iterator[Load]:
    """The block runs when so many good answers have come; when it has ended every request has ended, too."""
    load = Load(stack)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(load.run())
        except BaseException as error:  # a bug of the load's own is the test's failure
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
    """Until so many more good ones have come."""
    goal = load.count_good() + count
    deadline = time.monotonic() + timeout_s
    while load.count_good() < goal:
        assert time.monotonic() < deadline, f"of {len(load.answers)} requests failed, among others: {load.failed()[:5]}"
        time.sleep(0.05)
