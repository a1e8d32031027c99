"""What bin/bench compares with: a single database that is asked through views, and the script that fills it."""

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

from games.puzzles import FIRST_DAY
from tools.config.paths import SHARE
from tools.data.atomic_files import open_to_read

TIMES = 5
"""How often each question is asked."""
QUESTIONS = {
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
    """All games in one database, with the views of a shard."""
    with closing(sqlite3.connect(target, isolation_level=None)) as database:
        database.executescript((SHARE / "games.sql").read_text(encoding="utf-8"))
        for shard in shards:
            database.execute("ATTACH ? AS shard", (str(shard),))
            database.execute("INSERT INTO main.games SELECT * FROM shard.games")
            database.execute("DETACH shard")


def time_questions(database: Path, players: Sequence[UUID]) -> dict[str, float]:
    """Milliseconds that the answer to each question takes, in the middle of several times; no service is between."""
    with closing(open_to_read(database)) as connection:
        return {
            name: median(time_question(connection, sql, player) for player in players[:TIMES])
            for name, sql in tqdm(QUESTIONS.items(), "the old way", unit="question", disable=None, leave=False)
        }


def time_question(connection: sqlite3.Connection, sql: str, player: UUID) -> float:
    began = time.perf_counter()
    connection.execute(sql, {"user_id": player.bytes}).fetchall()
    return (time.perf_counter() - began) * 1000


def populate_as_usual(target: Path, *, users: int, games: int, days: int) -> None:
    """As one writes it in ten minutes: a profile a player, a statement a row, and a commit at the end."""
    fake = Faker()
    Faker.seed(2022)
    rng = random.Random(2022)  # noqa: S311 - no secret
    with closing(sqlite3.connect(target)) as database:
        database.executescript(CREATE_TABLES)
        for user_id in tqdm(range(users), "as usual", unit="player", disable=None, leave=False):
            username = f"{fake.simple_profile()['username']}{user_id}"
            database.execute("INSERT INTO users VALUES (?, ?)", (user_id, username))
            for game_id in rng.sample(range(days), games // users):
                finished: date = FIRST_DAY + timedelta(days=game_id)
                guesses, won = rng.randint(1, 6), rng.random() < 0.9  # noqa: PLR2004 - so many win
                database.execute(
                    "INSERT INTO games VALUES (?, ?, ?, ?, ?)", (user_id, game_id, finished.isoformat(), guesses, won)
                )
        database.commit()
