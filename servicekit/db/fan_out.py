"""Fan-out: the same question to several databases."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from servicekit.db.database import Database
from servicekit.db.engine import Engine

T = TypeVar("T")


async def ask_all(databases: Iterable[Database], ask: Callable[[Database], Coroutine[Any, Any, T]]) -> list[T]:
    """The answers, in the order of the databases. Raises what the first one to fail raises.

    Servers answer at the same time, so twelve take as long as one. SQLite answers inside the event loop, where a task
    for each database would only cost.
    """
    if all(database.engine is Engine.SQLITE for database in databases):
        return [await ask(database) for database in databases]
    return await asyncio.gather(*map(ask, databases))
