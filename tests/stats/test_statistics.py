from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient

from servicekit.db.sharding import shard_number
from stats.results import Result
from tests.support.problem_checks import assert_problem
from tests.support.results import add_user, count_statistics, finish, read_everything, results, write_body
from tests.support.stored import StoredPlayers
from tools.config.paths import DataPaths

pytestmark = pytest.mark.both_engines

EMPTY_STATISTICS = (
    '{"currentStreak":0,"maxStreak":0,"guesses":{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"fail":0},'
    '"winPercentage":0,"gamesPlayed":0,"gamesWon":0,"averageGuesses":0}'
)


def post_results(client: TestClient, user_id: object, games: list[Result]) -> None:
    for game_id, game in enumerate(games):
        assert client.post(f"/users/{user_id}/games", json=write_body(game_id, game)).status_code == 201


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(results)
def test_statistics_match_the_reference_in_any_order(
    stats_client: TestClient, stored_players: StoredPlayers, games: list[Result]
) -> None:
    user_id = add_user(stored_players)
    post_results(stats_client, user_id, games)
    assert stats_client.get(f"/users/{user_id}").json() == count_statistics(games)


def test_body_has_the_original_fields_in_order(stats_client: TestClient, stored_players: StoredPlayers) -> None:
    user_id = add_user(stored_players)
    days = [0, 1, 2, 3, 4, 6, 7, 10, 11, 12, 13]
    guesses = [3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6]
    won = [finish(day, guesses=number) for day, number in zip(days, guesses, strict=True)]
    post_results(stats_client, user_id, [*won, finish(8, won=False)])
    assert stats_client.get(f"/users/{user_id}").text == (
        '{"currentStreak":4,"maxStreak":5,"guesses":{"1":0,"2":0,"3":2,"4":3,"5":4,"6":2,"fail":1},'
        '"winPercentage":92,"gamesPlayed":12,"gamesWon":11,"averageGuesses":5}'
    )


def test_statistics_before_the_first_game_are_zero(stats_client: TestClient, stored_players: StoredPlayers) -> None:
    response = stats_client.get(f"/users/{add_user(stored_players)}")
    assert response.status_code == 200
    assert response.text == EMPTY_STATISTICS


def test_player_without_a_win_has_statistics(stats_client: TestClient, stored_players: StoredPlayers) -> None:
    user_id = add_user(stored_players)
    games = [finish(1, won=False, guesses=6), finish(2, won=False, guesses=3)]
    post_results(stats_client, user_id, games)
    assert stats_client.get(f"/users/{user_id}").json() == count_statistics(games)


def test_statistics_of_an_unknown_user_are_404(stats_client: TestClient) -> None:
    user_id = uuid4()
    response = stats_client.get(f"/users/{user_id}")
    assert assert_problem(response, 404) == f"There is no user {user_id}."
    assert response.json()["type"] == "/api/stats/problems/unknown-user"


@pytest.mark.parametrize("user_id", ["1", "ada", "None", "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a1", "%20", "' OR 1=1"])
@pytest.mark.parametrize("rest", ["", "/games/1"])
def test_malformed_user_id_is_422(stats_client: TestClient, user_id: str, rest: str) -> None:
    assert assert_problem(stats_client.get(f"/users/{user_id}{rest}"), 422).startswith("path.user_id: ")


def test_player_is_stored_only_in_the_shard_of_the_id(stats_client: TestClient, stored_players: StoredPlayers) -> None:
    users = [add_user(stored_players) for _ in range(12)]
    for user_id in users:
        post_results(stats_client, user_id, [finish(1), finish(2)])
    found: list[list[tuple[Any, ...]]] = read_everything(stored_players)
    for shard in range(3):
        expected = sorted(user_id for user_id in users if shard_number(user_id, 3) == shard)
        games, standings = found[2 * shard], found[2 * shard + 1]
        assert sorted({row[0] for row in games}) == expected
        assert [row[0] for row in standings] == expected


def test_user_endpoints_need_only_the_users_shard(
    stats_client: TestClient, data_paths: DataPaths, stored_players: StoredPlayers
) -> None:
    user_id = add_user(stored_players)
    post_results(stats_client, user_id, [finish(1)])
    for number, shard in enumerate(data_paths.shards):
        if number != shard_number(user_id, 3):
            shard.unlink()
    assert stats_client.get(f"/users/{user_id}").json() == count_statistics([finish(1)])
    assert stats_client.get(f"/users/{user_id}/games/0").status_code == 200
    assert stats_client.post(f"/users/{user_id}/games", json=write_body(1, finish(2))).status_code == 201


@pytest.mark.parametrize("missing", ["users", "games"])
def test_missing_database_is_503(
    stats_client: TestClient, data_paths: DataPaths, stored_players: StoredPlayers, missing: str
) -> None:
    user_id = add_user(stored_players)
    for path in data_paths.players:
        if path.name.startswith(missing):
            path.unlink()
    assert_problem(stats_client.get(f"/users/{user_id}"), 503)
    assert_problem(stats_client.get("/health"), 503)


def test_health_is_200_when_every_database_answers(stats_client: TestClient) -> None:
    assert stats_client.get("/health").json() == {"status": "ok", "instance": "stats.1"}
