"""A shard's standings, built anew from its games: how bin/populate and bin/shard fill the table, and what bin/verify
compares it with."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import servicekit.values  # noqa: F401 - registers how UUIDs and days are stored
from stats.queries import UPSERT_STANDING, write_standing
from stats.standings import Standing
from stats.streaks import find_runs

SELECT_COUNTS = """
SELECT user_id,
       COUNT(*) FILTER (WHERE won AND guesses = 1), COUNT(*) FILTER (WHERE won AND guesses = 2),
       COUNT(*) FILTER (WHERE won AND guesses = 3), COUNT(*) FILTER (WHERE won AND guesses = 4),
       COUNT(*) FILTER (WHERE won AND guesses = 5), COUNT(*) FILTER (WHERE won AND guesses = 6),
       COUNT(*) FILTER (WHERE NOT won), MAX(substr(finished, 1, 10))
FROM games GROUP BY user_id ORDER BY user_id
"""
SELECT_WIN_DAYS = "SELECT user_id, substr(finished, 1, 10) FROM games WHERE won ORDER BY user_id"


def rebuild_standings(shard: sqlite3.Connection) -> Iterator[tuple[UUID, Standing]]:
    """Each user of the shard's games, in the order of the ids, with the standing that the games give."""
    win_days = groupby(shard.execute(SELECT_WIN_DAYS), key=itemgetter(0))
    winner, days = next(win_days, (None, iter(())))
    for user_id, *won_in, lost, last_day in shard.execute(SELECT_COUNTS):
        max_streak, last_run = 0, None
        if user_id == winner:
            max_streak, last_run = find_runs({date.fromisoformat(day) for _, day in days})
            winner, days = next(win_days, (None, iter(())))
        yield (
            user_id if isinstance(user_id, UUID) else UUID(bytes=user_id),
            Standing(tuple(won_in), lost, max_streak, last_run, date.fromisoformat(last_day)),
        )


def fill_standings(shard: sqlite3.Connection) -> None:
    """Writes the standings of a shard that has games and no standings yet."""
    rows = (write_standing(user_id, standing) for user_id, standing in rebuild_standings(shard))
    shard.executemany(UPSERT_STANDING.sql, rows)
