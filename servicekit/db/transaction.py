"""What statements are run with: a SQLite connection, under the names that the `databases` package has for it."""

import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

from databases.interfaces import Record
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql import ClauseElement

from servicekit.db.statements import Statement

T = TypeVar("T")

Query: TypeAlias = ClauseElement | str
Values: TypeAlias = Mapping[str, Any]

_DIALECT = sqlite_dialect(paramstyle="named")


def as_sqlite(query: Query, values: Values | None) -> tuple[str, Values]:
    """SQL text and values: of a Statement and of text as they stand, of any other clause as SQLAlchemy compiles it."""
    match query:
        case Statement():
            return query.sql, values or {}
        case str():
            return query, values or {}
    clause = cast(Any, query).values(**values) if values else query
    compiled = clause.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), compiled.params or {}


class Transaction:
    """A database as a transaction has it. Its methods are coroutines, as those of `Database` are, so that one query
    function serves both; but they never suspend: the statement has been carried out when they return.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch_all(self, query: Query, values: Values | None = None) -> list[Record]:
        sql, bound = as_sqlite(query, values)
        return cast(list[Record], self._connection.execute(sql, bound).fetchall())

    async def fetch_one(self, query: Query, values: Values | None = None) -> Record | None:
        rows = await self.fetch_all(query, values)
        return rows[0] if rows else None

    async def fetch_val(self, query: Query, values: Values | None = None, column: int | str = 0) -> Any:  # noqa: ANN401 - as of `databases`
        row = await self.fetch_one(query, values)
        return None if row is None else cast(Any, row)[column]

    async def execute(self, query: Query, values: Values | None = None) -> None:
        await self.fetch_all(query, values)

    async def execute_many(self, query: Query, values: Sequence[Values]) -> None:
        if values:
            sql, _ = as_sqlite(query, values[0])
            self._connection.executemany(sql, values)


Work: TypeAlias = Callable[[Transaction], Coroutine[Any, Any, T]]
"""What a transaction does. It awaits nothing but queries, and does not keep the session."""


def run_at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends, as one that awaits only a Transaction never does: its first step
    is its last.

    Raises RuntimeError if it waits for anything else, which a transaction must not do: everybody else who writes would
    wait with it.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    coroutine.close()
    raise RuntimeError("inside a transaction nothing can be waited for but its own statements")
