"""Guarantees for players: late games break no streak, every answer can be guessed, refused results are visible."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse, Response

from servicekit.auth.tokens import Scope
from servicekit.http.errors import problem_response
from tests.support.clocks import GameClock
from tests.support.faulty_proxy import FaultyProxy
from tests.support.game_services import Stats, make_words_app
from tests.support.players import ANSWER, NO_CANDIDATE, TODAY, Player
from tests.support.polling import wait_until
from tests.support.problem_checks import assert_problem
from tests.support.scripts import write_rows
from tests.support.servers import serving
from tests.support.tokens import TokenKeys

pytestmark = pytest.mark.both_engines


def test_play_finished_after_midnight_breaks_no_streak(
    player: Player, database: Path, clock: GameClock, stats_service: Stats
) -> None:
    """Four games, the second of them won at five past midnight."""
    for game_id in range(TODAY, TODAY + 4):
        assert player.begin(game_id).status_code == 201
        if game_id == TODAY + 1:
            clock.now = clock.now.replace(hour=0, minute=5) + timedelta(days=1)
        with closing(sqlite3.connect(database)) as answers:
            ((answer,),) = answers.execute("SELECT answer FROM answers WHERE game_id = ?", (game_id,))
        state = player.guess(1, answer, game_id).json()
        if clock.now.hour == 0:
            clock.now = clock.now.replace(hour=12, minute=0) - timedelta(days=1)
        clock.move_days(1)
    assert (state["statistics"]["currentStreak"], state["statistics"]["maxStreak"]) == (4, 4)
    assert [finished for *_, finished in sorted(stats_service.list_results(player.user_id))] == [
        "2026-11-23 12:00:00",
        "2026-11-24 23:59:59",
        "2026-11-25 12:00:00",
        "2026-11-26 12:00:00",
    ]


@pytest.mark.parametrize("word", [ANSWER, "crane"])
def test_answers_and_candidates_need_not_be_in_the_dictionary(
    make_client: Callable[..., TestClient],
    make_player: Callable[[TestClient], Player],
    database: Path,
    tmp_path: Path,
    word: str,
) -> None:
    words_database = tmp_path / "words.db"
    with serving(make_words_app(words_database)) as url, make_client(words_url=url) as client:
        write_rows(words_database, "DELETE FROM words")
        if word == ANSWER:  # an answer set by an administrator need not be a candidate
            write_rows(database, f"DELETE FROM candidates WHERE word = '{ANSWER}'")  # noqa: S608 - a constant word
        player = make_player(client)
        player.begin()
        assert player.guess(1, word).json()["guesses"][0]["guess"] == word
        assert_problem(player.guess(2, NO_CANDIDATE), 422 if word != ANSWER else 409)


def post_result_directly(stats_url: str, player: Player, keys: TokenKeys, *, won: bool) -> None:
    """Stores a result in stats without a play, as an import or another front end does."""
    httpx.post(
        f"{stats_url}/users/{player.user_id}/games",
        json={"game_id": TODAY, "won": won, "guesses": 6},
        headers=keys.headers(Scope.SERVICE),
    ).raise_for_status()


def test_game_with_a_stored_result_cannot_be_started(player: Player, stats_url: str, token_keys: TokenKeys) -> None:
    post_result_directly(stats_url, player, token_keys, won=True)
    detail = assert_problem(player.begin(), 409)
    assert detail == f"Game {TODAY} is finished: its result is in the statistics, and results never change."
    assert player.read().json()["status"] == "new"
    assert_problem(player.share(), 404)  # not begun


def test_started_play_stays_open_when_a_result_is_stored(player: Player, stats_url: str, token_keys: TokenKeys) -> None:
    player.begin()
    post_result_directly(stats_url, player, token_keys, won=True)
    assert player.begin().status_code == 200


def test_play_shows_that_its_result_was_refused(player: Player, stats_url: str, token_keys: TokenKeys) -> None:
    player.begin()
    post_result_directly(stats_url, player, token_keys, won=False)
    state = player.guess(1, ANSWER).json()
    assert state["status"] == "won"
    assert state["result_refused"].startswith(f"Another result of game {TODAY}")
    assert player.read().json()["result_refused"] == player.begin().json()["result_refused"] == state["result_refused"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        problem_response(503, "A shard is unavailable."),
        PlainTextResponse("gone", 404),
        PlainTextResponse("<html>another site</html>", 200),
    ],
)
def test_play_starts_although_stats_does_not_answer(
    make_client: Callable[..., TestClient],
    make_player: Callable[[TestClient], Player],
    stats_service: Stats,
    answer: Response | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    proxy.override = lambda _path: answer
    proxy.delay_s = 0 if answer else 3
    with serving(proxy) as url, make_client(stats_url=url) as client:
        player = make_player(client)
        before = time.monotonic()
        assert player.begin().status_code == 201
        assert time.monotonic() - before < 2.5
        wait_until(lambda: proxy.requests)
        (warning,) = [line for line in caplog.messages if "A play begins although stats does not say" in line]
        assert len(warning.rpartition(": ")[2]) > 10  # the warning ends with the reason


def test_play_responses_are_not_cacheable(player: Player) -> None:
    responses = [player.begin(), player.begin(), player.read(), player.guess(1, ANSWER), player.share()]
    responses += [player.share(TODAY - 1), player.guess(1, "abbey"), player.guess(1, "no"), player.begin(TODAY - 1)]
    responses += [
        player.client.get(player.path()),
        player.client.get(player.path(), headers={"Authorization": "Bearer x"}),
    ]
    assert {response.status_code for response in responses} >= {200, 201, 401, 404, 409, 422}
    assert {response.headers["Cache-Control"] for response in responses} == {"no-store"}


def test_past_game_is_refused_without_a_request_to_stats(
    make_client: Callable[..., TestClient], make_player: Callable[[TestClient], Player], stats_service: Stats
) -> None:
    proxy = FaultyProxy(stats_service.make_app())
    with serving(proxy) as url, make_client(stats_url=url) as client:
        assert_problem(make_player(client).begin(TODAY - 1), 409)
    assert proxy.requests == []


def test_play_finished_after_the_next_days_game_breaks_no_streak(
    player: Player, database: Path, clock: GameClock
) -> None:
    """Wins tomorrow's game first, then today's before it closes."""
    player.begin()
    clock.now = clock.now.replace(hour=0, minute=3) + timedelta(days=1)
    player.begin(TODAY + 1)
    with closing(sqlite3.connect(database)) as answers:
        ((answer,),) = answers.execute("SELECT answer FROM answers WHERE game_id = ?", (TODAY + 1,))
    assert player.guess(1, answer, TODAY + 1).json()["statistics"]["currentStreak"] == 1
    assert player.guess(1, ANSWER).json()["statistics"]["currentStreak"] == 2
