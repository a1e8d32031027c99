"""A shard's standings, built anew from its games: how bin/populate and bin/shard fill the table, and what bin/verify
compares it with."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from uuid import UUID

import servicekit.values  # noqa: F401 - registers how UUIDs and days are stored
from stats.queries import UPSERT_STANDING, write_standing
from stats.standings import Standing
from stats.streaks import find_runs
from tools.locations import SHARE

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


# What the triggers in share/games.sql keep, counted at once: the rows of `places` from `standings`, and those of
# `tallies` from `places`.
SELECT_PLACES = """
SELECT 'wins', -won, played, user_id FROM standings
UNION ALL SELECT 'streaks', -max_streak, -won, user_id FROM standings
"""
SELECT_TALLIES = """
SELECT board, 1, first & -16, 0, x'', COUNT(*) FROM places GROUP BY board, first & -16
UNION ALL SELECT board, 2, first, 0, x'', COUNT(*) FROM places GROUP BY board, first
UNION ALL SELECT board, 3, first, second, x'', COUNT(*) FROM places GROUP BY board, first, second
UNION ALL SELECT board, 4, first, second, substr(user_id, 1, 1), COUNT(*) FROM places
GROUP BY board, first, second, substr(user_id, 1, 1)
"""


SELECT_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"

# The indexes are those that came before places.
DROP_BOARDS = """
DROP INDEX IF EXISTS standings_by_wins;
DROP INDEX IF EXISTS standings_by_streak;
DROP TABLE IF EXISTS places;
DROP TABLE IF EXISTS tallies;
"""


def fill_standings(shard: sqlite3.Connection) -> None:
    """Writes the standings, places and tallies of a shard that has games and none of these yet."""
    rows = (write_standing(user_id, standing) for user_id, standing in rebuild_standings(shard))
    with without_triggers(shard):
        shard.executemany(UPSERT_STANDING.sql, rows)
        fill_boards(shard)


def fill_boards(shard: sqlite3.Connection) -> None:
    shard.execute(f"INSERT INTO places {SELECT_PLACES}")
    shard.execute(f"INSERT INTO tallies {SELECT_TALLIES}")


@contextmanager
def without_triggers(shard: sqlite3.Connection) -> Iterator[None]:
    """Row by row they would take three times as long as all else that fills a shard. Inside a transaction."""
    triggers = shard.execute(SELECT_TRIGGERS).fetchall()
    for name, _ in triggers:
        shard.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        shard.execute(sql)


def upgrade_shard(path: Path) -> bool:
    """Makes the places, the tallies and what keeps them anew in a shard of another version, all or nothing, also while
    services write to it.

    Returns whether it was of another one. Raises sqlite3.Error if the file is no shard.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as shard:
        if is_of_this_version(shard):
            return False
        drops = (f"DROP TRIGGER {name};" for name, _ in shard.execute(SELECT_TRIGGERS))
        shard.executescript(f"BEGIN IMMEDIATE; {' '.join(drops)} {DROP_BOARDS} {read_schema()}")
        with without_triggers(shard):
            fill_boards(shard)
        shard.execute("COMMIT")
    return True


def is_of_this_version(shard: sqlite3.Connection) -> bool:
    """Whether it was made, or brought up to date, with today's share/games.sql."""
    with closing(sqlite3.connect(":memory:")) as today:
        today.executescript(read_schema())
        select_version = "PRAGMA user_version"  # 0 before there was one
        return bool(shard.execute(select_version).fetchone() == today.execute(select_version).fetchone())


def read_schema() -> str:
    return (SHARE / "games.sql").read_text(encoding="utf-8")
