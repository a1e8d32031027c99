"""The schema of a shard: its views, places and tallies, and what it refuses."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import servicekit.values  # noqa: F401 - registers how ids, times and days are stored
from servicekit.statements import Statement
from stats.queries import SELECT_NEARBY, SELECT_TOP, SELECT_WIN_DAYS
from stats.results import Result
from stats.standings import count_results
from tests.stats.playing import DayRun, find_day_runs, finish, results
from tools.locations import Locations
from tools.rebuilding import fill_standings, rebuild_standings

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


def explain(shard: sqlite3.Connection, statement: Statement) -> list[str]:
    """The steps of SQLite's plan."""
    values = dict.fromkeys(["limit", "before", "after"], 10) | {"board": "wins", "first": -1, "second": 1}
    query = f"EXPLAIN QUERY PLAN {statement.sql}"
    return [step for *_, step in shard.execute(query, values | {"user_id": USER})]


@pytest.mark.parametrize("statement", [SELECT_TOP, SELECT_NEARBY])
def test_a_leaderboard_is_read_by_key_without_sorting_and_never_from_games(
    shard: sqlite3.Connection, statement: Statement
) -> None:
    steps = explain(shard, statement)
    tables = [step for step in steps if re.search("games|standings|places|tallies", step)]
    assert tables
    assert [step for step in tables if not re.match("SEARCH (places|tallies) USING PRIMARY KEY ", step)] == []
    assert [step for step in steps if "TEMP B-TREE" in step] == []


def test_the_win_days_of_a_player_are_read_from_that_players_games(shard: sqlite3.Connection) -> None:
    assert explain(shard, SELECT_WIN_DAYS)[0] == "SEARCH games USING PRIMARY KEY (user_id=?)"


# Few numbers and few first bytes, so that there are ties on every level of the tallies.
places = st.lists(
    st.tuples(
        st.sampled_from([-33, -32, -17, -16, -15, -1, 0]),
        st.integers(0, 2),
        st.builds(
            lambda head, rest: bytes([head, *bytes(14), rest]),
            st.sampled_from([0, 1, 127, 128, 255]),
            st.integers(0, 4),
        ),
    ),
    unique_by=lambda place: place[2],
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(places, st.integers(0, 4), st.integers(0, 4))
def test_what_is_near_a_place_is_what_the_sorted_whole_has_there(
    shard: sqlite3.Connection, whole: list[tuple[int, int, bytes]], before: int, after: int
) -> None:
    shard.execute("DELETE FROM places")
    shard.executemany("INSERT INTO places VALUES ('wins', ?, ?, ?)", whole)
    shard.execute("INSERT INTO places VALUES ('streaks', -5, 0, ?)", [USER])  # counts on the other board only
    for first, second, user_id in [*whole, (-1, 1, bytes([127] * 16))]:
        values = {"board": "wins", "first": first, "second": second, "user_id": user_id}
        rows = shard.execute(SELECT_NEARBY.sql, values | {"before": before, "after": after}).fetchall()
        ahead = sorted((place for place in whole if place < (first, second, user_id)), reverse=True)
        behind = sorted(place for place in whole if place > (first, second, user_id))
        assert rows == [*ahead[:before], *behind[:after], (len(ahead), None, None)]


def test_places_and_tallies_go_with_the_standings(shard: sqlite3.Connection) -> None:
    for number in range(4):
        insert_games(shard, UUID(int=number), [finish(day) for day in range(number + 1)])
    fill_standings(shard)
    assert shard.execute("SELECT COUNT(*) FROM places").fetchone() == (8,)
    shard.execute("DELETE FROM standings")
    assert shard.execute("SELECT * FROM places").fetchall() == []
    assert shard.execute("SELECT * FROM tallies").fetchall() == []
