"""The outbox: each result is stored in stats exactly once, whatever fails in between."""

import asyncio
import logging
import random
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from games.outbox import BATCH_SIZE, LONGEST_PAUSE_S, pause_s
from servicekit.auth.tokens import Scope
from servicekit.http.errors import problem_response
from tests.support.faulty_proxy import FaultyProxy
from tests.support.game_services import Stats
from tests.support.outbox import is_empty, list_outbox, put_in_outbox
from tests.support.players import ANSWER, TODAY, WRONG, Player
from tests.support.polling import wait_until
from tests.support.servers import find_free_port, serving
from tests.support.tokens import TokenKeys

pytestmark = pytest.mark.both_engines

MakeClient = Callable[..., TestClient]
MakePlayer = Callable[[TestClient], Player]


def test_back_off_doubles_from_half_a_second_to_30_s() -> None:
    longest_s = [pause_s(failures, 0) for failures in range(1, 10)]
    assert longest_s == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert pause_s(10**6, 0) == LONGEST_PAUSE_S


def test_back_off_jitter_cuts_up_to_half_of_the_pause() -> None:
    rng = random.Random(3)  # noqa: S311 - the same in every run
    pauses = [pause_s(7, rng.random()) for _ in range(100)]
    assert len(set(pauses)) == 100
    assert 15 <= min(pauses) < 16
    assert 29 < max(pauses) <= 30


def test_result_is_delivered_when_stats_is_back(
    make_client: MakeClient, make_player: MakePlayer, plays_database: Path, stats_service: Stats
) -> None:
    port = find_free_port()
    with make_client(stats_url=f"http://127.0.0.1:{port}") as client:
        player = make_player(client)
        state = player.play("crane", ANSWER)
        assert (state["status"], state["answer"], state["statistics"]) == ("won", ANSWER, None)
        assert list_outbox(plays_database) == [(player.user_id, None)]
        with serving(stats_service.make_app(), port):
            wait_until(lambda: is_empty(plays_database))
            assert stats_service.list_results(player.user_id) == [(TODAY, True, 2, "2026-11-23 12:00:00")]
            assert player.guess(2, ANSWER).json()["statistics"]["gamesPlayed"] == 1  # a repeat returns statistics


def test_repeated_last_guess_delivers_the_waiting_result(
    make_client: MakeClient, make_player: MakePlayer, plays_database: Path, stats_service: Stats
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    proxy.override = lambda _path: PlainTextResponse("starting", 502)
    with serving(proxy) as url, make_client(stats_url=url) as client:
        player = make_player(client)
        assert player.play(ANSWER)["statistics"] is None
        proxy.override = lambda _path: None
        assert player.guess(1, ANSWER).json()["statistics"]["gamesPlayed"] == 1
        assert is_empty(plays_database)


def test_waiting_result_is_delivered_after_a_restart(
    make_client: MakeClient, make_player: MakePlayer, plays_database: Path, stats_service: Stats
) -> None:
    with make_client(stats_url=f"http://127.0.0.1:{find_free_port()}") as client:
        player = make_player(client)
        player.play(*WRONG)
    assert list_outbox(plays_database) == [(player.user_id, None)]
    with make_client():
        wait_until(lambda: is_empty(plays_database))
    assert stats_service.list_results(player.user_id) == [(TODAY, False, 6, "2026-11-23 12:00:00")]


def test_result_whose_response_is_lost_is_stored_once(
    make_client: MakeClient, make_player: MakePlayer, plays_database: Path, stats_service: Stats
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    with serving(proxy) as url, make_client(stats_url=url, stats_timeout_s=0.2) as client:
        player = make_player(client)
        player.begin()
        proxy.drop_responses = 1
        player.guess(1, "crane")
        assert player.guess(2, ANSWER).json()["statistics"] is None
        wait_until(lambda: is_empty(plays_database))
        assert stats_service.list_results(player.user_id) == [(TODAY, True, 2, "2026-11-23 12:00:00")]
        assert httpx.get(f"{url}/users/{player.user_id}").json()["gamesPlayed"] == 1
    assert proxy.requests.count(f"POST /users/{player.user_id}/games") == 2


def test_slow_stats_delays_the_last_guess_by_at_most_a_second(
    make_client: MakeClient, make_player: MakePlayer, plays_database: Path, stats_service: Stats
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    with serving(proxy) as url, make_client(stats_url=url) as client:
        player = make_player(client)
        player.begin()
        proxy.requests.clear()
        proxy.delay_s = 1.3
        before = time.monotonic()
        state = player.guess(1, ANSWER).json()
        waited_s = time.monotonic() - before
        assert (state["status"], state["statistics"], state["distribution"]) == ("won", None, None)
        assert 1 <= waited_s < 1.3
        wait_until(lambda: is_empty(plays_database))
    assert len(stats_service.list_results(player.user_id)) == 1
    assert proxy.requests == [f"POST /users/{player.user_id}/games"]  # the delivery was not started again


class PairedReads:
    """Passes reads of statistics and of a distribution on once there has been one of each."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kinds: set[str] = set()
        self._both_arrived = asyncio.Event()

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (read := re.fullmatch(r"/(users|games)/[^/]+", scope["path"])):
            self._kinds.add(read[1])
            if len(self._kinds) == 2:
                self._both_arrived.set()
            await self._both_arrived.wait()
        await self._app(scope, receive, send)


def test_statistics_and_distribution_are_read_at_the_same_time(
    make_client: MakeClient, make_player: MakePlayer, stats_service: Stats
) -> None:
    with serving(PairedReads(stats_service.make_app())) as url, make_client(stats_url=url) as client:
        state = make_player(client).finish(ANSWER)
    assert state["statistics"]["gamesPlayed"] == 1
    assert state["distribution"]["guesses"]["1"] >= 1


@pytest.mark.parametrize(("missing", "given"), [("statistics", "distribution"), ("distribution", "statistics")])
def test_last_guess_has_what_stats_gives_without_the_other(
    make_client: MakeClient, make_player: MakePlayer, stats_service: Stats, missing: str, given: str
) -> None:
    pattern = {"statistics": r"/users/[^/]+", "distribution": r"/games/[^/]+"}[missing]
    proxy = FaultyProxy(stats_service.make_app())
    proxy.override = lambda path: problem_response(503, "Not now.") if re.fullmatch(pattern, path) else None
    with serving(proxy) as url, make_client(stats_url=url) as client:
        state = make_player(client).finish(ANSWER, given=(given,))
    assert (state["status"], state[missing]) == ("won", None)


def test_refused_result_is_marked_and_blocks_no_other(
    client: TestClient,
    make_player: MakePlayer,
    plays_database: Path,
    stats_service: Stats,
    stats_url: str,
    token_keys: TokenKeys,
    caplog: pytest.LogCaptureFixture,
) -> None:
    player, other = make_player(client), make_player(client)
    player.begin()
    httpx.post(
        f"{stats_url}/users/{player.user_id}/games",
        json={"game_id": TODAY, "won": False, "guesses": 6},
        headers=token_keys.headers(Scope.ADMIN),
    ).raise_for_status()
    assert player.guess(1, ANSWER).json()["status"] == "won"
    ((user_id, refused),) = list_outbox(plays_database)
    assert user_id == player.user_id
    assert refused is not None
    assert refused.startswith(f"Another result of game {TODAY}")
    assert f"stats refuses game {TODAY} of user {player.user_id}: Another" in caplog.text
    assert other.play(ANSWER)["statistics"]["gamesWon"] == 1
    assert [user_id for user_id, _ in list_outbox(plays_database)] == [player.user_id]
    assert len(stats_service.list_results(player.user_id)) == 1


def test_refused_result_is_not_retried(
    make_client: MakeClient,
    make_player: MakePlayer,
    plays_database: Path,
    stats_service: Stats,
    stats_url: str,
    token_keys: TokenKeys,
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    with serving(proxy) as url:
        with make_client(stats_url=url) as client:
            refused = make_player(client)
            put_in_outbox(plays_database, [refused.user_id])
        httpx.post(
            f"{stats_url}/users/{refused.user_id}/games",
            json={"game_id": TODAY, "won": False, "guesses": 5},
            headers=token_keys.headers(Scope.ADMIN),
        ).raise_for_status()
        with make_client(stats_url=url):
            wait_until(lambda: list_outbox(plays_database)[0][1])
        with make_client(stats_url=url) as client:
            player = make_player(client)
            put_in_outbox(plays_database, [player.user_id])
        with make_client(stats_url=url):
            wait_until(lambda: len(list_outbox(plays_database)) == 1)
    ((user_id, reason),) = list_outbox(plays_database)
    assert user_id == refused.user_id
    assert reason is not None
    assert reason.startswith("Another result")
    assert proxy.requests.count(f"POST /users/{refused.user_id}/games") == 1


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("404 page not found\n", 404),  # Traefik's own, during its start
        PlainTextResponse("no available server", 503),
        problem_response(503, "The database games0.db does not answer."),
        problem_response(401, "The token is not valid."),
        problem_response(404, "There is no such user."),
        problem_response(422, "finished is more than a minute ahead of now."),
        problem_response(403, "This needs another scope."),
        problem_response(429, "Too many."),
        problem_response(500, "Something unexpected."),
        PlainTextResponse("", 302, headers={"Location": "/"}),
    ],
    ids=lambda response: f"{response.status_code} {response.media_type}",
)
def test_any_status_but_a_conflict_is_retried(
    make_client: MakeClient,
    make_player: MakePlayer,
    plays_database: Path,
    stats_service: Stats,
    answer: Response,
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    proxy.override = lambda _path: answer
    with serving(proxy) as url, make_client(stats_url=url) as client:
        player = make_player(client)
        assert player.play(ANSWER)["statistics"] is None
        assert list_outbox(plays_database) == [(player.user_id, None)]
        wait_until(lambda: f"stats: The stats service answers {answer.status_code} to a result." in caplog.text)
        proxy.override = lambda _path: None
        wait_until(lambda: is_empty(plays_database))
    assert len(stats_service.list_results(player.user_id)) == 1


def test_undeliverable_results_do_not_block_later_ones(
    make_client: MakeClient, make_player: MakePlayer, client: TestClient, plays_database: Path, stats_service: Stats
) -> None:
    """As when one shard is unavailable: more undeliverable results than one batch holds come first."""
    stuck = [UUID(int=number) for number in range(BATCH_SIZE + 5)]
    other = make_player(client).user_id
    put_in_outbox(plays_database, [*stuck, other])
    proxy = FaultyProxy(stats_service.make_app())
    proxy.override = lambda path: None if str(other) in path else problem_response(503, "This shard is unavailable.")
    with serving(proxy) as url, make_client(stats_url=url):
        wait_until(lambda: [user_id for user_id, _ in list_outbox(plays_database)] == stuck)
    assert len(stats_service.list_results(other)) == 1


def test_concurrent_delivery_by_instances_stores_each_once(
    make_client: MakeClient, make_player: MakePlayer, plays_database: Path, stats_service: Stats
) -> None:
    with make_client() as client:
        players = [make_player(client).user_id for _ in range(2 * BATCH_SIZE + 1)]
    put_in_outbox(plays_database, players)
    with ExitStack() as instances:
        for _ in range(3):
            instances.enter_context(make_client())
        wait_until(lambda: is_empty(plays_database))
    assert all(stats_service.list_results(player) == [(TODAY, True, 3, "2026-11-23 12:00:00")] for player in players)


def test_shutdown_during_a_delivery_loses_no_result(
    make_client: MakeClient, make_player: MakePlayer, plays_database: Path, stats_service: Stats
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    proxy.delay_s = 0.3
    with make_client() as client:
        players = [make_player(client).user_id for _ in range(BATCH_SIZE)]
    put_in_outbox(plays_database, players)
    with serving(proxy) as url:
        with make_client(stats_url=url):
            wait_until(lambda: proxy.requests)
        assert len(list_outbox(plays_database)) == BATCH_SIZE
    with make_client():
        wait_until(lambda: is_empty(plays_database))
    assert all(len(stats_service.list_results(player)) == 1 for player in players)


@pytest.mark.parametrize("body", ["{}", "[]", "no JSON", '{"gamesPlayed": 1}'])
def test_statistics_in_another_form_are_left_out_and_logged(
    make_client: MakeClient, make_player: MakePlayer, stats_service: Stats, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    proxy.override = lambda path: None if path.endswith("/games") else PlainTextResponse(body)
    with serving(proxy) as url, make_client(stats_url=url) as client:
        player = make_player(client)
        state = player.play(ANSWER)
        assert (state["statistics"], state["distribution"]) == (None, None)
    assert "The stats service gives statistics in another form than games expects" in caplog.text
    assert "The stats service gives a distribution in another form than games expects" in caplog.text


@pytest.mark.parametrize("content", [None, b"nonsense", b"\xff\xfe", b"two\nlines"])
def test_missing_or_broken_token_is_reread_without_a_restart(
    client: TestClient,
    make_player: MakePlayer,
    plays_database: Path,
    token_file: Path,
    content: bytes | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = token_file.read_bytes()
    if content is None:
        token_file.unlink()
    else:
        token_file.write_bytes(content)
    player = make_player(client)
    assert player.play(ANSWER)["statistics"] is None
    assert list_outbox(plays_database) == [(player.user_id, None)]
    wait_until(lambda: "Results wait to be delivered to stats: " in caplog.text)
    token_file.write_bytes(token)
    wait_until(lambda: is_empty(plays_database))
    assert "nonsense" not in caplog.text
    assert "lines" not in caplog.text
    assert token.decode().strip() not in caplog.text


def test_failed_delivery_round_is_logged(
    make_client: MakeClient, make_player: MakePlayer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with make_client(stats_url=f"http://127.0.0.1:{find_free_port()}") as client:
        make_player(client).play(ANSWER)
        line = "Results wait to be delivered to stats: The stats service does not answer. Try again later."
        wait_until(lambda: line in [record.message for record in caplog.records])
