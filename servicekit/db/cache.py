"""What was made from databases, kept for as long as they stay as they are.

Whether somebody has committed anything, in whichever process, is asked each time, which takes a few microseconds a
database. So nothing is ever given that an acknowledged write has made wrong.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from databases import Database

from servicekit.db.database import read_version

T = TypeVar("T")


class QueryCache(Generic[T]):
    """Values by a key, so many at most."""

    def __init__(self, databases: Sequence[Database], *, most: int) -> None:
        self._databases = databases
        self._most = most
        self._versions: list[object] = []
        """Of the databases, when the values were made or before."""
        self._values: dict[Hashable, T] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, or has given for this key since the databases last changed."""
        versions = [await read_version(database) for database in self._databases]
        if versions != self._versions:
            self._versions, self._values = versions, {}
        values = self._values
        if key in values:
            return values[key]
        value = await make()
        if len(values) >= self._most:
            values.clear()
        values[key] = value  # of these versions: if others are known by now, `values` is nobody's any more
        return value
