"""A cache that any commit to its databases invalidates, whichever process commits.

Each look-up asks SQLite whether something was committed, which takes about 5 us a database. So a cached value is never
older than an acknowledged write.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from servicekit.db.database import Database

T = TypeVar("T")


class QueryCache(Generic[T]):
    """At most `size` values by a key; when it is full, it starts again empty."""

    def __init__(self, databases: Sequence[Database], *, size: int) -> None:
        self._databases = databases
        self._size = size
        self._versions: list[object] = []
        """Of the databases, read before the values."""
        self._values: dict[Hashable, T] = {}

    async def get(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """The value of the key, computed if there has been a commit since it was computed last."""
        versions = [await database.read_version() for database in self._databases]
        if versions != self._versions:
            self._versions, self._values = versions, {}
        values = self._values
        if key in values:
            return values[key]
        value = await compute()
        if len(values) >= self._size:
            values.clear()
        values[key] = value  # into the dict of these versions: after a commit in between it is no longer used
        return value
