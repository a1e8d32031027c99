"""No response reveals the answer before a play is over, and no log contains answers, guesses or tokens."""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

import games.app
import games.settings
from tests.support.clocks import GameClock
from tests.support.game_services import Stats, make_words_app
from tests.support.players import ANSWER, NO_CANDIDATE, TODAY, WRONG, Player
from tests.support.servers import find_free_port, serving


def test_no_response_has_the_answer_before_the_play_is_over(
    client: TestClient, make_player: Callable[[TestClient], Player]
) -> None:
    seen: list[httpx.Response] = []
    client.event_hooks["response"].append(seen.append)
    player, other = make_player(client), make_player(client)
    for each in (player, other):
        each.begin(hard=each is other)
        for attempt, guess in enumerate(WRONG[:5], start=1):
            each.guess(attempt, guess)
            for word in ("zzzzz", "wrong!"):
                each.guess(attempt, word)
                each.guess(attempt + 1, word)
            each.guess(attempt + 2, guess)
            each.read()
            each.share()
            each.begin()
    for path in ("/today", f"/{TODAY}", "/openapi.json", "/health", f"/{TODAY + 1}"):
        client.get(path)
    client.put(f"/{TODAY}/answer", json={"answer": "crane"})
    assert len(seen) > 80
    assert {response.status_code for response in seen} == {200, 201, 404, 409, 422}
    for response in seen:
        assert ANSWER not in response.text
        assert ANSWER not in str(response.headers)
    assert player.guess(6, WRONG[5]).json()["answer"] == ANSWER
    assert other.read().json()["answer"] is None
    assert ANSWER not in player.guess(3, WRONG[2]).text  # the state as of attempt 3


def test_answers_guesses_and_tokens_are_never_logged(
    settings: games.settings.Settings,
    stats_service: Stats,
    clock: GameClock,
    make_player: Callable[[httpx.Client], Player],
    token_file: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Checks access logs of all three services, httpx's log, and error logs."""
    caplog.set_level(logging.INFO)
    words_database = tmp_path / "words.db"
    with serving(make_words_app(words_database)) as words_url, serving(stats_service.make_app()) as stats_url:
        for stats in (stats_url, f"http://127.0.0.1:{find_free_port()}"):
            changed = settings.model_copy(update={"words_url": words_url, "stats_url": stats})
            with serving(games.app.create_app(changed, clock=clock)) as url, httpx.Client(base_url=url) as client:
                player = make_player(client)
                player.play("crane", "abbey")
                assert player.guess(3, "zzzzz").status_code == 422
                assert player.guess(3, ANSWER).status_code == 200
        with serving(games.app.create_app(changed, clock=clock)) as url, httpx.Client(base_url=url) as client:
            player = make_player(client)
            player.begin()
            break_database(words_database)
            assert player.guess(1, NO_CANDIDATE).status_code == 503
    assert f"/{TODAY}/plays/" in caplog.text  # games' access log
    assert "/lookups" in caplog.text  # words'
    assert "/games 201 " in caplog.text  # stats'
    assert "Results wait to be delivered" in caplog.text
    words = [ANSWER, "crane", "abbey", "zzzzz", NO_CANDIDATE]
    tokens = [token_file.read_text(encoding="ascii").strip(), player.headers["Authorization"].removeprefix("Bearer ")]
    assert [secret for secret in (*words, *tokens) if secret in caplog.text] == []


def break_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE words")


def test_set_answer_is_never_logged(
    make_client: Callable[..., TestClient], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with serving(make_words_app(tmp_path / "words.db")) as url, make_client(words_url=url) as client:
        for answer, status in (("geese", 200), ("zzzzz", 422)):
            assert client.put(f"/{TODAY + 1}/answer", json={"answer": answer}).status_code == status
            assert answer not in caplog.text
    assert "/lookups" in caplog.text
