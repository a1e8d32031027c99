"""The two engines. The URL of a database chooses one: SQLite in this process, or a PostgreSQL server."""

from enum import StrEnum
from typing import TypeAlias
from uuid import UUID


class Engine(StrEnum):
    """By the scheme of the URL. `queries.py` looks at it in the few places where the SQL of the two differs."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


DEFAULT_CONNECTIONS = 4
"""Of an instance to each database on PostgreSQL."""

LockKeys: TypeAlias = tuple[UUID | str, ...]
"""What a transaction locks on PostgreSQL: of two with an equal key the second starts when the first has ended. SQLite
has one write lock for the whole database, and needs no keys."""

BACKUP_LOCK = "0, 0"
"""The advisory lock that every transaction on PostgreSQL shares, and that a backup takes alone for the moment in which
its snapshots begin. Locks with two numbers are apart from those with one, which the keys have."""

NO_LOCK: LockKeys = ()
"""For a transaction whose statements are each right by themselves: none relies on what an earlier one has read."""
