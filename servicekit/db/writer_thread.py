"""The thread of a writing connection: aiosqlite's, which here runs whole functions instead of single statements."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from typing import Self, TypeVar

import aiosqlite

T = TypeVar("T")


class WriterThread:
    """The only place that uses private parts of aiosqlite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._aiosqlite = connection

    @classmethod
    async def start(cls, connect: Callable[[], sqlite3.Connection]) -> Self:
        """Opens a connection in a new thread. Raises what `connect` raises, after joining the thread."""
        threads: list[threading.Thread] = []

        def connect_in_thread() -> sqlite3.Connection:
            threads.append(threading.current_thread())
            return connect()

        connection = aiosqlite.Connection(connect_in_thread, iter_chunk_size=64)
        try:
            await connection
        except BaseException:
            for thread in threads:
                thread.join()  # aiosqlite does not wait for it, and it would then call back into a closed event loop
            raise
        return cls(connection)

    def run(self, function: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Calls the function with the connection, after all earlier ones.

        aiosqlite does the same with a statement, in a coroutine; a future runs without being awaited.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._aiosqlite._tx.put_nowait((future, partial(function, self._aiosqlite._conn)))
        return future

    async def close(self) -> None:
        await self._aiosqlite.close()
