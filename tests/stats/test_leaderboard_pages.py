"""Leaderboard pages around a player (`around`) and after a player (`after`), and their next links."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from servicekit.db.sharding import shard_number
from stats.app import create_app
from stats.results import Result
from stats.settings import Settings
from tests.support.boards import BOARDS, Ranking, both_boards, fill_shards, populate
from tests.support.problem_checks import assert_problem
from tests.support.results import add_user, add_users, finish, results, write_body
from tests.support.stored import StoredPlayers
from tools.config.paths import DataPaths

pytestmark = pytest.mark.both_engines


def read_page(client: TestClient, board: str, **query: object) -> Any:  # noqa: ANN401 - parsed JSON
    response = client.get(f"/leaders/{board}", params={name: str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    return response.json()


def read_leaders(client: TestClient, board: str, **query: object) -> Any:  # noqa: ANN401 - parsed JSON
    return read_page(client, board, **query)["leaders"]


def cut_around(full_board: list[dict[str, Any]], index: int, limit: int) -> list[dict[str, Any]]:
    start = max(0, min(index - (limit - 1) // 2, len(full_board) - limit))
    return full_board[start : start + limit]


@both_boards
def test_rows_around_each_player_match_the_sorted_board(
    stats_client: TestClient, stored_players: StoredPlayers, board: str, rank: Ranking
) -> None:
    full_board = rank(populate(stored_players, 25))
    for index, leader in enumerate(full_board):
        for limit in (1, 2, 3, 10, 24, 25, 26, 100):
            page = read_page(stats_client, board, around=leader["user_id"], limit=limit)
            assert page == {"leaders": cut_around(full_board, index, limit), "players": 25}
    assert read_leaders(stats_client, board, around=full_board[12]["user_id"]) == full_board[8:18]


@both_boards
@pytest.mark.parametrize("limit", [1, 3, 7, 10, 40, 100])
def test_next_links_list_every_player_exactly_once(
    stats_client: TestClient, stored_players: StoredPlayers, board: str, rank: Ranking, limit: int
) -> None:
    full_board = rank(populate(stored_players, 40))
    pages, url = [], f"/leaders/{board}?limit={limit}"
    while url:
        response = stats_client.get(url)
        pages.append(response.json()["leaders"])
        assert response.json()["players"] == 40
        url = response.links.get("next", {}).get("url", "")
        if url:
            assert urlsplit(url).path == f"/leaders/{board}"
    assert [leader for page in pages for leader in page] == full_board
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert pages[-1]


@both_boards
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(st.lists(results.filter(bool), min_size=1, max_size=6), st.integers(1, 12))
def test_pages_after_any_results_match_the_reference(
    stats_client: TestClient,
    stored_players: StoredPlayers,
    board: str,
    rank: Ranking,
    games: list[list[Result]],
    limit: int,
) -> None:
    clear_shards(stored_players)
    players = dict(zip(add_users(stored_players, [uuid4() for _ in games]), games, strict=True))
    post_interleaved(stats_client, players)
    full_board = rank(players)
    for index, leader in enumerate(full_board):
        user_id = leader["user_id"]
        around = read_page(stats_client, board, around=user_id, limit=limit)
        assert around == {"leaders": cut_around(full_board, index, limit), "players": len(players)}
        after = read_page(stats_client, board, after=user_id, limit=limit)
        assert after == {"leaders": full_board[index + 1 :][:limit], "players": len(players)}
    assert read_page(stats_client, board, limit=limit) == {"leaders": full_board[:limit], "players": len(players)}


def clear_shards(stored: StoredPlayers) -> None:
    for shard in stored.shards:
        for table in ("games", "standings", "score_counts", "game_counts"):
            shard.run(f"DELETE FROM {table}")  # noqa: S608 - names of ours


def post_interleaved(client: TestClient, players: dict[UUID, list[Result]]) -> None:
    posts = [(number, user_id, game) for user_id, games in players.items() for number, game in enumerate(games)]
    for number, user_id, game in sorted(posts, key=lambda post: post[0]):
        assert client.post(f"/users/{user_id}/games", json=write_body(number, game)).status_code == 201


@both_boards
def test_players_without_wins_are_ranked(
    stats_client: TestClient, stored_players: StoredPlayers, board: str, rank: Ranking
) -> None:
    players = {
        user_id: [finish(1, won=False)] * 2 for user_id in add_users(stored_players, [uuid4() for _ in range(9)])
    }
    fill_shards(stored_players, players)
    full_board = rank(players)
    around = read_page(stats_client, board, around=full_board[4]["user_id"], limit=3)
    assert around == {"leaders": full_board[3:6], "players": 9}
    assert read_leaders(stats_client, board, after=full_board[4]["user_id"]) == full_board[5:]


@pytest.mark.parametrize("board", BOARDS)
def test_single_player_is_a_page_of_one(stats_client: TestClient, stored_players: StoredPlayers, board: str) -> None:
    user_id = add_user(stored_players)
    fill_shards(stored_players, {user_id: [finish(1)]})
    (leader,) = read_leaders(stats_client, board, around=user_id)
    assert (leader["rank"], leader["user_id"]) == (1, str(user_id))
    assert read_page(stats_client, board, after=user_id) == {"leaders": [], "players": 1}


@pytest.mark.parametrize("board", BOARDS)
def test_first_result_puts_a_player_on_the_board(
    stats_client: TestClient, stored_players: StoredPlayers, board: str
) -> None:
    populate(stored_players, 2)
    newcomer = add_user(stored_players)
    assert read_page(stats_client, board, around=newcomer) == {"leaders": [], "players": 2}
    assert stats_client.post(f"/users/{newcomer}/games", json=write_body(1, finish(1, won=False))).status_code == 201
    page = read_page(stats_client, board, around=newcomer)
    assert page["players"] == read_page(stats_client, board)["players"] == 3
    assert str(newcomer) in [leader["user_id"] for leader in page["leaders"]]


@both_boards
def test_page_around_a_player_links_to_the_next_page(
    stats_client: TestClient, stored_players: StoredPlayers, board: str, rank: Ranking
) -> None:
    full_board = rank(populate(stored_players, 12))
    response = stats_client.get(f"/leaders/{board}", params={"around": full_board[2]["user_id"], "limit": 4})
    assert response.links["next"]["url"] == f"/leaders/{board}?limit=4&after={full_board[4]['user_id']}"
    for index in (9, 10, 11):
        response = stats_client.get(f"/leaders/{board}", params={"around": full_board[index]["user_id"], "limit": 4})
        assert "Link" not in response.headers


@pytest.mark.parametrize("board", BOARDS)
def test_next_link_has_the_public_prefix(
    stats_settings: Settings, stats_client: TestClient, stored_players: StoredPlayers, board: str
) -> None:
    populate(stored_players, 2)
    with TestClient(create_app(stats_settings), root_path="/api/stats") as client:
        first = client.get(f"/leaders/{board}?limit=1")
        url = first.links["next"]["url"]
        assert url.startswith(f"/api/stats/leaders/{board}?limit=1&after=")
        (leader,) = client.get(url).json()["leaders"]
    assert leader["user_id"] != first.json()["leaders"][0]["user_id"]


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", ["around", "after"])
def test_unknown_user_is_404(stats_client: TestClient, stored_players: StoredPlayers, board: str, name: str) -> None:
    populate(stored_players, 3)
    unknown = uuid4()
    response = stats_client.get(f"/leaders/{board}", params={name: str(unknown)})
    assert assert_problem(response, 404) == f"There is no user {unknown}."
    assert response.json()["type"] == "/api/stats/problems/unknown-user"


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", ["around", "after"])
@pytest.mark.parametrize("others", [0, 1, 2, 30])
def test_page_of_a_user_without_results_has_no_rows(
    stats_client: TestClient, stored_players: StoredPlayers, board: str, name: str, others: int
) -> None:
    populate(stored_players, others)
    for _ in range(4):  # ids of more than one shard
        response = stats_client.get(f"/leaders/{board}", params={name: str(add_user(stored_players))})
        assert response.status_code == 200
        assert response.json() == {"leaders": [], "players": others}
        assert "Link" not in response.headers


@pytest.mark.parametrize("board", BOARDS)
def test_around_together_with_after_is_422(stats_client: TestClient, board: str) -> None:
    response = stats_client.get(f"/leaders/{board}", params={"around": str(uuid4()), "after": str(uuid4())})
    assert assert_problem(response, 422) == "query: only one of around and after can be given."


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", ["around", "after"])
@pytest.mark.parametrize("value", ["", "ada", "1", "None"])
def test_malformed_user_id_is_422(stats_client: TestClient, board: str, name: str, value: str) -> None:
    response = stats_client.get(f"/leaders/{board}", params={name: value})
    assert assert_problem(response, 422).startswith(f"query.{name}: ")


@pytest.mark.parametrize("name", ["around", "after"])
@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_invalid_limit_is_422(stats_client: TestClient, stored_players: StoredPlayers, name: str, limit: str) -> None:
    user_id = add_user(stored_players)
    fill_shards(stored_players, {user_id: [finish(1)]})
    response = stats_client.get("/leaders/wins", params={name: str(user_id), "limit": limit})
    assert assert_problem(response, 422).startswith("query.limit: ")


@pytest.mark.parametrize("name", ["around", "after"])
def test_page_with_a_missing_shard_is_503(
    stats_client: TestClient, data_paths: DataPaths, stored_players: StoredPlayers, name: str
) -> None:
    user_id = min(populate(stored_players, 12), key=lambda user_id: shard_number(user_id, 3))
    data_paths.shards[2].unlink()
    assert_problem(stats_client.get("/leaders/wins", params={name: str(user_id)}), 503)
