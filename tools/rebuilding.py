"""A shard's standings, built anew from its games: how bin/populate and bin/shard fill the table, and what bin/verify
compares it with."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import servicekit.values  # noqa: F401 - registers how UUIDs and days are stored
from stats.queries import UPSERT_STANDING, write_standing
from stats.standings import Standing
from stats.streaks import find_runs
from tools.locations import SHARE
from tools.staging import execute_script

# One row a user: all win days in one text cost less than a row each.
SELECT_GAMES = """
SELECT user_id,
       COUNT(*) FILTER (WHERE won AND guesses = 1), COUNT(*) FILTER (WHERE won AND guesses = 2),
       COUNT(*) FILTER (WHERE won AND guesses = 3), COUNT(*) FILTER (WHERE won AND guesses = 4),
       COUNT(*) FILTER (WHERE won AND guesses = 5), COUNT(*) FILTER (WHERE won AND guesses = 6),
       COUNT(*) FILTER (WHERE NOT won),
       MAX(substr(finished, 1, 10)),
       COALESCE(group_concat(substr(finished, 1, 10), ' ') FILTER (WHERE won), '')
FROM games GROUP BY user_id ORDER BY user_id
"""


def rebuild_standings(shard: sqlite3.Connection) -> Iterator[tuple[UUID, Standing]]:
    """Each user of the shard's games, in the order of the ids, with the standing that the games give."""
    for user_id, *won_in, lost, last_day, win_days in shard.execute(SELECT_GAMES):
        max_streak, last_run = find_runs(map(date.fromisoformat, win_days.split()))
        yield (
            user_id if isinstance(user_id, UUID) else UUID(bytes=user_id),
            Standing(tuple(won_in), lost, max_streak, last_run, date.fromisoformat(last_day)),
        )


# What the triggers in share/games.sql keep, all at once: places from standings, and buckets from places.
SELECT_PLACES = "SELECT 'wins', wins_place FROM standings UNION ALL SELECT 'streaks', streaks_place FROM standings"
# Empty ones, 1024 places long as those that share/games.sql cuts.
CUT_BUCKETS = """
WITH RECURSIVE starts (board, start) AS (
    VALUES ('wins', x''), ('streaks', x'')
    UNION ALL
    SELECT board, (SELECT place FROM places
                   WHERE places.board = starts.board AND place >= start ORDER BY place LIMIT 1 OFFSET 1024)
    FROM starts WHERE start IS NOT NULL
)
SELECT board, start, 0 FROM starts WHERE start IS NOT NULL
"""
# Where buckets begin depends on what came when; how many players each has does not.
COUNT_BUCKETS = """
SELECT board, start, (SELECT COUNT(*) FROM places
                      WHERE places.board = bounds.board AND place >= start AND place < following)
FROM (SELECT board, start, LEAD(start, 1, x'ff') OVER (PARTITION BY board ORDER BY start) AS following
      FROM (SELECT board, start FROM buckets UNION VALUES ('wins', x''), ('streaks', x''))) AS bounds
"""

SELECT_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"

# Of this version and of earlier ones.
DROP_BOARDS = """
DROP INDEX IF EXISTS standings_by_wins;
DROP INDEX IF EXISTS standings_by_streak;
DROP TABLE IF EXISTS places;
DROP TABLE IF EXISTS tallies;
DROP TABLE IF EXISTS buckets;
ALTER TABLE standings RENAME TO earlier_standings;
"""


def fill_standings(shard: sqlite3.Connection) -> None:
    """Writes the standings, places and buckets of a shard that has games and none of these yet."""
    rows = (write_standing(user_id, standing) for user_id, standing in rebuild_standings(shard))
    with without_triggers(shard):
        shard.executemany(UPSERT_STANDING.sql, rows)
        fill_boards(shard)


def fill_boards(shard: sqlite3.Connection) -> None:
    """Writes places and buckets of a shard that has standings and none of these yet."""
    shard.execute(f"INSERT INTO places {SELECT_PLACES}")
    shard.execute(f"INSERT OR REPLACE INTO buckets {CUT_BUCKETS}")
    shard.execute(f"INSERT OR REPLACE INTO buckets {COUNT_BUCKETS}")


@contextmanager
def without_triggers(shard: sqlite3.Connection) -> Iterator[None]:
    """Row by row they would take three times as long as all else that fills a shard. Inside a transaction."""
    triggers = shard.execute(SELECT_TRIGGERS).fetchall()
    for name, _ in triggers:
        shard.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        shard.execute(sql)


def rebuild_boards(shard: sqlite3.Connection) -> list[str]:
    """A step of tools/upgrade_steps.py: makes the places, the buckets and their triggers from the standings."""
    for name, _ in shard.execute(SELECT_TRIGGERS).fetchall():
        shard.execute(f"DROP TRIGGER {name}")
    execute_script(shard, DROP_BOARDS)
    execute_script(shard, (SHARE / "games.sql").read_text(encoding="utf-8"))
    with without_triggers(shard):
        move_standings(shard)
        fill_boards(shard)
    return []


def move_standings(shard: sqlite3.Connection) -> None:
    """Into today's table, whose places SQLite makes of the other columns."""
    names = ", ".join(name for (name,) in shard.execute("SELECT name FROM pragma_table_info('earlier_standings')"))
    shard.execute(f"INSERT INTO standings ({names}) SELECT {names} FROM earlier_standings")  # noqa: S608 - names of ours
    shard.execute("DROP TABLE earlier_standings")
