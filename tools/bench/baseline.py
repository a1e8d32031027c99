"""The baseline of bin/bench: one database queried through views, and the usual script that fills it."""

import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

from faker import Faker
from tqdm import tqdm

from games.rules.puzzles import FIRST_DAY
from tools.config.paths import SHARE
from tools.data.atomic_files import open_to_read

TIMES = 5
"""How often each query is timed."""
QUERIES = {
    "top ten, wins": "SELECT user_id, wins FROM wins ORDER BY wins DESC LIMIT 10",
    "top ten, streaks": (
        "SELECT user_id, MAX(streak) AS streak FROM streaks GROUP BY user_id ORDER BY streak DESC LIMIT 10"
    ),
    "statistics": (
        "SELECT (SELECT COUNT(*) FROM games WHERE user_id = :user_id),"
        " (SELECT wins FROM wins WHERE user_id = :user_id),"
        " (SELECT MAX(streak) FROM streaks WHERE user_id = :user_id)"
    ),
    "around a player, wins": "SELECT COUNT(*) FROM wins WHERE wins > (SELECT wins FROM wins WHERE user_id = :user_id)",
}

CREATE_TABLES = """
CREATE TABLE users (user_id INTEGER PRIMARY KEY, username VARCHAR UNIQUE);
CREATE TABLE games (
    user_id INTEGER NOT NULL, game_id INTEGER NOT NULL, finished DATE, guesses INTEGER, won BOOLEAN,
    PRIMARY KEY (user_id, game_id), FOREIGN KEY (user_id) REFERENCES users (user_id)
);
"""


def join_shards(shards: Sequence[Path], target: Path) -> None:
    """Copies the games of all shards into one database, which has the views of a shard."""
    with closing(sqlite3.connect(target, isolation_level=None)) as database:
        database.executescript((SHARE / "games.sql").read_text(encoding="utf-8"))
        for shard in shards:
            database.execute("ATTACH ? AS shard", (str(shard),))
            database.execute("INSERT INTO main.games SELECT * FROM shard.games")
            database.execute("DETACH shard")


def time_queries(database: Path, players: Sequence[UUID]) -> dict[str, float]:
    """The median of several runs of each query, in milliseconds, without a service in between."""
    with closing(open_to_read(database)) as connection:
        return {
            name: median(time_query(connection, sql, player) for player in players[:TIMES])
            for name, sql in tqdm(QUERIES.items(), "one database", unit="query", disable=None, leave=False)
        }


def time_query(connection: sqlite3.Connection, sql: str, player: UUID) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    connection.execute(sql, {"user_id": player.bytes}).fetchall()
    return (time.perf_counter() - began) * 1000


def populate_row_by_row(target: Path, *, users: int, games: int, days: int) -> None:
    """The script that most tutorials have: one Faker profile per player, one INSERT per row, one commit at the end."""
    fake = Faker()
    Faker.seed(2022)
    rng = random.Random(2022)  # noqa: S311 - no secret
    with closing(sqlite3.connect(target)) as database:
        database.executescript(CREATE_TABLES)
        for user_id in tqdm(range(users), "row by row", unit="player", disable=None, leave=False):
            username = f"{fake.simple_profile()['username']}{user_id}"
            database.execute("INSERT INTO users VALUES (?, ?)", (user_id, username))
            for game_id in rng.sample(range(days), games // users):
                finished: date = FIRST_DAY + timedelta(days=game_id)
                guesses, won = rng.randint(1, 6), rng.random() < 0.9  # noqa: PLR2004 - nine in ten win
                database.execute(
                    "INSERT INTO games VALUES (?, ?, ?, ?, ?)", (user_id, game_id, finished.isoformat(), guesses, won)
                )
        database.commit()
