"""The steps that bring databases of earlier versions up to date; tools/upgrades.py runs them.

A step gets a connection inside a transaction and returns sentences for the operator, most often none. It is never
changed once it is released: it describes the two versions on either side of it, not today's.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeAlias

from tools.answers_upgrade import drop_coming_answers
from tools.rebuilding import rebuild_boards
from tools.staging import execute_script

Step: TypeAlias = Callable[[sqlite3.Connection], list[str]]


def number_only(_database: sqlite3.Connection) -> list[str]:
    """The tables stay as they are: the version began to be numbered."""
    return []


def add_log_in_tables(users: sqlite3.Connection) -> list[str]:
    """Passwords and imports, which the first versions did not have, and log-in attempts with their addresses: those of
    version 0 counted for a minute only."""
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


STEPS: Mapping[str, tuple[Step, ...]] = {
    "users.sql": (add_log_in_tables,),
    "games.sql": (number_only, rebuild_boards),  # what version 1 added, version 2 replaced
    "words.sql": (number_only,),
    "answers.sql": (drop_coming_answers,),
    "plays.sql": (number_only,),
}
"""By file of share/: the step at index n turns version n into n + 1."""
