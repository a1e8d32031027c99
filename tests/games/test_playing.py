"""Whole games over HTTP, with real words and stats services."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.support.clocks import GameClock
from tests.support.faulty_proxy import FaultyProxy
from tests.support.game_services import Stats, make_words_app
from tests.support.players import ANSWER, NO_CANDIDATE, TODAY, WRONG, Player
from tests.support.problem_checks import assert_problem
from tests.support.servers import find_free_port, serving

pytestmark = pytest.mark.both_engines

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
"""The end of the day of today's game."""
LAST_SECOND = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
"""The last second in which a play of today's game can be finished."""
CLOSED = datetime(2026, 11, 25, tzinfo=UTC)


def describe_new_play(player: Player, game_id: int) -> dict[str, object]:
    """The response for a play without a guess."""
    return {
        "game_id": game_id,
        "user_id": str(player.user_id),
        "status": "new",
        "hard": False,
        "remaining": 6,
        "guesses": [],
        "keyboard": {},
        "answer": None,
        "statistics": None,
        "distribution": None,
        "result_refused": None,
    }


def test_new_play_is_empty(player: Player) -> None:
    response = player.begin()
    assert response.status_code == 201
    assert response.json() == describe_new_play(player, TODAY)
    assert player.read().json() == response.json()


def test_guess_is_coloured_and_stored(player: Player) -> None:
    player.begin()
    response = player.guess(1, "ABBEY")
    assert response.status_code == 200
    states = ["correct", "absent", "absent", "present", "absent"]
    assert response.json() == {
        "game_id": TODAY,
        "user_id": str(player.user_id),
        "status": "in-progress",
        "hard": False,
        "remaining": 5,
        "guesses": [
            {
                "guess": "abbey",
                "letters": [{"letter": letter, "state": state} for letter, state in zip("abbey", states, strict=True)],
            }
        ],
        "keyboard": {"a": "correct", "b": "absent", "e": "present", "y": "absent"},
        "answer": None,
        "statistics": None,
        "distribution": None,
        "result_refused": None,
    }
    assert player.read().json() == response.json()


def test_won_game_is_stored_in_stats(player: Player, stats_service: Stats, stats_url: str) -> None:
    state = player.finish("crane", "abbey", ANSWER)
    assert (state["status"], state["remaining"], state["answer"]) == ("won", 0, ANSWER)
    assert state["statistics"] == httpx.get(f"{stats_url}/users/{player.user_id}").json()
    assert state["statistics"]["gamesWon"] == state["statistics"]["guesses"]["3"] == 1
    assert state["distribution"] == httpx.get(f"{stats_url}/games/{TODAY}").json()
    assert state["distribution"]["guesses"]["3"] >= 1
    assert stats_service.list_results(player.user_id) == [(TODAY, True, 3, "2026-11-23 12:00:00")]


def test_lost_game_is_stored_in_stats(player: Player, stats_service: Stats) -> None:
    state = player.finish(*WRONG)
    assert (state["status"], state["remaining"], state["answer"]) == ("lost", 0, ANSWER)
    assert state["statistics"]["guesses"]["fail"] == state["statistics"]["gamesPlayed"] == 1
    assert stats_service.list_results(player.user_id) == [(TODAY, False, 6, "2026-11-23 12:00:00")]


def test_sixth_guess_can_win(player: Player) -> None:
    state = player.finish(*WRONG[:5], ANSWER)
    assert (state["status"], state["statistics"]["guesses"]["6"]) == ("won", 1)


def test_distribution_has_every_earlier_result_and_this_one(
    client: TestClient, make_player: Callable[[TestClient], Player]
) -> None:
    before = make_player(client).finish(ANSWER)["distribution"]
    after = make_player(client).finish(*WRONG)["distribution"]
    assert after["guesses"]["fail"] == before["guesses"]["fail"] + 1
    assert (after["game_id"], after["played"], after["won"]) == (TODAY, before["played"] + 1, before["won"])


def test_statistics_and_distribution_come_only_with_the_last_guess(player: Player) -> None:
    player.play(ANSWER)
    state = player.read().json()
    assert (state["status"], state["answer"], state["statistics"], state["distribution"]) == ("won", ANSWER, None, None)


def test_play_can_be_resumed_unchanged(player: Player, make_client: Callable[..., TestClient]) -> None:
    before = player.play("crane", "abbey")
    again = player.begin(hard=True)
    assert again.status_code == 200
    assert again.json() == before  # `hard` is fixed at the start
    with make_client() as restarted:
        other = Player(restarted, player.user_id, player.headers)
        assert other.begin().json() == before
        assert other.guess(3, ANSWER).json()["status"] == "won"


@pytest.mark.parametrize("body", [None, {}, {"hard": False}])
def test_hard_mode_is_off_by_default(player: Player, body: object) -> None:
    response = player.client.put(player.path(), json=body, headers=player.headers)
    assert (response.status_code, response.json()["hard"]) == (201, False)


@pytest.mark.parametrize("body", [{"hard": 1}, {"hard": "true"}, {"hard": None}, {"easy": True}, [], "hard"])
def test_malformed_start_is_422_and_creates_no_play(player: Player, body: object) -> None:
    assert_problem(player.client.put(player.path(), json=body, headers=player.headers), 422)
    assert_problem(player.share(), 404)


def test_hard_mode_requires_every_hint(player: Player) -> None:
    assert player.begin(hard=True).json()["hard"] is True
    player.guess(1, "abbey").raise_for_status()
    refused = player.guess(2, "crane")
    assert assert_problem(refused, 422) == "body.guess: in hard mode the first letter must be a."
    assert len(player.read().json()["guesses"]) == 1
    assert player.guess(2, ANSWER).json()["status"] == "won"
    assert player.share().text == f"Quintet {TODAY} 2/6*\n\n🟩⬛⬛🟨⬛\n🟩🟩🟩🟩🟩\n"


def test_grid_is_available_only_after_the_play_is_over(player: Player) -> None:
    player.play("crane", "abbey")
    assert_problem(player.share(), 409)
    player.guess(3, ANSWER)
    response = player.share()
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.text == f"Quintet {TODAY} 3/6\n\n⬛⬛🟨⬛🟨\n🟩⬛⬛🟨⬛\n🟩🟩🟩🟩🟩\n"


def test_play_that_was_not_started_is_404(player: Player) -> None:
    for response in (player.share(), player.guess(1, "crane"), player.guess(1, "crane", TODAY - 1)):
        assert "has not begun" in assert_problem(response, 404)


@pytest.mark.parametrize("game_id", [TODAY, TODAY - 1, TODAY - 2, 0])
def test_play_that_was_not_begun_reads_as_new_and_is_not_stored(player: Player, game_id: int) -> None:
    for _ in range(2):
        response = player.read(game_id)
        assert response.status_code == 200
        assert response.json() == describe_new_play(player, game_id)
    assert_problem(player.guess(1, "crane", game_id), 404)  # so it was not begun by reading it
    assert player.begin(game_id).status_code == (201 if game_id == TODAY else 409)


def test_begun_play_without_a_guess_keeps_its_mode(player: Player) -> None:
    player.begin(hard=True)
    state = player.read().json()
    assert (state["status"], state["hard"]) == ("new", True)


@pytest.mark.parametrize("game_id", [TODAY + 1, 10**30])
def test_play_of_a_future_game_is_404(player: Player, game_id: int) -> None:
    for response in (player.begin(game_id), player.read(game_id), player.guess(1, "crane", game_id)):
        assert "yet to come" in assert_problem(response, 404)


@pytest.mark.parametrize("game_id", [0, TODAY - 1])
def test_play_of_a_past_game_cannot_be_started(player: Player, game_id: int) -> None:
    assert_problem(player.begin(game_id), 409)
    assert_problem(player.share(game_id), 404)


@pytest.mark.parametrize(
    "body",
    [
        {"attempt": 0, "guess": "crane"},
        {"attempt": 7, "guess": "crane"},
        {"attempt": True, "guess": "crane"},
        {"attempt": "1", "guess": "crane"},
        {"attempt": 1.0, "guess": "crane"},
        {"attempt": None, "guess": "crane"},
        {"guess": "crane"},
        {"attempt": 1},
        {"attempt": 1, "guess": "cran"},
        {"attempt": 1, "guess": "crâne"},
        {"attempt": 1, "guess": "\u212arane"},
        {"attempt": 1, "guess": ["crane"]},
        {"attempt": 1, "guess": "crane", "hard": False},
        [],
        None,
    ],
)
def test_malformed_guess_is_422_and_uses_no_attempt(player: Player, body: object) -> None:
    before = player.begin().json()
    assert_problem(player.client.post(f"{player.path()}/guesses", json=body, headers=player.headers), 422)
    assert player.read().json() == before


def test_guess_of_an_unknown_word_is_422_and_uses_no_attempt(player: Player) -> None:
    player.play("crane")
    refused = player.guess(2, "zzzzz")
    detail = assert_problem(refused, 422)
    assert detail == "body.guess: this word is not in the dictionary; no attempt is used."
    assert player.guess(2, "abbey").json()["remaining"] == 4


def test_guess_without_the_words_service_is_503(
    make_client: Callable[..., TestClient], make_player: Callable[[TestClient], Player]
) -> None:
    with make_client(words_url=f"http://127.0.0.1:{find_free_port()}") as client:
        player = make_player(client)
        before = player.begin().json()
        assert_problem(player.guess(1, NO_CANDIDATE), 503)
        assert player.read().json() == before
        assert player.guess(1, "crane").json()["remaining"] == 5  # candidates are accepted without the dictionary


def test_guess_is_503_when_the_words_service_times_out(
    make_client: Callable[..., TestClient], make_player: Callable[[TestClient], Player], tmp_path: Path
) -> None:
    proxy = FaultyProxy(make_words_app(tmp_path / "words.db"))
    proxy.drop_responses = 1
    with serving(proxy) as url, make_client(words_url=url, words_timeout_s=0.3) as client:
        player = make_player(client)
        player.begin()
        detail = assert_problem(player.guess(1, NO_CANDIDATE), 503)
        assert detail == "The words service does not answer in time. Try again later."
        assert player.guess(1, NO_CANDIDATE).json()["remaining"] == 5


def test_attempt_out_of_order_is_409_and_changes_nothing(player: Player) -> None:
    before = player.play("crane", "abbey")
    for attempt, guess in ((1, "abbey"), (2, "crane"), (4, "daddy"), (6, ANSWER)):
        assert_problem(player.guess(attempt, guess), 409)
    assert player.read().json() == before


def test_guess_after_the_end_is_409(player: Player) -> None:
    player.play("crane", ANSWER)
    for attempt, guess in ((2, "abbey"), (3, "abbey"), (3, ANSWER), (1, ANSWER)):
        assert_problem(player.guess(attempt, guess), 409)
    assert len(player.read().json()["guesses"]) == 2


def test_repeated_guess_is_idempotent(player: Player) -> None:
    player.begin()
    answers = [player.guess(number, guess).json() for number, guess in enumerate(("crane", "abbey", ANSWER), start=1)]
    for attempt in (1, 2, 3, 2, 1):
        repeated = player.guess(attempt, answers[attempt - 1]["guesses"][-1]["guess"].upper())
        assert repeated.status_code == 200
        assert repeated.json() == answers[attempt - 1]
    assert [state["answer"] for state in answers] == [None, None, ANSWER]


def test_repeated_guess_needs_no_words_service_or_open_game(
    player: Player, make_client: Callable[..., TestClient], clock: GameClock
) -> None:
    state = player.play("crane")
    clock.now = CLOSED
    with make_client(words_url=f"http://127.0.0.1:{find_free_port()}") as client:
        again = Player(client, player.user_id, player.headers).guess(1, "crane")
    assert again.json() == state


def test_play_stays_open_until_the_end_of_the_next_day(player: Player, clock: GameClock) -> None:
    player.play("crane")
    clock.now = LAST_SECOND
    assert player.begin().status_code == 200
    state = player.guess(2, "abbey").json()
    clock.now = CLOSED
    refused = player.guess(3, ANSWER)
    assert "closed" in assert_problem(refused, 409)
    assert player.read().json() == state
    assert player.begin().json() == state
    assert player.read().json()["answer"] is None  # the play is not over, so the answer stays secret


def test_play_finished_after_midnight_counts_for_its_day(
    player: Player, clock: GameClock, stats_service: Stats
) -> None:
    player.play("crane")
    clock.now = LAST_SECOND
    assert player.guess(2, ANSWER).json()["status"] == "won"
    assert stats_service.list_results(player.user_id) == [(TODAY, True, 2, "2026-11-23 23:59:59")]
    clock.now = CLOSED
    assert player.read().json()["answer"] == ANSWER
    assert player.share().status_code == 200


def test_guess_is_409_when_the_game_closes_before_the_write(player: Player, clock: GameClock) -> None:
    before = player.play("crane")
    clock.before = [LAST_SECOND, LAST_SECOND]  # read by the checks before the write lock
    clock.now = CLOSED  # read under the write lock
    assert_problem(player.guess(2, ANSWER), 409)
    assert player.read().json() == before


def test_start_is_409_when_midnight_passes_before_the_write(player: Player, clock: GameClock) -> None:
    clock.before = [datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)]
    clock.now = MIDNIGHT
    assert_problem(player.begin(), 409)
    assert "has not begun" in assert_problem(player.share(), 404)
    assert player.begin(TODAY + 1).status_code == 201


def test_clock_set_back_a_day_loses_no_play(player: Player, clock: GameClock, stats_service: Stats) -> None:
    state = player.play("crane")
    clock.move_days(-1)
    assert_problem(player.guess(2, ANSWER), 404)  # a future game now
    clock.move_days(1)
    assert player.read().json() == state
    assert player.guess(2, ANSWER).json()["status"] == "won"
    assert [guesses for _, _, guesses, _ in stats_service.list_results(player.user_id)] == [2]


def test_play_can_end_before_it_started_when_the_clock_is_set_back(
    player: Player, clock: GameClock, stats_service: Stats
) -> None:
    player.play("crane")
    clock.now = datetime(2026, 11, 23, 0, 0, 1, tzinfo=UTC)  # the clock was set back
    assert player.guess(2, ANSWER).json()["statistics"]["currentStreak"] == 1
    assert stats_service.list_results(player.user_id) == [(TODAY, True, 2, "2026-11-23 00:00:01")]


def test_plays_are_separate_per_player(client: TestClient, make_player: Callable[[TestClient], Player]) -> None:
    one, other = make_player(client), make_player(client)
    one.play("crane")
    assert other.read().json()["status"] == "new"
    assert other.play()["guesses"] == []


@pytest.mark.parametrize("user_id", ["1", "ada", "5d0b2f6e-9b0d-4f6c-8f0e", "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a110"])
def test_malformed_user_id_is_422_with_one_sentence(player: Player, user_id: str) -> None:
    response = player.client.get(f"/{TODAY}/plays/{user_id}", headers=player.headers)
    sentence = "path.user_id: this should be a UUID such as 5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11."
    assert assert_problem(response, 422) == sentence


def test_missing_plays_database_is_503_for_plays_and_health(
    make_client: Callable[..., TestClient], make_player: Callable[[TestClient], Player], tmp_path: Path
) -> None:
    with make_client(plays_url=f"sqlite:///{tmp_path}/none.db") as client:
        assert assert_problem(client.get("/health"), 503).startswith("The database none.db cannot be opened")
        player = make_player(client)
        for response in (player.begin(), player.read(), player.guess(1, "crane"), player.share()):
            assert_problem(response, 503)
        assert client.get("/today").status_code == 200
