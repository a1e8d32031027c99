"""The types of problems of games: a client tells refusals of one status apart by them."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from fastapi.testclient import TestClient

from games.problems import TYPES
from tests.support.clocks import NOON, GameClock
from tests.support.players import ANSWER, TODAY, WRONG, Player
from tests.support.problem_checks import assert_problem

STATUSES = {kind.type_uri.rpartition("/")[2]: kind.status for kind in TYPES}


def assert_type(response: httpx.Response, name: str) -> None:
    """Asserts the type, and that its URI leads to a page about it."""
    assert_problem(response, STATUSES[name])
    uri = response.json()["type"]
    assert uri == f"/api/games/problems/{name}"


def test_word_outside_the_dictionary_is_not_a_word(player: Player) -> None:
    player.begin()
    assert_type(player.guess(1, "zzzzz"), "not-a-word")


def test_guess_that_leaves_a_hint_unused_is_hard_mode(player: Player) -> None:
    player.begin(hard=True)
    player.guess(1, "abbey")
    assert_type(player.guess(2, "zebra"), "hard-mode")


def test_play_that_was_never_begun_is_play_not_begun(player: Player) -> None:
    for response in (player.guess(1, WRONG[0]), player.share()):
        assert_type(response, "play-not-begun")


def test_beginning_a_past_puzzle_is_not_today(player: Player) -> None:
    assert_type(player.begin(TODAY - 1), "not-today")


def test_beginning_a_puzzle_with_a_stored_result_is_result_exists(
    player: Player, stats_url: str, service_headers: dict[str, str]
) -> None:
    result = {"game_id": TODAY, "won": False, "guesses": 6}
    url = f"{stats_url}/users/{player.user_id}/games"
    httpx.post(url, json=result, headers=service_headers).raise_for_status()
    assert_type(player.begin(), "result-exists")


def test_other_guess_for_a_made_attempt_is_attempt_taken(player: Player) -> None:
    player.play(WRONG[0])
    assert_type(player.guess(1, WRONG[1]), "attempt-taken")


def test_attempt_after_a_missing_one_is_attempt_skipped(player: Player) -> None:
    player.begin()
    assert_type(player.guess(2, WRONG[0]), "attempt-skipped")


def test_guess_after_the_answer_is_play_over(player: Player) -> None:
    player.play(ANSWER)
    assert_type(player.guess(2, WRONG[0]), "play-over")


def test_sharing_an_unfinished_play_is_play_not_over(player: Player) -> None:
    player.play(WRONG[0])
    assert_type(player.share(), "play-not-over")


def test_guess_after_the_following_day_is_play_closed(player: Player, clock: GameClock) -> None:
    player.play(WRONG[0])
    clock.now = NOON + timedelta(days=2)
    assert_type(player.guess(2, WRONG[1]), "play-closed")


@pytest.mark.parametrize("name", STATUSES)
def test_type_has_a_page_with_its_advice(make_client: Callable[[], TestClient], name: str) -> None:
    with make_client() as client:
        page = client.get(f"/api/games/problems/{name}")
    (kind,) = [kind for kind in TYPES if kind.type_uri == f"/api/games/problems/{name}"]
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert kind.advice in page.text
    assert str(kind.status) in page.text


def test_unknown_type_has_no_page(client: TestClient) -> None:
    assert_problem(client.get("/problems/nothing"), 404)
