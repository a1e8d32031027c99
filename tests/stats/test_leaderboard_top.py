import random
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from stats.results import Result
from tests.support.boards import BOARDS, Ranking, both_boards, fill_shards, populate
from tests.support.problem_checks import assert_problem
from tests.support.results import add_user, finish
from tests.support.stored import StoredPlayers
from tools.config.paths import DataPaths

pytestmark = pytest.mark.both_engines


@both_boards
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 150])
def test_top_matches_the_fully_sorted_board(
    stats_client: TestClient, stored_players: StoredPlayers, board: str, rank: Ranking, count: int
) -> None:
    expected = rank(populate(stored_players, count))
    for limit in (1, 2, 10, 99, 100):
        response = stats_client.get(f"/leaders/{board}", params={"limit": limit})
        assert response.status_code == 200
        assert response.json() == {"leaders": expected[:limit], "players": count}
    leaders = stats_client.get(f"/leaders/{board}").json()["leaders"]
    assert leaders == expected[:10]
    assert [list(leader) for leader in leaders] == [["rank", "user_id", "username", BOARDS[board]]] * len(leaders)
    assert len({leader["user_id"] for leader in leaders}) == len(leaders)


@both_boards
def test_results_posted_to_the_service_are_ranked(
    stats_client: TestClient, stored_players: StoredPlayers, board: str, rank: Ranking
) -> None:
    rng = random.Random(7)  # noqa: S311 - the same games in every run
    players: dict[UUID, list[Result]] = {add_user(stored_players): [] for _ in range(15)}
    for game_id in range(6):
        for user_id, games in players.items():
            game = finish(rng.randrange(8), won=rng.random() < 0.7)
            games.append(game)
            body = {"game_id": game_id, "won": game.won, "guesses": game.guesses, "finished": game.finished.isoformat()}
            assert stats_client.post(f"/users/{user_id}/games", json=body).status_code == 201
    assert stats_client.get(f"/leaders/{board}").json() == {"leaders": rank(players)[:10], "players": 15}


@both_boards
def test_players_without_wins_are_last_and_without_games_absent(
    stats_client: TestClient, stored_players: StoredPlayers, board: str, rank: Ranking
) -> None:
    loser, winner, _newcomer = (add_user(stored_players) for _ in range(3))
    players = {loser: [finish(1, won=False)], winner: [finish(1)]}
    fill_shards(stored_players, players)
    leaders, count = stats_client.get(f"/leaders/{board}").json().values()
    assert (leaders, count) == (rank(players), 2)
    assert [leader[BOARDS[board]] for leader in leaders] == [1, 0]


def test_player_with_several_streaks_is_ranked_by_the_longest(
    stats_client: TestClient, stored_players: StoredPlayers
) -> None:
    user_id = add_user(stored_players)
    fill_shards(stored_players, {user_id: [finish(day) for day in (0, 1, 2, 4, 6, 7, 12)]})
    leaders = stats_client.get("/leaders/streaks").json()["leaders"]
    assert [leader["streak"] for leader in leaders] == [3]


@pytest.mark.parametrize("board", BOARDS)
def test_deleted_user_is_listed_without_a_name(
    stats_client: TestClient, stored_players: StoredPlayers, board: str
) -> None:
    fill_shards(stored_players, {UUID(int=5): [finish(1)]})
    (leader,) = stats_client.get(f"/leaders/{board}").json()["leaders"]
    assert leader["username"] is None


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5", "1e1", "99999999999999999999999", "NaN"])
def test_limit_outside_1_to_100_is_422(stats_client: TestClient, board: str, limit: str) -> None:
    assert assert_problem(stats_client.get(f"/leaders/{board}", params={"limit": limit}), 422).startswith(
        "query.limit: "
    )


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("missing", [0, 2])
def test_board_with_a_missing_database_is_503(
    stats_client: TestClient, data_paths: DataPaths, stored_players: StoredPlayers, board: str, missing: int
) -> None:
    populate(stored_players, 12)
    data_paths.players[missing].unlink()
    assert_problem(stats_client.get(f"/leaders/{board}"), 503)


def test_names_with_special_characters_are_returned_unchanged(
    stats_client: TestClient, stored_players: StoredPlayers
) -> None:
    name = """Ada "O'Hara" Œuvre 🎲 \\ <b>"""
    fill_shards(stored_players, {add_user(stored_players, name): [finish(1)]})
    (leader,) = stats_client.get("/leaders/wins").json()["leaders"]
    assert leader["username"] == name
