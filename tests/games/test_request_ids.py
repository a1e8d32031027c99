"""Propagation of request ids from games to words and stats; background work gets new ids."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from games.clients.words_client import WordsClient
from servicekit.observability.request_ids import read_request_id, request_id
from tests.support.game_services import Stats, make_words_app
from tests.support.outbox import put_in_outbox
from tests.support.players import ANSWER, NO_CANDIDATE, WRONG, Player
from tests.support.polling import wait_until
from tests.support.servers import find_free_port, serving

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{ID}-00f067aa0ba902b7-00"}


class Recorder:
    """Middleware that records the method and request id of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[tuple[str, str]] = []

    @property
    def ids(self) -> list[str]:
        return [found for _, found in self.requests]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            assert [name for name, _ in scope["headers"]].count(b"traceparent") == 1
            self.requests.append((scope["method"], read_request_id(scope["headers"])))
        await self._app(scope, receive, send)


def test_guess_propagates_its_request_id_to_words_and_stats(
    make_client: Callable[..., TestClient],
    make_player: Callable[[TestClient], Player],
    stats_service: Stats,
    tmp_path: Path,
) -> None:
    words, stats = Recorder(make_words_app(tmp_path / "words.db")), Recorder(stats_service.make_app())
    with (
        serving(words) as words_url,
        serving(stats) as stats_url,
        make_client(words_url=words_url, stats_url=stats_url) as client,
    ):
        player = make_player(client)
        player.begin()
        stats.requests.clear()
        player.headers.update(HEADERS)
        assert player.guess(1, NO_CANDIDATE).headers["X-Request-Id"] == ID
        response = player.guess(2, ANSWER)
    assert response.headers["X-Request-Id"] == ID
    assert response.json()["statistics"]["gamesPlayed"] == 1
    assert words.requests == [("POST", ID)]
    assert stats.requests == [("POST", ID), ("GET", ID), ("GET", ID)]  # the result; the statistics and the distribution


@pytest.mark.anyio
async def test_batched_lookup_has_the_request_id_of_its_first_guess(tmp_path: Path) -> None:
    words = Recorder(make_words_app(tmp_path / "words.db"))
    given: list[str] = []

    async def guess(word: str) -> bool:
        request_id.set(secrets.token_hex(16))
        given.append(request_id.get())
        return await dictionary.has(word)

    with serving(words) as url:
        async with WordsClient(url, timeout_s=10) as dictionary:
            known = await asyncio.gather(*map(guess, [*WRONG, "zzzzz"]))
            await guess("crane")
    assert known == [True] * len(WRONG) + [False]
    assert words.ids[0] == given[0]
    assert words.ids[-1] == given[-1]
    assert len(words.ids) < len(given)


def test_each_background_delivery_has_its_own_request_id(
    make_client: Callable[..., TestClient], plays_database: Path, stats_service: Stats
) -> None:
    players = [uuid4() for _ in range(3)]
    for player in players:
        stats_service.register(player)
    put_in_outbox(plays_database, players)
    port = find_free_port()
    stats = Recorder(stats_service.make_app())
    with serving(stats, port), make_client(stats_url=f"http://127.0.0.1:{port}"):
        wait_until(lambda: len(stats.requests) == 3)
    assert len(set(stats.ids)) == 3
