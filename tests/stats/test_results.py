"""Storing results and reading them back: idempotency, conflicts, validation and times."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.testclient import TestClient

from servicekit.db.sharding import shard_number
from stats.app import create_app
from stats.settings import Settings
from tests.support.openapi_checks import check_all_responses
from tests.support.problem_checks import assert_problem
from tests.support.results import add_user, count_statistics, finish, read_everything, write_body
from tests.support.stored import StoredPlayers
from tools.config.paths import DataPaths

pytestmark = pytest.mark.both_engines

NOW = datetime(2022, 3, 20, 12, 0, 0, 500_000, tzinfo=UTC)
BODY = {"game_id": 268, "won": True, "guesses": 4, "finished": "2022-03-14T19:30:00Z"}


@pytest.fixture
def client(stats_settings: Settings, service_headers: dict[str, str]) -> Iterator[TestClient]:
    """A client of the stats service, whose clock stands at NOW."""
    with TestClient(create_app(stats_settings, clock=lambda: NOW), headers=service_headers) as client:
        check_all_responses(client)
        yield client


@pytest.fixture
def user_id(stored_players: StoredPlayers) -> UUID:
    return add_user(stored_players)


WRONG: dict[str, list[object]] = {
    "guesses": [0, 7, -1, 2**70, "3", 3.0, 3.5, True, None, [3], {}],
    "won": ["yes", "true", 1, 0, None, []],
    "game_id": [-1, 2**31, 2**70, True, "1", 1.0, None],
    "finished": [
        *(1647286200, 1647286200.5, True, [], "1647286200", "-1", "+5", "1e3"),  # no Unix timestamps
        *("", "now", "14.3.2022", "2022-02-30T00:00:00Z", "2022-03-14", "2022-03-14T25:00:00Z", "\u0000", "\ud800"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),  # outside years 1 to 9999 in UTC
    ],
    "user_id": ["5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11"],
    "unknown": [None],
    "\ud83c": [1],
}


def post(client: TestClient, user_id: UUID, /, **changes: object) -> httpx.Response:
    body = json.dumps(BODY | changes)  # escapes lone surrogates, unlike httpx
    response: httpx.Response = client.post(
        f"/users/{user_id}/games", content=body, headers={"Content-Type": "application/json"}
    )
    return response


def test_new_result_is_201_and_readable_at_its_location(client: TestClient, user_id: UUID) -> None:
    response = post(client, user_id)
    assert response.status_code == 201
    assert response.json() == BODY
    assert list(response.json()) == ["game_id", "won", "guesses", "finished"]
    assert response.headers["Location"] == f"/users/{user_id}/games/268"
    read = client.get(response.headers["Location"])
    assert (read.status_code, read.json()) == (200, BODY)


def test_location_has_the_public_prefix(
    stats_settings: Settings, user_id: UUID, service_headers: dict[str, str]
) -> None:
    with TestClient(create_app(stats_settings), root_path="/api/stats", headers=service_headers) as client:
        response = client.post(f"/api/stats/users/{user_id}/games", json=BODY)
        assert response.headers["Location"] == f"/api/stats/users/{user_id}/games/268"
        assert client.get(response.headers["Location"]).json() == BODY


@pytest.mark.parametrize(
    "finished", ["2022-03-14T19:30:00Z", "2022-03-14T21:30:00.7+02:00", "2022-03-14 19:30:00", None]
)
def test_repeated_result_is_200_and_changes_nothing(
    client: TestClient, user_id: UUID, stored_players: StoredPlayers, finished: str | None
) -> None:
    first = post(client, user_id)
    before = read_everything(stored_players)
    again = post(client, user_id, finished=finished)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    assert read_everything(stored_players) == before


def test_repeated_result_without_finished_is_200(
    client: TestClient, user_id: UUID, stored_players: StoredPlayers
) -> None:
    body = {"game_id": 1, "won": False, "guesses": 6}
    first = client.post(f"/users/{user_id}/games", json=body)
    before = read_everything(stored_players)
    again = client.post(f"/users/{user_id}/games", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == body | {"finished": "2022-03-20T12:00:00Z"}  # now, to the second
    assert read_everything(stored_players) == before


@pytest.mark.parametrize(
    "other",
    [{"won": False}, {"guesses": 3}, {"finished": "2022-03-14T19:30:01Z"}, {"won": False, "finished": None}],
    ids=str,
)
def test_conflicting_result_is_409_and_changes_nothing(
    client: TestClient, user_id: UUID, stored_players: StoredPlayers, other: dict[str, object]
) -> None:
    post(client, user_id)
    before = read_everything(stored_players)
    refused = post(client, user_id, **other)
    assert "results never change" in assert_problem(refused, 409)
    assert refused.json()["type"] == "/api/stats/problems/result-differs"
    assert read_everything(stored_players) == before


def test_results_are_separate_per_user_and_game(client: TestClient, stored_players: StoredPlayers) -> None:
    ada, bob = add_user(stored_players), add_user(stored_players)
    for user_id, game_id in ((ada, 1), (ada, 2), (bob, 1)):
        assert post(client, user_id, game_id=game_id).status_code == 201
    assert client.get(f"/users/{bob}").json()["gamesPlayed"] == 1
    assert client.get(f"/users/{ada}").json()["gamesPlayed"] == 2


def test_result_of_an_unknown_user_is_404_and_not_stored(client: TestClient, stored_players: StoredPlayers) -> None:
    user_id = uuid4()
    assert assert_problem(post(client, user_id), 404) == f"There is no user {user_id}."
    assert not any(read_everything(stored_players))


def test_result_of_an_unfinished_game_is_404(client: TestClient, user_id: UUID) -> None:
    response = client.get(f"/users/{user_id}/games/268")
    assert assert_problem(response, 404) == f"User {user_id} has no result of game 268."
    assert_problem(client.get(f"/users/{uuid4()}/games/268"), 404)


@pytest.mark.parametrize(
    ("finished", "stored"),
    [
        ("2022-03-14T19:30:00", "2022-03-14T19:30:00Z"),  # without a zone it is UTC
        ("2022-03-15T09:30:00+14:00", "2022-03-14T19:30:00Z"),
        ("2022-03-14T00:30:00-12:00", "2022-03-14T12:30:00Z"),
        ("2022-03-14T19:30:00.999999Z", "2022-03-14T19:30:00Z"),
        ("2022-03-14T23:59:59.9Z", "2022-03-14T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("2022-03-20T12:01:00Z", "2022-03-20T12:01:00Z"),  # a minute ahead
    ],
)
def test_finished_is_stored_in_utc_to_the_second(client: TestClient, user_id: UUID, finished: str, stored: str) -> None:
    response = post(client, user_id, finished=finished)
    assert (response.status_code, response.json()["finished"]) == (201, stored)
    assert client.get(response.headers["Location"]).json()["finished"] == stored


@pytest.mark.parametrize("finished", ["2022-03-20T12:01:01Z", "2022-03-21T12:00:00", "9999-12-31T23:59:59Z"])
def test_result_in_the_future_is_422_and_not_stored(
    client: TestClient, user_id: UUID, stored_players: StoredPlayers, finished: str
) -> None:
    assert "more than a minute ahead" in assert_problem(post(client, user_id, finished=finished), 422)
    assert not any(read_everything(stored_players))


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in WRONG.items() for value in values],
    ids=ascii,
)
def test_invalid_field_is_422_and_not_stored(
    client: TestClient, user_id: UUID, stored_players: StoredPlayers, field: str, value: object
) -> None:
    assert assert_problem(post(client, user_id, **{field: value}), 422).startswith("body")
    assert not any(read_everything(stored_players))


@pytest.mark.parametrize("field", ["game_id", "won", "guesses"])
def test_missing_field_is_422(client: TestClient, user_id: UUID, field: str) -> None:
    body = {name: value for name, value in BODY.items() if name != field}
    response = client.post(f"/users/{user_id}/games", json=body)
    assert assert_problem(response, 422) == f"body.{field}: Field required."


@pytest.mark.parametrize("game_id", ["-1", str(2**31), "9" * 30, "x", "1.5", "true"])
def test_invalid_game_id_in_the_path_is_422(client: TestClient, user_id: UUID, game_id: str) -> None:
    assert assert_problem(client.get(f"/users/{user_id}/games/{game_id}"), 422).startswith("path.game_id: ")


def test_smallest_and_largest_game_id_are_accepted(client: TestClient, user_id: UUID) -> None:
    assert post(client, user_id, game_id=2**31 - 1).status_code == 201
    assert post(client, user_id, game_id=0).status_code == 201


def test_user_id_in_upper_case_or_without_hyphens_is_equal(client: TestClient, user_id: UUID) -> None:
    post(client, user_id)
    for text in (str(user_id).upper(), user_id.hex):
        assert client.get(f"/users/{text}/games/268").json() == BODY


def test_write_to_a_locked_shard_is_503_while_reads_succeed(
    stats_settings: Settings,
    user_id: UUID,
    data_paths: DataPaths,
    stored_players: StoredPlayers,
    service_headers: dict[str, str],
) -> None:
    settings = stats_settings.model_copy(update={"busy_timeout_ms": 100})
    with TestClient(create_app(settings), headers=service_headers) as client:
        check_all_responses(client)
        assert client.post(f"/users/{user_id}/games", json=write_body(1, finish(1))).status_code == 201
        before = read_everything(stored_players)
        with closing(sqlite3.connect(data_paths.shards[shard_number(user_id, 3)], isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            refused = client.post(f"/users/{user_id}/games", json=write_body(2, finish(2)))
            detail = assert_problem(refused, 503)
            assert client.get(f"/users/{user_id}").json() == count_statistics([finish(1)])
        assert str(data_paths.users.parent) not in detail
        assert read_everything(stored_players) == before
        assert client.post(f"/users/{user_id}/games", json=write_body(2, finish(2))).status_code == 201


def test_failed_standing_update_rolls_the_result_back(
    client: TestClient, user_id: UUID, data_paths: DataPaths, stored_players: StoredPlayers
) -> None:
    with closing(sqlite3.connect(data_paths.shards[shard_number(user_id, 3)])) as shard:
        shard.execute("CREATE TRIGGER fail BEFORE INSERT ON standings BEGIN SELECT RAISE(ABORT, 'it fails'); END")
    with pytest.raises(sqlite3.IntegrityError, match="it fails"):  # which a server logs, and answers with 500
        post(client, user_id)
    with closing(sqlite3.connect(data_paths.shards[shard_number(user_id, 3)])) as shard:
        shard.execute("DROP TRIGGER fail")
    assert not any(read_everything(stored_players))
    assert post(client, user_id).status_code == 201


def test_default_clock_is_the_current_time_to_the_second(stats_client: TestClient, user_id: UUID) -> None:
    response = stats_client.post(f"/users/{user_id}/games", json={"game_id": 1, "won": True, "guesses": 1})
    finished = datetime.fromisoformat(response.json()["finished"])
    assert timedelta(0) <= datetime.now(UTC) - finished < timedelta(minutes=1)
    assert finished.microsecond == 0
