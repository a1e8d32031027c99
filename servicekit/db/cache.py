"""A cache that any commit to its databases invalidates, whichever process commits.

Each look-up asks SQLite whether something was committed, which takes about 5 us per database. So a cached value is
never older than an acknowledged write. PostgreSQL cannot be asked that: there nothing is kept, and callers at the same
time share a read (single_flight.py), which is as fresh.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from servicekit.db.database import Database
from servicekit.db.engine import Engine
from servicekit.db.single_flight import SingleFlight

T = TypeVar("T")


class QueryCache(Generic[T]):
    """Holds at most `size` values by a key, and is cleared when it is full."""

    def __init__(self, databases: Sequence[Database], *, size: int) -> None:
        self._databases = databases
        self._size = size
        self._versions: list[object] = []
        """Of each database, read before the values were computed."""
        self._values: dict[Hashable, T] = {}
        self._has_versions = all(database.engine is Engine.SQLITE for database in databases)
        self._reads: SingleFlight[T] = SingleFlight()

    async def get(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """The value of the key, computed if it is not cached or there has been a commit since."""
        if not self._has_versions:
            return await self._reads.get(key, compute)
        versions = [await database.read_version() for database in self._databases]
        if versions != self._versions:
            self._versions, self._values = versions, {}
        values = self._values
        if key in values:
            return values[key]
        value = await compute()
        if len(values) >= self._size:
            values.clear()
        values[key] = value  # after a commit in between, `get` has already switched to another dict
        return value
