import random
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from stats.results import Result
from tests.support.boards import BOARDS, Ranking, both_boards, fill_shards, populate
from tests.support.problem_checks import assert_problem
from tests.support.results import add_user, finish
from tools.config.paths import DataPaths


@both_boards
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 150])
def test_a_board_is_the_top_of_the_sorted_whole(
    stats_client: TestClient, data_paths: DataPaths, board: str, rank: Ranking, count: int
) -> None:
    whole = rank(populate(data_paths, count))
    for limit in (1, 2, 10, 99, 100):
        response = stats_client.get(f"/leaders/{board}", params={"limit": limit})
        assert response.status_code == 200
        assert response.json() == {"leaders": whole[:limit]}
    leaders = stats_client.get(f"/leaders/{board}").json()["leaders"]
    assert leaders == whole[:10]
    assert [list(leader) for leader in leaders] == [["rank", "user_id", "username", BOARDS[board]]] * len(leaders)
    assert len({leader["user_id"] for leader in leaders}) == len(leaders)


@both_boards
def test_what_the_service_has_recorded_is_ranked_alike(
    stats_client: TestClient, data_paths: DataPaths, board: str, rank: Ranking
) -> None:
    rng = random.Random(7)  # noqa: S311 - the same games in every run
    players: dict[UUID, list[Result]] = {add_user(data_paths): [] for _ in range(15)}
    for game_id in range(6):
        for user_id, games in players.items():
            game = finish(rng.randrange(8), won=rng.random() < 0.7)
            games.append(game)
            body = {"game_id": game_id, "won": game.won, "guesses": game.guesses, "finished": game.finished.isoformat()}
            assert stats_client.post(f"/users/{user_id}/games", json=body).status_code == 201
    assert stats_client.get(f"/leaders/{board}").json() == {"leaders": rank(players)[:10]}


@both_boards
def test_players_who_only_lost_stand_at_the_end_and_those_without_a_game_not_at_all(
    stats_client: TestClient, data_paths: DataPaths, board: str, rank: Ranking
) -> None:
    loser, winner, _newcomer = (add_user(data_paths) for _ in range(3))
    players = {loser: [finish(1, won=False)], winner: [finish(1)]}
    fill_shards(data_paths, players)
    leaders = stats_client.get(f"/leaders/{board}").json()["leaders"]
    assert leaders == rank(players)
    assert [leader[BOARDS[board]] for leader in leaders] == [1, 0]


def test_a_player_with_several_streaks_stands_once_with_the_best(
    stats_client: TestClient, data_paths: DataPaths
) -> None:
    user_id = add_user(data_paths)
    fill_shards(data_paths, {user_id: [finish(day) for day in (0, 1, 2, 4, 6, 7, 12)]})
    leaders = stats_client.get("/leaders/streaks").json()["leaders"]
    assert [leader["streak"] for leader in leaders] == [3]


@pytest.mark.parametrize("board", BOARDS)
def test_a_player_whom_the_users_service_no_longer_knows_has_no_name(
    stats_client: TestClient, data_paths: DataPaths, board: str
) -> None:
    fill_shards(data_paths, {UUID(int=5): [finish(1)]})
    (leader,) = stats_client.get(f"/leaders/{board}").json()["leaders"]
    assert leader["username"] is None


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5", "1e1", "99999999999999999999999", "NaN"])
def test_a_limit_that_is_not_between_1_and_100_is_422(stats_client: TestClient, board: str, limit: str) -> None:
    assert assert_problem(stats_client.get(f"/leaders/{board}", params={"limit": limit}), 422).startswith(
        "query.limit: "
    )


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("missing", [0, 2])
def test_a_board_that_cannot_be_whole_is_503(
    stats_client: TestClient, data_paths: DataPaths, board: str, missing: int
) -> None:
    populate(data_paths, 12)
    data_paths.players[missing].unlink()
    assert_problem(stats_client.get(f"/leaders/{board}"), 503)


def test_names_with_quotes_and_other_letters_are_shown_as_they_are(
    stats_client: TestClient, data_paths: DataPaths
) -> None:
    name = """Ada "O'Hara" Œuvre 🎲 \\ <b>"""
    fill_shards(data_paths, {add_user(data_paths, name): [finish(1)]})
    (leader,) = stats_client.get("/leaders/wins").json()["leaders"]
    assert leader["username"] == name
