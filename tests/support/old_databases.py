"""Small databases in the old format, for the tests of bin/shard."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from servicekit.db.column_types import to_stored_time
from tools.data.legacy import gather

CREATE_USERS = "CREATE TABLE users (user_id INTEGER PRIMARY KEY, username VARCHAR UNIQUE);"
CREATE_TABLES = f"""
{CREATE_USERS}
CREATE TABLE games (
    user_id INTEGER NOT NULL, game_id INTEGER NOT NULL, finished DATE DEFAULT CURRENT_TIMESTAMP, guesses INTEGER,
    won BOOLEAN, PRIMARY KEY (user_id, game_id), FOREIGN KEY (user_id) REFERENCES users (user_id)
);
"""
CREATE_LOOSE_TABLES = """
CREATE TABLE users (user_id, username);
CREATE TABLE games (user_id, game_id, finished, guesses, won);
"""
"""Tables without types or constraints, which accept any value."""
CREATE_MORE = """
CREATE INDEX games_won ON games (won);
CREATE VIEW wins AS SELECT user_id, COUNT(won) FROM games WHERE won GROUP BY user_id;
CREATE TABLE settings (name TEXT);
CREATE TRIGGER game_over AFTER INSERT ON games BEGIN INSERT INTO settings VALUES ('game;over'); END;
"""

USERS = [
    (1, "o'neill"),
    (2, "naïve-élan ☂"),
    (3, "  spaced name "),
    (4, "DROP TABLE users;--"),
    (5, "Ada"),
    (6, "ada"),
    (7, "two\nlines"),
    (8, "never played"),
    (10_000_000_000, '"quoted"'),
]
GAMES = [
    (5, 12, "2022-03-01", 2, 1),  # player 5's rows are out of order
    (5, 10, "2022-02-27", 3, 1),
    (5, 11, "2022-02-28", 4, 1),
    (5, 20, "2022-03-09", 6, 1),  # after a gap
    (1, 1, "2022-01-01 00:00:00", 6, 1),
    (1, 2, "2022-01-01 23:59:59", 5, 1),  # two wins on one day
    (1, 3, "2022-01-02", 2, 1),
    (2, 1, "2022-01-01T12:00:00.999999+02:00", 1, 1),
    (2, 2, "2022-01-02T01:30:00+02:00", 1, 1),  # 1 January in UTC
    (2, 3, "2022-01-02 23:30:00-01:00", 1, 1),  # 3 January in UTC
    (3, 0, "2021-12-31", 6, 0),  # a player with a single lost game
    (4, 1, "2022-01-01", 3, 1),
    (4, 2, "2022-01-02T00:00:00Z", 3, 1),
    (6, 10, "2022-02-27", 3, 1),
    (6, 11, "2022-02-28", 6, 0),  # the loss ends the run
    (7, 5, "2022-01-05", 4, 1),
    (10_000_000_000, 2**31 - 1, "2022-01-05 08:00:00.5Z", 4, 1),
]


def to_utc(finished: str) -> datetime:
    """The time as Python parses it, in UTC and to the second."""
    moment = datetime.fromisoformat(finished)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).replace(microsecond=0)


GATHERED = [(*game[:2], to_stored_time(to_utc(game[2])), *game[3:]) for game in GAMES]
"""GAMES in the format that gathering produces."""


def make_file(
    path: Path,
    *,
    users: Iterable[tuple[Any, ...]] = USERS,
    games: Iterable[tuple[Any, ...]] = GAMES,
    schema: str = CREATE_TABLES,
) -> Path:
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(schema)
        database.executemany("INSERT INTO users (user_id, username) VALUES (?, ?)", users)
        database.executemany(
            "INSERT INTO games (user_id, game_id, finished, guesses, won) VALUES (?, ?, ?, ?, ?)", games
        )
    return path


def dump_file(path: Path) -> str:
    """A dump in the format of the sqlite3 shell, which does not quote table names as Python does."""
    with closing(sqlite3.connect(path)) as database:
        lines = [line.replace('INSERT INTO "games"', "INSERT INTO games") for line in database.iterdump()]
    return "\n".join(["PRAGMA foreign_keys=OFF;", *lines, ""])


def make_dump(path: Path, sql: str) -> Path:
    path.write_text(sql, encoding="utf-8", newline="")
    return path


def read_gathered(*sources: Path) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Gathers the sources and returns users and games."""
    with gather(sources, sources[0].with_name("scratch.db")) as legacy:
        return (
            legacy.execute("SELECT user_id, username FROM main.users").fetchall(),
            legacy.execute("SELECT user_id, game_id, finished_at, guesses, won FROM main.games").fetchall(),
        )


def refuse(*sources: Path) -> str:
    """The error message when the sources cannot be gathered."""
    with pytest.raises(SystemExit) as refusal:
        read_gathered(*sources)
    assert isinstance(refusal.value.code, str)
    return refusal.value.code
