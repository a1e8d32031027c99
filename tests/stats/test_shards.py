"""The schema of a shard: its views, places and buckets, and what it refuses."""

import re
import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import date
from random import Random
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import servicekit.values  # noqa: F401 - registers how ids, times and days are stored
from servicekit.statements import Statement
from stats.leaderboards import Place
from stats.queries import SELECT_NEARBY, SELECT_PLACE, SELECT_TOP, SELECT_WIN_DAYS
from stats.results import Result
from stats.standings import count_results
from tests.stats.playing import DayRun, find_day_runs, finish, results
from tools.locations import Locations
from tools.rebuilding import fill_boards, fill_standings, rebuild_standings, without_triggers

INSERT = "INSERT INTO games VALUES (?, ?, ?, ?, ?)"
USER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")


@pytest.fixture
def shard(locations: Locations) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(locations.shards[0], isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # thousands of rows, each committed by itself
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
    values = dict.fromkeys(["limit", "before", "after"], 10) | {"board": "wins", "place": bytes(32), "user_id": USER}
    return [step for *_, step in shard.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values)]


@pytest.mark.parametrize("statement", [SELECT_TOP, SELECT_NEARBY])
def test_a_leaderboard_is_read_by_key_without_sorting_and_never_from_games(
    shard: sqlite3.Connection, statement: Statement
) -> None:
    steps = explain(shard, statement)
    tables = [step for step in steps if re.search("games|standings|places|buckets", step)]
    assert tables
    assert [step for step in tables if not re.match("SEARCH (places|buckets) USING PRIMARY KEY ", step)] == []
    assert [step for step in steps if "TEMP B-TREE" in step] == []


def test_the_win_days_of_a_player_are_read_from_that_players_games(shard: sqlite3.Connection) -> None:
    assert explain(shard, SELECT_WIN_DAYS)[0] == "SEARCH games USING PRIMARY KEY (user_id=?)"


class Player(NamedTuple):
    won: int
    played: int
    max_streak: int
    user_id: bytes

    @property
    def keys(self) -> dict[str, tuple[int, int, bytes]]:
        """What each board is ordered by."""
        return {
            "wins": (-self.won, self.played, self.user_id),
            "streaks": (-self.max_streak, -self.won, self.user_id),
        }


def make_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def insert_standings(shard: sqlite3.Connection, players: Iterable[Player]) -> None:
    rows = [(user_id, played, won, won, played - won, streak) for won, played, streak, user_id in players]
    shard.executemany(
        "INSERT INTO standings (user_id, played, won, won_in_4, lost, max_streak, won_in_1, won_in_2, won_in_3,"
        " won_in_5, won_in_6, last_run, last_day) VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, '2022-03-14')",
        rows,
    )


def read_players(shard: sqlite3.Connection) -> list[Player]:
    rows = shard.execute("SELECT won, played, max_streak, CAST(user_id AS BLOB) FROM standings")
    return [Player(*row) for row in rows]


def read_near(shard: sqlite3.Connection, board: str, player: Player, before: int, after: int) -> list[object]:
    """How many are ahead, and the ids of the nearest."""
    ((place,),) = shard.execute(SELECT_PLACE.sql, {"board": board, "user_id": player.user_id})
    values = {"board": board, "place": place, "before": before, "after": after}
    return [ahead if near is None else near[16:] for near, ahead in shard.execute(SELECT_NEARBY.sql, values)]


def sort_board(players: Iterable[Player], board: str) -> list[Player]:
    return sorted(players, key=lambda player: player.keys[board])


def cut_near(whole: list[Player], index: int, before: int, after: int) -> list[object]:
    """As read_near, of a board in order."""
    nearest = [*whole[max(0, index - before) : index][::-1], *whole[index + 1 :][:after]]
    return [index, *(player.user_id for player in nearest)]


few_players = st.lists(
    st.builds(
        lambda won, lost, streak, number: Player(won, won + lost, streak, make_id(number)),
        st.sampled_from([0, 1, 2, 15, 16, 255, 256, 2**31 - 1]),
        st.integers(0, 2),
        st.sampled_from([0, 1, 16, 300]),
        st.one_of(st.integers(0, 3), st.integers(0, 2**128 - 1)),
    ),
    unique_by=lambda player: player.user_id,
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(few_players, st.integers(0, 4), st.integers(0, 4))
def test_what_is_near_a_place_is_what_the_sorted_whole_has_there(
    shard: sqlite3.Connection, players: list[Player], before: int, after: int
) -> None:
    shard.execute("DELETE FROM standings")
    insert_standings(shard, players)
    for board in ("wins", "streaks"):
        whole = sort_board(players, board)
        for index, player in enumerate(whole):
            assert read_near(shard, board, player, before, after) == cut_near(whole, index, before, after)


def read_top(shard: sqlite3.Connection, board: str) -> list[tuple[int, bytes]]:
    """Score and id, best first."""
    places = [Place(place) for (place,) in shard.execute(SELECT_TOP.sql, {"board": board, "limit": 10})]
    return [(place.score, place.user_bytes) for place in places]


def test_wins_are_ordered_by_fewer_games_then_by_the_smaller_id(shard: sqlite3.Connection) -> None:
    one, two, three, four = map(make_id, range(1, 5))
    insert_standings(shard, [Player(1, 1, 1, one), Player(2, 3, 2, three), Player(2, 3, 2, two), Player(2, 2, 2, four)])
    assert read_top(shard, "wins") == [(2, four), (2, two), (2, three), (1, one)]


def test_streaks_are_ordered_by_more_wins_then_by_the_smaller_id(shard: sqlite3.Connection) -> None:
    one, two, three, four = map(make_id, range(1, 5))
    insert_standings(shard, [Player(1, 1, 1, one), Player(2, 2, 2, three), Player(2, 2, 2, two), Player(3, 3, 2, four)])
    assert read_top(shard, "streaks") == [(2, four), (2, two), (2, three), (1, one)]


SMALLEST, LARGEST = 256, 2048
"""Players of a bucket, by share/games.sql; the first of a board may have fewer."""


def assert_buckets_are_right(shard: sqlite3.Connection, *, smallest: int = SMALLEST) -> None:
    """By the slow way: each has the players between its start and the next one, and none is too large or too small."""
    for board in ("wins", "streaks"):
        buckets = shard.execute("SELECT start, players FROM buckets WHERE board = ? ORDER BY start", [board]).fetchall()
        starts = [start for start, _ in buckets]
        assert starts[0] == b""
        column = f"{board}_place"
        counts = Counter(
            bisect_right(starts, place) - 1
            for (place,) in shard.execute(f"SELECT {column} FROM standings")  # noqa: S608 - a name of ours
        )
        assert [players for _, players in buckets] == [counts[number] for number in range(len(starts))]
        assert all(players <= LARGEST for _, players in buckets)
        assert all(players >= smallest for _, players in buckets[1:])


def add(shard: sqlite3.Connection, random: Random) -> None:
    """A thousand to three thousand, many of them equal but for their ids."""
    wins = random.choice([0, 3, 40])
    insert_standings(
        shard,
        (
            Player(won, won + random.randrange(3), random.randrange(won + 1), random.randbytes(16))
            for won in (random.randint(0, wins) for _ in range(random.randint(1000, 3000)))
        ),
    )


def win(shard: sqlite3.Connection, random: Random) -> None:
    """Some part of them moves to the better, many across a whole bucket; `draw` gives a number below another one."""
    shard.execute(
        "UPDATE standings SET won = won + :more, won_in_4 = won_in_4 + :more, played = played + :more,"
        " max_streak = max_streak + :days WHERE draw(:part) = 0",
        {"more": random.choice([1, 1, 50]), "days": random.choice([0, 1]), "part": random.choice([1, 2, 10])},
    )


def lose(shard: sqlite3.Connection, random: Random) -> None:
    shard.execute(
        "UPDATE standings SET lost = lost + 1, played = played + 1 WHERE draw(?) = 0",
        [random.choice([1, 2, 10])],
    )


def leave(shard: sqlite3.Connection, random: Random) -> None:
    """Whoever is in the middle of the board, or some from everywhere."""
    condition = random.choice(["won BETWEEN 1 AND 20", "draw(2) = 0", "max_streak > 0"])
    shard.execute(f"DELETE FROM standings WHERE {condition}")  # noqa: S608 - conditions of ours


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None)
@given(st.lists(st.sampled_from([add, win, lose, leave]), max_size=5), st.integers(0, 2**32))
def test_whatever_thousands_of_players_do_the_buckets_are_what_the_slow_way_counts(
    shard: sqlite3.Connection, steps: list[Callable[[sqlite3.Connection, Random], None]], seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - no secrets
    shard.create_function("draw", 1, random.randrange)
    shard.execute("DELETE FROM standings")
    for step in [add, *steps]:
        step(shard, random)
        assert_buckets_are_right(shard)
    for board in ("wins", "streaks"):
        whole = sort_board(read_players(shard), board)
        for index in range(0, len(whole), 97):
            assert read_near(shard, board, whole[index], 2, 2) == cut_near(whole, index, 2, 2)


def read_players_of_buckets(shard: sqlite3.Connection, board: str) -> list[int]:
    """In the board's order."""
    rows = shard.execute("SELECT players FROM buckets WHERE board = ? ORDER BY start", [board])
    return [players for (players,) in rows]


def make_equals(numbers: Iterable[int], *, won: int = 5) -> list[Player]:
    """Players who differ in nothing but their ids, which are ordered as the numbers are."""
    return [Player(won, won, won, make_id(number)) for number in numbers]


def fill_anew(shard: sqlite3.Connection) -> None:
    """Places and buckets in bulk, as bin/populate does."""
    shard.execute("BEGIN")
    with without_triggers(shard):
        shard.execute("DELETE FROM places")
        shard.execute("DELETE FROM buckets")
        fill_boards(shard)
    shard.execute("COMMIT")


def test_a_bucket_that_has_grown_is_cut_and_one_that_has_shrunk_joins_the_one_before(shard: sqlite3.Connection) -> None:
    insert_standings(shard, make_equals(range(2048)))
    assert read_players_of_buckets(shard, "wins") == [2048]
    insert_standings(shard, make_equals([2048]))
    assert read_players_of_buckets(shard, "wins") == [1024, 1025]
    shard.execute("DELETE FROM standings WHERE user_id >= ?", [make_id(1024 + 256)])
    assert read_players_of_buckets(shard, "wins") == [1024, 256]
    shard.execute("DELETE FROM standings WHERE user_id = ?", [make_id(1024)])
    assert read_players_of_buckets(shard, "wins") == [1024 + 255]
    shard.execute("DELETE FROM standings")
    assert read_players_of_buckets(shard, "wins") == [0]


def test_two_buckets_that_join_are_cut_again_where_they_are_too_large_together(shard: sqlite3.Connection) -> None:
    insert_standings(shard, make_equals(range(1024, 3073)))
    insert_standings(shard, make_equals(range(1000)))  # 2,024 and 1,025
    shard.execute("DELETE FROM standings WHERE user_id >= ?", [make_id(2048 + 255)])
    assert_buckets_are_right(shard)
    assert read_players_of_buckets(shard, "wins") == [1024, 1255]


def test_a_small_bucket_at_the_end_of_those_filled_at_once_stays_while_players_come_to_it(
    shard: sqlite3.Connection,
) -> None:
    insert_standings(shard, make_equals(range(1024 + 250)))
    fill_anew(shard)
    insert_standings(shard, make_equals(range(2000, 2800), won=6))
    assert read_players_of_buckets(shard, "wins") == [1024 + 800, 250]
    # From the first bucket into the small one, when both together are too large for one.
    shard.execute("UPDATE standings SET lost = 9, played = played + 9 WHERE user_id = ?", [make_id(0)])
    assert read_players_of_buckets(shard, "wins") == [1024 + 799, 251]
    assert_buckets_are_right(shard, smallest=250)


def test_buckets_that_are_filled_at_once_have_a_thousand_players(shard: sqlite3.Connection) -> None:
    insert_standings(shard, make_equals(range(2500)))
    fill_anew(shard)
    for board in ("wins", "streaks"):
        assert read_players_of_buckets(shard, board) == [1024, 1024, 452]
    assert_buckets_are_right(shard)


def test_places_and_buckets_go_with_the_standings(shard: sqlite3.Connection) -> None:
    for number in range(4):
        insert_games(shard, UUID(int=number), [finish(day) for day in range(number + 1)])
    fill_standings(shard)
    assert shard.execute("SELECT COUNT(*) FROM places").fetchone() == (8,)
    assert shard.execute("SELECT * FROM buckets").fetchall() == [("streaks", b"", 4), ("wins", b"", 4)]
    shard.execute("DELETE FROM standings")
    assert shard.execute("SELECT * FROM places").fetchall() == []
    assert shard.execute("SELECT * FROM buckets").fetchall() == [("streaks", b"", 0), ("wins", b"", 0)]
