"""The games service over HTTP, with a real words service: games, checks and answers."""

import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.clocks import GameClock
from tests.support.game_services import CANDIDATES, make_words_app
from tests.support.players import ANSWER, NO_CANDIDATE, TODAY
from tests.support.servers import find_free_port, serving

pytestmark = pytest.mark.both_engines


def read_stored_answers(database: Path) -> dict[int, str]:
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT game_id, answer FROM answers"))


def describe_game(
    game_id: int, day: str, *, ends_on: str = "", ends_at: str = "", answer: str | None = None
) -> dict[str, object]:
    return {
        "game_id": game_id,
        "date": day,
        "ends_at": ends_at or f"{ends_on}T00:00:00Z",
        "letters": 5,
        "guesses": 6,
        "answer": answer,
    }


def test_today_returns_the_game_without_its_answer(client: TestClient) -> None:
    response = client.get("/today")
    assert response.json() == describe_game(TODAY, "2026-11-23", ends_on="2026-11-24")


def test_today_changes_at_midnight_utc(client: TestClient, clock: GameClock) -> None:
    clock.now = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
    assert client.get("/today").json()["game_id"] == TODAY
    clock.now = datetime(2026, 11, 24, 0, 0, 0, tzinfo=UTC)
    assert client.get("/today").json() == describe_game(TODAY + 1, "2026-11-24", ends_on="2026-11-25")


def test_past_games_are_available_from_game_0(client: TestClient) -> None:
    assert client.get("/0").json()["date"] == "2021-06-19"
    assert client.get("/268").json()["date"] == "2022-03-14"
    assert client.get(f"/{TODAY}").status_code == 200


def test_answer_is_shown_from_the_end_of_the_day_after_the_games_own(client: TestClient, clock: GameClock) -> None:
    assert client.get("/1981").json() == describe_game(1981, "2026-11-21", ends_on="2026-11-22", answer="geese")
    assert client.get("/1982").json()["answer"] is None
    clock.now = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    assert client.get(f"/{TODAY}").json()["answer"] is None
    clock.now = datetime(2026, 11, 25, tzinfo=UTC)
    assert client.get(f"/{TODAY}").json()["answer"] == ANSWER


def test_kept_puzzle_is_304_until_its_answer_is_shown(client: TestClient, clock: GameClock) -> None:
    opened = client.get(f"/{TODAY}")
    known = {"If-None-Match": opened.headers["ETag"]}
    for path in (f"/{TODAY}", "/today"):
        response = client.get(path, headers=known)
        assert (response.status_code, response.headers["Cache-Control"]) == (304, "no-cache")
    clock.now = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    assert client.get("/today", headers=known).json()["game_id"] == TODAY + 1
    assert client.get(f"/{TODAY}", headers=known).status_code == 304
    clock.now = datetime(2026, 11, 25, tzinfo=UTC)
    closed = client.get(f"/{TODAY}", headers=known)
    assert closed.json()["answer"] == ANSWER
    assert closed.headers["Cache-Control"] == "public, max-age=86400"
    for method in ("GET", "HEAD"):
        again = client.request(method, f"/{TODAY}", headers={"If-None-Match": closed.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["Cache-Control"] == "public, max-age=86400"


def test_future_puzzle_is_404_whatever_is_kept(client: TestClient) -> None:
    refused = client.get(f"/{TODAY + 1}", headers={"If-None-Match": "*"})
    assert (refused.status_code, refused.headers["Cache-Control"]) == (404, "no-store")


def test_last_game_of_the_calendar_has_an_end(client: TestClient, clock: GameClock) -> None:
    clock.now = datetime(9999, 12, 31, 12, tzinfo=UTC)
    assert client.get("/today").json() == describe_game(2914099, "9999-12-31", ends_at="9999-12-31T23:59:59Z")


@pytest.mark.parametrize("game_id", [TODAY + 1, 99999, 10**9, 10**30])
def test_future_game_is_404(client: TestClient, game_id: int) -> None:
    assert client.get(f"/{game_id}").status_code == 404
    refused = client.post(f"/{game_id}/check", json={"guess": "crane"})
    assert refused.status_code == 404
    assert refused.json()["detail"] == f"Game {game_id} is yet to come."


@pytest.mark.parametrize("game_id", ["-1", "x", "1.5", "9" * 5000])
def test_malformed_game_id_is_422(client: TestClient, game_id: str) -> None:
    assert client.get(f"/{game_id}").status_code == 422


def test_check_colours_a_guess(client: TestClient) -> None:
    checked = client.post(f"/{TODAY}/check", json={"guess": "DOPED"})
    assert checked.status_code == 200
    states = ["absent", "absent", "absent", "present", "correct"]
    assert checked.json() == {
        "guess": "doped",
        "correct": False,
        "letters": [{"letter": letter, "state": state} for letter, state in zip("doped", states, strict=True)],
    }


def test_check_of_the_answer_is_correct(client: TestClient) -> None:
    checked = client.post(f"/{TODAY}/check", json={"guess": "ahead"}).json()
    assert checked["correct"] is True
    assert {letter["state"] for letter in checked["letters"]} == {"correct"}


def test_check_colours_words_outside_the_dictionary(client: TestClient) -> None:
    assert client.post(f"/{TODAY}/check", json={"guess": "zzzzz"}).status_code == 200


@pytest.mark.parametrize(
    "guess", ["", "abc", "abcdef", "crâne", "cran1", "crane\n", "\u212arane", None, 12345, ["crane"]]
)
def test_guess_that_is_not_five_letters_is_422(client: TestClient, guess: object) -> None:
    assert client.post(f"/{TODAY}/check", json={"guess": guess}).status_code == 422


def test_responses_do_not_contain_the_answer(client: TestClient) -> None:
    for response in (client.get("/today"), client.get(f"/{TODAY}"), client.get("/openapi.json")):
        assert "ahead" not in response.text
    refused = client.post(f"/{TODAY}/check", json={"guess": "wrong!"})
    assert "ahead" not in refused.text


def test_answer_set_for_a_future_game_is_used_on_its_day(client: TestClient, clock: GameClock) -> None:
    for answer in ("geese", "ABBEY"):
        response = client.put(f"/{TODAY + 1}/answer", json={"answer": answer})
        assert response.status_code == 200
        assert response.json() == describe_game(TODAY + 1, "2026-11-24", ends_on="2026-11-25")
    clock.move_days(1)
    assert client.post(f"/{TODAY + 1}/check", json={"guess": "abbey"}).json()["correct"] is True


@pytest.mark.parametrize("game_id", [0, TODAY - 1, TODAY])
def test_answer_of_todays_or_a_past_game_is_409(client: TestClient, database: Path, game_id: int) -> None:
    before = read_stored_answers(database)
    refused = client.put(f"/{game_id}/answer", json={"answer": "crane"})
    assert refused.status_code == 409
    assert read_stored_answers(database) == before


def test_answer_is_409_when_midnight_passes_before_the_lock(
    client: TestClient, database: Path, clock: GameClock
) -> None:
    client.put(f"/{TODAY + 2}/answer", json={"answer": "crane"}).raise_for_status()  # opens the connections
    clock.was_read.clear()
    clock.before = [datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)]
    clock.now = datetime(2026, 11, 24, tzinfo=UTC)
    with closing(sqlite3.connect(database, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        answer = pool.submit(client.put, f"/{TODAY + 1}/answer", json={"answer": "abbey"})
        assert clock.was_read.wait(5)
        other.execute("ROLLBACK")
        assert answer.result().status_code == 409
    assert read_stored_answers(database)[TODAY + 1] == "crane"


def test_answer_outside_candidates_and_dictionary_is_422(client: TestClient, database: Path) -> None:
    before = read_stored_answers(database)
    refused = client.put(f"/{TODAY + 1}/answer", json={"answer": "zzzzz"})
    assert refused.status_code == 422
    assert refused.json()["detail"] == "body.answer: zzzzz is neither a candidate nor in the dictionary."
    assert read_stored_answers(database) == before


@pytest.mark.parametrize("body", [{}, {"answer": "abc"}, {"answer": "crâne"}, {"answer": None}, {"guess": "crane"}, []])
def test_malformed_answer_is_422(client: TestClient, body: object) -> None:
    assert client.put(f"/{TODAY + 1}/answer", json=body).status_code == 422


def test_last_game_is_in_the_year_9999(client: TestClient) -> None:
    assert client.put("/2914099/answer", json={"answer": "crane"}).json()["date"] == "9999-12-31"
    for game_id in (2914100, 10**30):
        assert client.put(f"/{game_id}/answer", json={"answer": "crane"}).status_code == 422


def test_answer_without_the_words_service_is_503(make_client: Callable[..., TestClient], database: Path) -> None:
    before = read_stored_answers(database)
    with make_client(words_url=f"http://127.0.0.1:{find_free_port()}") as client:
        refused = client.put(f"/{TODAY + 1}/answer", json={"answer": NO_CANDIDATE})
        assert refused.status_code == 503
        assert refused.json()["detail"] == "The words service does not answer. Try again later."
        assert client.get("/today").status_code == 200
    assert read_stored_answers(database) == before


def test_503_of_the_words_service_is_passed_on(make_client: Callable[..., TestClient], tmp_path: Path) -> None:
    words_database = tmp_path / "words.db"
    with serving(make_words_app(words_database)) as url, make_client(words_url=url) as client:
        words_database.unlink()
        assert client.put(f"/{TODAY + 1}/answer", json={"answer": NO_CANDIDATE}).status_code == 503


def test_unexpected_response_to_a_lookup_is_503(make_client: Callable[..., TestClient], stats_url: str) -> None:
    with make_client(words_url=stats_url) as client:
        assert client.put(f"/{TODAY + 1}/answer", json={"answer": NO_CANDIDATE}).status_code == 503


def test_missing_answers_are_drawn_up_to_the_requested_game(
    client: TestClient, database: Path, clock: GameClock
) -> None:
    clock.move_days(30)
    client.put(f"/{TODAY + 32}/answer", json={"answer": "zebra"}).raise_for_status()
    before = read_stored_answers(database)
    assert client.post(f"/{TODAY + 30}/check", json={"guess": "crane"}).status_code == 200
    answers = read_stored_answers(database)
    assert answers.keys() == {*range(TODAY + 31), TODAY + 32}
    assert {game_id: answers[game_id] for game_id in before} == before
    assert set(answers.values()) <= set(CANDIDATES)
    window = len(CANDIDATES) // 2
    for game_id in range(TODAY + 2, TODAY + 31):
        assert answers[game_id] not in [answers[earlier] for earlier in range(game_id - window, game_id)]
    assert client.post(f"/{TODAY + 30}/check", json={"guess": answers[TODAY + 30]}).json()["correct"] is True


def test_check_of_a_past_game_draws_no_later_answer(client: TestClient, database: Path, clock: GameClock) -> None:
    clock.move_days(30)
    client.post(f"/{TODAY + 10}/check", json={"guess": "crane"}).raise_for_status()
    assert max(read_stored_answers(database)) == TODAY + 10


def test_concurrent_first_requests_draw_one_answer(
    make_client: Callable[..., TestClient], database: Path, clock: GameClock
) -> None:
    clock.move_days(100)
    with make_client() as one, make_client() as other, ThreadPoolExecutor(8) as pool:
        instances = [one, other] * 12
        checks = list(
            pool.map(lambda client: client.post(f"/{TODAY + 100}/check", json={"guess": "ahead"}).json(), instances)
        )
    assert all(check == checks[0] for check in checks)
    assert read_stored_answers(database).keys() == set(range(TODAY + 101))


def test_each_installation_draws_its_own_answers(
    make_client: Callable[..., TestClient], database: Path, clock: GameClock, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    shutil.copyfile(database, copy)
    clock.move_days(40)
    for path in (database, copy):
        with make_client(answers_url=f"sqlite:///{path}") as client:
            client.post(f"/{TODAY + 40}/check", json={"guess": "crane"}).raise_for_status()
    assert read_stored_answers(database).keys() == read_stored_answers(copy).keys()
    assert read_stored_answers(database) != read_stored_answers(copy)


def test_drawn_answer_survives_an_instance_with_a_late_clock(
    client: TestClient, database: Path, clock: GameClock
) -> None:
    clock.move_days(3)
    client.post(f"/{TODAY + 3}/check", json={"guess": "crane"}).raise_for_status()
    before = read_stored_answers(database)
    clock.move_days(-1)
    assert client.put(f"/{TODAY + 3}/answer", json={"answer": "zebra"}).status_code == 409
    assert read_stored_answers(database) == before


def test_source_of_an_answer_is_stored(client: TestClient, database: Path, clock: GameClock) -> None:
    client.put(f"/{TODAY + 2}/answer", json={"answer": "zebra"}).raise_for_status()
    clock.move_days(2)
    client.post(f"/{TODAY + 2}/check", json={"guess": "crane"}).raise_for_status()
    with closing(sqlite3.connect(database)) as connection:
        sources = dict(connection.execute("SELECT game_id, source FROM answers WHERE game_id >= ?", (TODAY,)))
    assert sources == {TODAY: "drawn", TODAY + 1: "operator", TODAY + 2: "operator"}


def test_check_without_candidates_is_503_and_names_bin_init(
    client: TestClient, database: Path, clock: GameClock
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM candidates")
        connection.commit()
    clock.move_days(100)
    refused = client.post(f"/{TODAY + 100}/check", json={"guess": "ahead"})
    assert refused.status_code == 503
    assert "bin/init" in refused.json()["detail"]


def test_framework_paths_are_not_taken_for_games(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    assert client.get("/openapi.json").json()["info"]["title"] == "Quintet games"
    assert client.get("/health").json() == {"status": "ok", "instance": "games.1"}
