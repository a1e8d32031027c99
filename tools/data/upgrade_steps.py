"""The steps that upgrade databases of earlier versions; tools/data/upgrades.py runs them.

A step gets a connection in an open transaction and returns remarks for the operator, mostly none. A released step is
never changed: it turns one fixed version into the next, not into the current one.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeAlias

from tools.data.answers_upgrade import drop_coming_answers
from tools.data.atomic_files import execute_script

Step: TypeAlias = Callable[[sqlite3.Connection], list[str]]


def change_nothing(_database: sqlite3.Connection) -> list[str]:
    """For a version that differs from the one before in its number only."""
    return []


def add_log_in_tables(users: sqlite3.Connection) -> list[str]:
    """Adds passwords and imports, which the first versions lacked, and replaces log-in attempts by ones with addresses;
    the old ones counted for a minute only."""
    execute_script(
        users,
        """
        CREATE TABLE IF NOT EXISTS passwords (
            user_id UUID NOT NULL PRIMARY KEY REFERENCES users (user_id),
            hash    TEXT NOT NULL
        ) WITHOUT ROWID;
        DROP TABLE IF EXISTS login_attempts;
        CREATE TABLE login_attempts (
            attempt      INTEGER NOT NULL PRIMARY KEY,
            name_digest  BLOB NOT NULL,
            address      TEXT NOT NULL,
            is_known     BOOLEAN NOT NULL CHECK (is_known IN (0, 1)),
            attempted_at INTEGER NOT NULL
        );
        CREATE INDEX login_attempts_by_name ON login_attempts (name_digest, attempted_at);
        CREATE INDEX login_attempts_by_name_and_address ON login_attempts (name_digest, address, attempted_at);
        CREATE INDEX login_attempts_by_address ON login_attempts (address, attempted_at);
        CREATE INDEX login_attempts_by_time ON login_attempts (attempted_at);
        CREATE TABLE known_addresses (
            user_id      UUID NOT NULL REFERENCES users (user_id),
            address      TEXT NOT NULL,
            logged_in_at TIMESTAMP NOT NULL,
            PRIMARY KEY (user_id, address)
        ) WITHOUT ROWID;
        CREATE INDEX known_addresses_by_time ON known_addresses (logged_in_at);
        CREATE TABLE IF NOT EXISTS imports (
            checksum    TEXT NOT NULL PRIMARY KEY,  -- of the source's rows, in hexadecimal
            users       INTEGER NOT NULL,
            games       INTEGER NOT NULL,
            imported_at TIMESTAMP NOT NULL          -- UTC
        );
        """,
    )
    return []


def add_sessions(users: sqlite3.Connection) -> list[str]:
    """Adds the sessions of browsers."""
    execute_script(
        users,
        """
        CREATE TABLE sessions (
            session      INTEGER NOT NULL PRIMARY KEY,
            token_digest BLOB NOT NULL UNIQUE,
            user_id      UUID NOT NULL REFERENCES users (user_id),
            started_at   TIMESTAMP NOT NULL,
            expires_at   TIMESTAMP NOT NULL
        );
        CREATE INDEX sessions_by_user ON sessions (user_id, session);
        CREATE INDEX sessions_by_expiry ON sessions (expires_at);
        """,
    )
    return []


def add_retired_names(users: sqlite3.Connection) -> list[str]:
    """Adds the names of accounts that have ended."""
    execute_script(
        users,
        """
        CREATE TABLE retired_names (
            username   TEXT NOT NULL PRIMARY KEY,
            retired_at TIMESTAMP NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX retired_names_by_time ON retired_names (retired_at);
        """,
    )
    return []


def add_token_key(users: sqlite3.Connection) -> list[str]:
    """Adds the fingerprint of the public key, which bin/init stores after the upgrade."""
    execute_script(
        users,
        """
        CREATE TABLE token_key (
            number      INTEGER NOT NULL PRIMARY KEY CHECK (number = 1),
            fingerprint TEXT NOT NULL
        );
        """,
    )
    return []


def count_players_by_score(shard: sqlite3.Connection) -> list[str]:
    """Replaces the leaderboard tables of earlier versions. Drops the column `played`, which they write, so that results
    from an instance of an earlier version are refused instead of stored without score counts."""
    triggers = shard.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        shard.execute(f"DROP TRIGGER {name}")
    execute_script(
        shard,
        """
        DROP INDEX IF EXISTS standings_by_wins;
        DROP INDEX IF EXISTS standings_by_streak;
        DROP TABLE IF EXISTS places;
        DROP TABLE IF EXISTS tallies;
        DROP TABLE IF EXISTS buckets;
        ALTER TABLE standings RENAME TO earlier_standings;
        CREATE TABLE standings (
            user_id      UUID NOT NULL PRIMARY KEY CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
            won          INTEGER NOT NULL CHECK (won = won_in_1 + won_in_2 + won_in_3 + won_in_4 + won_in_5 + won_in_6),
            won_in_1     INTEGER NOT NULL CHECK (won_in_1 >= 0),
            won_in_2     INTEGER NOT NULL CHECK (won_in_2 >= 0),
            won_in_3     INTEGER NOT NULL CHECK (won_in_3 >= 0),
            won_in_4     INTEGER NOT NULL CHECK (won_in_4 >= 0),
            won_in_5     INTEGER NOT NULL CHECK (won_in_5 >= 0),
            won_in_6     INTEGER NOT NULL CHECK (won_in_6 >= 0),
            lost         INTEGER NOT NULL CHECK (lost >= 0),
            max_streak   INTEGER NOT NULL CHECK (max_streak >= last_run),
            last_run     INTEGER NOT NULL CHECK (last_run >= 0),
            last_win_day DATE,
            last_day     DATE NOT NULL
        ) WITHOUT ROWID;
        INSERT INTO standings
        SELECT user_id, won, won_in_1, won_in_2, won_in_3, won_in_4, won_in_5, won_in_6,
               lost, max_streak, last_run, last_win_day, last_day
        FROM earlier_standings;
        DROP TABLE earlier_standings;
        CREATE INDEX standings_by_wins ON standings (won DESC, user_id);
        CREATE INDEX standings_by_streak ON standings (max_streak DESC, user_id);
        CREATE TABLE score_counts (
            board   TEXT NOT NULL CHECK (board IN ('wins', 'streaks')),
            score   INTEGER NOT NULL CHECK (score >= 0),
            players INTEGER NOT NULL CHECK (players >= 0),
            PRIMARY KEY (board, score)
        ) WITHOUT ROWID;
        INSERT INTO score_counts SELECT 'wins', won, COUNT(*) FROM standings GROUP BY won;
        INSERT INTO score_counts SELECT 'streaks', max_streak, COUNT(*) FROM standings GROUP BY max_streak;
        """,
    )
    return []


def count_results_by_game(shard: sqlite3.Connection) -> list[str]:
    """Adds the counts of each puzzle's results.

    Nothing is dropped to keep an instance of version 3 from storing results without counting them: the number of the
    version does. Each instance of that version checks it when it opens a file, and none has this one open, since an
    upgrade holds SQLite's exclusive lock.
    """
    execute_script(
        shard,
        """
        CREATE TABLE game_counts (
            game_id INTEGER NOT NULL CHECK (game_id >= 0),
            won     BOOLEAN NOT NULL CHECK (won IN (0, 1)),
            guesses INTEGER NOT NULL CHECK (guesses BETWEEN 1 AND 6),
            players INTEGER NOT NULL CHECK (players >= 1),
            PRIMARY KEY (game_id, won, guesses)
        ) WITHOUT ROWID;
        INSERT INTO game_counts SELECT game_id, won, guesses, COUNT(*) FROM games GROUP BY game_id, won, guesses;
        """,
    )
    return []


STEPS: Mapping[str, tuple[Step, ...]] = {
    "users.sql": (add_log_in_tables, add_sessions, add_retired_names, add_token_key),
    # The third step replaces what versions 1 and 2 added.
    "games.sql": (change_nothing, change_nothing, count_players_by_score, count_results_by_game),
    "words.sql": (change_nothing,),
    "answers.sql": (drop_coming_answers,),
    "plays.sql": (change_nothing,),
}
"""By schema file in share/: the step at index n turns version n into n + 1."""


ADD_FINGERPRINT = """
CREATE TABLE token_key (
    number      INTEGER NOT NULL PRIMARY KEY CHECK (number = 1),
    fingerprint TEXT COLLATE "C" NOT NULL
)
"""
SERVER_STEPS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "users.sql": (3, (ADD_FINGERPRINT,)),
    "games.sql": (4, ()),
    "words.sql": (1, ()),
    "answers.sql": (1, ()),
    "plays.sql": (1, ()),
}
"""By schema file in share/postgresql/: the first version there was on PostgreSQL, and the SQL of each step after it. A
step in STEPS has its equal here. Services run while a step does, on this version and the one before, so a step adds a
table, or a column with a default, and what it replaces is dropped by a step of the next version."""
