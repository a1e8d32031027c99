"""Counts of players per score, which make ranks cheap, follow the standings."""

import sqlite3
from contextlib import closing
from uuid import UUID

import pytest
from hypothesis import given
from starlette.testclient import TestClient

from stats.leaderboards import Board
from stats.results import Result
from stats.score_counts import list_changes
from stats.standings import add_result, count_results
from tests.support.problem_checks import assert_problem
from tests.support.results import add_user, finish, results
from tests.support.scripts import write_rows
from tests.support.stored import StoredPlayers
from tools.config.paths import DataPaths

pytestmark = pytest.mark.both_engines

POST = {"won": True, "guesses": 3, "finished": "2022-03-14T12:00:00Z"}


def test_first_game_adds_the_player_to_both_boards() -> None:
    assert list_changes(None, count_results([finish(1)])) == [(Board.STREAKS, None, 1), (Board.WINS, None, 1)]


def test_lost_game_changes_no_count() -> None:
    before = count_results([finish(1)])
    assert list_changes(before, add_result(before, finish(2, won=False))) == []


def test_counts_are_updated_in_key_order() -> None:
    before = count_results([finish(1)])
    changes = list_changes(before, add_result(before, finish(2)))
    assert changes == [(Board.STREAKS, 1, 2), (Board.WINS, 1, 2)]


@given(results.filter(bool))
def test_scores_only_grow_and_each_change_begins_at_the_last(games: list[Result]) -> None:
    """So all transactions lock the rows of the counts in one order."""
    scores: dict[Board, int] = {}
    standing = None
    for number in range(len(games)):
        after = count_results(games[: number + 1])
        for board, old, new in list_changes(standing, after):
            assert scores.get(board) == old
            assert old is None or old < new
            scores[board] = new
        standing = after
    assert standing is not None
    assert scores == {Board.WINS: standing.won, Board.STREAKS: standing.max_streak}


@pytest.mark.parametrize("damage", ["DELETE FROM score_counts", "UPDATE score_counts SET players = 0"])
def test_result_on_inconsistent_counts_is_503_and_not_stored(
    stats_client: TestClient, data_paths: DataPaths, stored_players: StoredPlayers, damage: str
) -> None:
    user_id = add_user(stored_players)
    url = f"/users/{user_id}/games"
    assert stats_client.post(url, json=POST | {"game_id": 1}).status_code == 201
    for shard in data_paths.shards:
        write_rows(shard, damage)

    detail = assert_problem(stats_client.post(url, json=POST | {"game_id": 2}), 503)

    assert "bin/verify" in detail
    assert_problem(stats_client.get(f"{url}/2"), 404)
    assert stats_client.get(f"/users/{user_id}").json()["gamesWon"] == 1


def test_pages_are_correct_among_40000_ties(stats_client: TestClient, data_paths: DataPaths) -> None:
    players = [UUID(int=number << 64 | number) for number in range(40_000)]
    best = UUID(int=2**128 - 1)
    for index, shard in enumerate(data_paths.shards):
        with closing(sqlite3.connect(shard)) as connection, connection:
            rows = [(user_id.bytes, 1) for user_id in players if user_id.int % 3 == index]
            rows += [(best.bytes, 2)] if best.int % 3 == index else []
            connection.executemany(
                "INSERT INTO standings VALUES (?1, ?2, 0, 0, 0, ?2, 0, 0, 0, ?2, 1, '2022-03-14', '2022-03-14')", rows
            )
            connection.execute("INSERT INTO score_counts SELECT 'wins', won, COUNT(*) FROM standings GROUP BY won")

    for number in (0, 1, 19_999, 39_998, 39_999):
        around = stats_client.get("/leaders/wins", params={"around": str(players[number]), "limit": 3}).json()
        assert {row["rank"] for row in around["leaders"] if row["wins"] == 1} == {2}
        assert str(players[number]) in [row["user_id"] for row in around["leaders"]]
        assert around["players"] == 40_001
    assert stats_client.get("/leaders/wins?limit=1").json()["players"] == 40_001
    after = stats_client.get("/leaders/wins", params={"after": str(players[19_999]), "limit": 4}).json()["leaders"]
    assert [(row["rank"], row["user_id"]) for row in after] == [(2, str(players[20_000 + index])) for index in range(4)]
