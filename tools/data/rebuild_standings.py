"""Recomputes standings and counts from a shard's games: bin/populate and bin/shard store them, bin/verify compares."""

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Protocol
from uuid import UUID

import servicekit.db.column_types  # noqa: F401 - registers how UUIDs and days are stored
from servicekit.db.engine import Engine
from stats.queries import UPSERT_STANDING, standing_to_row
from stats.standings import Standing
from stats.streaks import find_runs

# One row for each user: the win days in one string are faster than a row for each game.
SELECT_GAMES = """
SELECT user_id,
       COUNT(*) FILTER (WHERE won AND guesses = 1), COUNT(*) FILTER (WHERE won AND guesses = 2),
       COUNT(*) FILTER (WHERE won AND guesses = 3), COUNT(*) FILTER (WHERE won AND guesses = 4),
       COUNT(*) FILTER (WHERE won AND guesses = 5), COUNT(*) FILTER (WHERE won AND guesses = 6),
       COUNT(*) FILTER (WHERE NOT won),
       MAX({day}),
       COALESCE({concatenate}({day}, ' ') FILTER (WHERE won), '')
FROM games GROUP BY user_id ORDER BY user_id
"""
DAYS = {Engine.SQLITE: "substr(finished, 1, 10)", Engine.POSTGRESQL: "to_char(finished, 'YYYY-MM-DD')"}
"""On PostgreSQL in the time zone of the session, UTC."""
CONCATENATE = {Engine.SQLITE: "group_concat", Engine.POSTGRESQL: "string_agg"}


class Executor(Protocol):
    """A connection of sqlite3, or a reader of either engine."""

    def execute(self, sql: str, /) -> Iterable[tuple[Any, ...]]: ...


def rebuild_standings(shard: Executor, engine: Engine = Engine.SQLITE) -> Iterator[tuple[UUID, Standing]]:
    """Each user with games, in the order of the ids, with the standing that the games give."""
    query = SELECT_GAMES.format(day=DAYS[engine], concatenate=CONCATENATE[engine])
    for user_id, *won_in, lost, last_day, win_days in shard.execute(query):
        max_streak, last_run = find_runs(map(date.fromisoformat, win_days.split()))
        yield (
            user_id if isinstance(user_id, UUID) else UUID(bytes=user_id),
            Standing(tuple(won_in), lost, max_streak, last_run, date.fromisoformat(last_day)),
        )


COUNT_SCORES = """
SELECT 'wins' AS board, won AS score, COUNT(*) AS players FROM standings GROUP BY won
UNION ALL
SELECT 'streaks', max_streak, COUNT(*) FROM standings GROUP BY max_streak
"""


COUNT_RESULTS = """
SELECT game_id, won, guesses, COUNT(*) AS players FROM games GROUP BY game_id, won, guesses
"""


def fill_standings(shard: sqlite3.Connection) -> None:
    """Stores the standings, score counts and game counts of a shard that has games, but none of these."""
    rows = (standing_to_row(user_id, standing) for user_id, standing in rebuild_standings(shard))
    shard.executemany(UPSERT_STANDING, rows)
    fill_counts(shard)


def fill_counts(shard: sqlite3.Connection) -> None:
    """Stores the score counts and game counts of a shard that has games and standings, but none of these."""
    shard.execute(f"INSERT INTO score_counts (board, score, players) {COUNT_SCORES}")
    shard.execute(f"INSERT INTO game_counts (game_id, won, guesses, players) {COUNT_RESULTS}")
