"""The schema of a shard: its views and indexes, and what it refuses."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import servicekit.values  # noqa: F401 - registers how ids, times and days are stored
from stats.queries import SELECT_TOP_STREAKS, SELECT_TOP_WINS, SELECT_WIN_DAYS
from stats.results import Result
from stats.standings import count_results
from tests.stats.playing import DayRun, find_day_runs, finish, results
from tools.locations import Locations
from tools.rebuilding import rebuild_standings

INSERT = "INSERT INTO games VALUES (?, ?, ?, ?, ?)"
USER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")


@pytest.fixture
def shard(locations: Locations) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(locations.shards[0], isolation_level=None)) as connection:
        yield connection


def insert_games(shard: sqlite3.Connection, user_id: UUID, games: list[Result]) -> None:
    rows = [(user_id, number, game.finished, game.guesses, game.won) for number, game in enumerate(games)]
    shard.executemany(INSERT, rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(results, min_size=1, max_size=3))
def test_the_views_are_what_the_slow_way_counts(shard: sqlite3.Connection, players: list[list[Result]]) -> None:
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


def test_the_view_of_streaks_lists_runs_of_one_day_and_counts_two_wins_on_one_day_once(
    shard: sqlite3.Connection,
) -> None:
    insert_games(shard, USER, [finish(1), finish(1, "23:00:00"), finish(2), finish(4), finish(6, won=False)])
    rows = shard.execute("SELECT streak, beginning, ending FROM streaks ORDER BY beginning").fetchall()
    assert rows == [(2, "2022-02-25", "2022-02-26"), (1, "2022-02-28", "2022-02-28")]


def test_a_player_who_never_won_has_no_wins_and_no_streak(shard: sqlite3.Connection) -> None:
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
def test_a_row_that_cannot_be_right_is_refused(shard: sqlite3.Connection, row: tuple[object, ...]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        shard.execute(INSERT, row)


def test_a_second_result_of_a_game_is_refused(shard: sqlite3.Connection) -> None:
    insert_games(shard, USER, [finish(1)])
    with pytest.raises(sqlite3.IntegrityError):
        insert_games(shard, USER, [finish(2)])


@pytest.mark.parametrize(
    ("sql", "plan"),
    [
        (SELECT_TOP_WINS.sql, "SCAN standings USING COVERING INDEX standings_by_wins"),
        (SELECT_TOP_STREAKS.sql, "SCAN standings USING COVERING INDEX standings_by_streak"),
        (SELECT_WIN_DAYS.sql, "SEARCH games USING PRIMARY KEY (user_id=?)"),
    ],
)
def test_a_top_is_read_from_its_index_without_sorting_and_games_of_one_user_only(
    shard: sqlite3.Connection, sql: str, plan: str
) -> None:
    rng = random.Random(1)  # noqa: S311 - any numbers
    insert_games(shard, USER, [finish(rng.randrange(10)) for _ in range(10)])
    steps = [step for *_, step in shard.execute(f"EXPLAIN QUERY PLAN {sql}", {"limit": 10, "user_id": USER})]
    assert steps[0] == plan
    assert not [step for step in steps if "ORDER BY" in step]
