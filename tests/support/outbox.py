"""Reading and filling the outbox of games in its database."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from uuid import UUID

from tests.support.players import TODAY


def list_outbox(plays_database: Path) -> list[tuple[UUID, str | None]]:
    """The player and the reason for refusal, if any, of each entry."""
    with closing(sqlite3.connect(plays_database)) as connection:
        rows = connection.execute("SELECT user_id, refused FROM outbox ORDER BY user_id").fetchall()
        return [(UUID(bytes=user_id), refused) for user_id, refused in rows]


def is_empty(plays_database: Path) -> bool:
    return list_outbox(plays_database) == []


def put_in_outbox(plays_database: Path, user_ids: Iterable[UUID]) -> None:
    """Stores plays and outbox entries as left by a service killed after the commit of a last guess."""
    with closing(sqlite3.connect(plays_database)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for user_id in user_ids:
            key = (user_id.bytes, TODAY)
            connection.execute("INSERT INTO plays VALUES (?, ?, 0, '2026-11-23 11:00:00')", key)
            connection.execute("INSERT INTO outbox VALUES (?, ?, 1, 3, '2026-11-23 12:00:00', NULL)", key)
