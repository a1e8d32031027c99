"""The schema of a shard: views, constraints, indexes and query plans."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import servicekit.db.column_types  # noqa: F401 - registers how ids, times and days are stored
from servicekit.db.engine import Engine
from stats.leaderboards import Board
from stats.queries import SELECT_GAME_COUNTS, SELECT_WIN_DAYS, select_nearby, select_top
from stats.results import Result
from stats.standings import count_results
from tests.support.results import DayRun, find_day_runs, finish, results
from tools.config.paths import DataPaths
from tools.data.rebuild_standings import fill_standings, rebuild_standings

INSERT = "INSERT INTO games VALUES (?, ?, ?, ?, ?)"
USER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")


@pytest.fixture
def shard(data_paths: DataPaths) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(data_paths.shards[0], isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # thousands of rows, each in its own transaction
        yield connection


def insert_games(shard: sqlite3.Connection, user_id: UUID, games: list[Result]) -> None:
    rows = [(user_id, number, game.finished, game.guesses, game.won) for number, game in enumerate(games)]
    shard.executemany(INSERT, rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(results, min_size=1, max_size=3))
def test_views_match_the_reference_implementation(shard: sqlite3.Connection, players: list[list[Result]]) -> None:
    shard.execute("DELETE FROM games")
    for number, games in enumerate(players):
        insert_games(shard, UUID(int=number), games)
    wins = {UUID(bytes=user_id).int: wins for user_id, wins in shard.execute("SELECT user_id, wins FROM wins")}
    assert wins == {number: sum(game.won for game in games) for number, games in enumerate(players) if games}
    for number, games in enumerate(players):
        rows = shard.execute("SELECT beginning, ending, streak FROM streaks WHERE user_id = ?", [UUID(int=number)])
        runs = [DayRun(date.fromisoformat(first), date.fromisoformat(last), streak) for first, last, streak in rows]
        assert sorted(runs) == find_day_runs(games)
    standings = {user_id.int: standing for user_id, standing in rebuild_standings(shard)}
    assert standings == {number: count_results(games) for number, games in enumerate(players) if games}


def test_streaks_view_counts_days_not_wins(
    shard: sqlite3.Connection,
) -> None:
    insert_games(shard, USER, [finish(1), finish(1, "23:00:00"), finish(2), finish(4), finish(6, won=False)])
    rows = shard.execute("SELECT streak, beginning, ending FROM streaks ORDER BY beginning").fetchall()
    assert rows == [(2, "2022-02-25", "2022-02-26"), (1, "2022-02-28", "2022-02-28")]


def test_player_without_a_win_has_zero_wins_and_no_streak(shard: sqlite3.Connection) -> None:
    insert_games(shard, USER, [finish(1, won=False)])
    assert shard.execute("SELECT wins FROM wins").fetchall() == [(0,)]
    assert shard.execute("SELECT * FROM streaks").fetchall() == []


@pytest.mark.parametrize(
    "row",
    [
        (str(USER), 1, "2022-03-14 19:30:00", 4, 1),
        (USER.bytes[:15], 1, "2022-03-14 19:30:00", 4, 1),
        (USER.bytes, -1, "2022-03-14 19:30:00", 4, 1),
        (USER.bytes, 1, "2022-03-14T19:30:00", 4, 1),
        (USER.bytes, 1, "2022-03-14 19:30", 4, 1),
        (USER.bytes, 1, "2022-02-30 19:30:00", 4, 1),
        (USER.bytes, 1, "2022-03-14 24:00:00", 4, 1),
        (USER.bytes, 1, 1647286200, 4, 1),
        (USER.bytes, 1, "yesterday", 4, 1),
        (USER.bytes, 1, "2022-03-14 19:30:00", 0, 1),
        (USER.bytes, 1, "2022-03-14 19:30:00", 7, 0),
        (USER.bytes, 1, "2022-03-14 19:30:00", 4, 2),
        (None, 1, "2022-03-14 19:30:00", 4, 1),
    ],
)
def test_invalid_row_violates_a_constraint(shard: sqlite3.Connection, row: tuple[object, ...]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        shard.execute(INSERT, row)


def test_duplicate_result_violates_the_primary_key(shard: sqlite3.Connection) -> None:
    insert_games(shard, USER, [finish(1)])
    with pytest.raises(sqlite3.IntegrityError):
        insert_games(shard, USER, [finish(2)])


def explain(shard: sqlite3.Connection, statement: str) -> list[str]:
    """The steps of SQLite's query plan."""
    values = dict.fromkeys(["limit", "before", "after", "score"], 10) | {"board": "wins", "user_id": USER}
    return [step for *_, step in shard.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize(
    "statement",
    [
        *(select_top(board, Engine.SQLITE) for board in Board),
        *(select_nearby(board, Engine.SQLITE, own_shard=own_shard) for board in Board for own_shard in (True, False)),
    ],
)
def test_leaderboard_queries_use_indexes_and_never_sort(shard: sqlite3.Connection, statement: str) -> None:
    steps = explain(shard, statement)
    tables = [step for step in steps if re.search("games|standings|score_counts", step)]
    assert tables
    covered = r"(SEARCH|SCAN) standings USING COVERING INDEX standings_by_\w+"  # SCAN: the top, from the first entry
    allowed = rf"{covered}|SEARCH (standings|score_counts) USING PRIMARY KEY \(|SCAN score_counts$"
    assert [step for step in tables if not re.match(allowed, step)] == []
    assert [step for step in steps if "TEMP B-TREE" in step] == []


@pytest.mark.parametrize("own_shard", [True, False])
def test_nearby_query_returns_only_the_nearest_rows(shard: sqlite3.Connection, own_shard: bool) -> None:
    for number in range(9):  # three players with each of 3, 2 and 1 wins
        insert_games(shard, UUID(int=number), [finish(day) for day in range(3 - number // 3)])
    fill_standings(shard)
    values = {"board": "wins", "user_id": UUID(int=4), "score": 2, "before": 2, "after": 3}
    rows = shard.execute(select_nearby(Board.WINS, Engine.SQLITE, own_shard=own_shard), values).fetchall()
    assert [UUID(bytes=user_id).int for _, user_id, _ in rows if user_id] == [3, 2, 5, 6, 7, 4]


def test_win_days_query_searches_by_player(shard: sqlite3.Connection) -> None:
    assert explain(shard, SELECT_WIN_DAYS)[0] == "SEARCH games USING PRIMARY KEY (user_id=?)"


def test_game_counts_query_searches_by_game(shard: sqlite3.Connection) -> None:
    plan = [step for *_, step in shard.execute(f"EXPLAIN QUERY PLAN {SELECT_GAME_COUNTS}", {"game_id": 1})]
    assert plan == ["SEARCH game_counts USING PRIMARY KEY (game_id=?)"]


def test_fill_standings_computes_game_counts_from_games(shard: sqlite3.Connection) -> None:
    insert_games(shard, UUID(int=0), [finish(1), finish(2, won=False, guesses=6)])
    insert_games(shard, UUID(int=1), [finish(1), finish(2, guesses=6), finish(3, guesses=1)])
    fill_standings(shard)
    counts = shard.execute("SELECT game_id, won, guesses, players FROM game_counts").fetchall()
    assert counts == [(0, 1, 4, 2), (1, 0, 6, 1), (1, 1, 6, 1), (2, 1, 1, 1)]


def test_fill_standings_computes_score_counts_from_games(shard: sqlite3.Connection) -> None:
    for number in range(4):
        insert_games(shard, UUID(int=number), [finish(day % 2) for day in range(number + 1)])
    fill_standings(shard)
    counts = shard.execute("SELECT board, score, players FROM score_counts").fetchall()
    assert counts == [("streaks", 1, 1), ("streaks", 2, 3), *(("wins", score, 1) for score in (1, 2, 3, 4))]


def test_negative_count_violates_a_constraint(shard: sqlite3.Connection) -> None:
    shard.execute("INSERT INTO score_counts VALUES ('wins', 3, 0)")
    with pytest.raises(sqlite3.IntegrityError):
        shard.execute("UPDATE score_counts SET players = players - 1")
