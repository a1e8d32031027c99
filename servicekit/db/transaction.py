"""A transaction, as the function that `Database.write` runs sees it."""

import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar, cast

from databases.interfaces import Record

from servicekit.db.engine import Engine

T = TypeVar("T")

Values: TypeAlias = Mapping[str, Any]
"""By the names of a statement's `:name` parameters."""


class Transaction(Protocol):
    """The methods of `Database`, on the connection that has the lock, and those that write."""

    engine: ClassVar[Engine]

    async def fetch_all(self, query: str, values: Values | None = None) -> list[Record]: ...

    async def fetch_one(self, query: str, values: Values | None = None) -> Record | None: ...

    async def fetch_val(self, query: str, values: Values | None = None, column: int | str = 0) -> Any: ...  # noqa: ANN401 - as in `databases`

    async def execute(self, query: str, values: Values | None = None) -> None: ...

    async def execute_many(self, query: str, values: Sequence[Values]) -> None: ...


@dataclass(frozen=True, slots=True)
class SQLiteTransaction:
    """On the connection that has SQLite's write lock.

    The methods are coroutines so that the same query function serves a database and a transaction; here they never
    suspend: the statement has run when they return.
    """

    engine: ClassVar[Engine] = Engine.SQLITE
    _connection: sqlite3.Connection

    async def fetch_all(self, query: str, values: Values | None = None) -> list[Record]:
        return cast(list[Record], self._connection.execute(query, values or {}).fetchall())

    async def fetch_one(self, query: str, values: Values | None = None) -> Record | None:
        rows = self._connection.execute(query, values or {}).fetchall()  # all: an unfinished RETURNING fails the commit
        return cast(Record, rows[0]) if rows else None

    async def fetch_val(self, query: str, values: Values | None = None, column: int | str = 0) -> Any:  # noqa: ANN401 - as in `databases`
        row = await self.fetch_one(query, values)
        return None if row is None else cast(Any, row)[column]

    async def execute(self, query: str, values: Values | None = None) -> None:
        self._connection.execute(query, values or {})

    async def execute_many(self, query: str, values: Sequence[Values]) -> None:
        self._connection.executemany(query, values)


Work: TypeAlias = Callable[[Transaction], Coroutine[Any, Any, T]]
"""What a transaction does: an async function that awaits queries only, and does not use the transaction after it
returns."""


def run_without_waiting(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends: its first step is its last.

    Raises RuntimeError if it awaits something else than queries, which would hold the write lock while it waits, and in
    place of an exception such as CancelledError, which would end the caller's task.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(f"a transaction raised {error!r}") from error
    coroutine.close()
    raise RuntimeError("a transaction may await nothing but its own queries")
