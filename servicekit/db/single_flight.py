"""Single-flight: callers that ask for the same at the same time share one read."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs one read of a key at a time. Callers that come while one runs share the next, not this one: so what they get
    was read after they asked, and includes every write that was acknowledged before."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}
        self._waiting: dict[Hashable, asyncio.Task[T]] = {}
        """The next read of a key, which has not begun."""

    async def get(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` gives or raises. It goes on if this caller is cancelled, since others may wait for it."""
        task = self._waiting.get(key)
        if task is None:
            # In no request's context: it reads for several.
            task = asyncio.create_task(self._read_next(key, read), context=Context())
            task.add_done_callback(retrieve)
            self._waiting[key] = task
        return await asyncio.shield(task)

    async def _read_next(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        before = self._running.get(key)
        if before is not None:
            await asyncio.wait([before])
        task = self._waiting.pop(key)
        self._running[key] = task
        try:
            return await read()
        finally:
            if self._running.get(key) is task:
                del self._running[key]


def retrieve(task: asyncio.Task[T]) -> None:
    """Marks an exception as retrieved, for when every caller was cancelled."""
    if not task.cancelled():
        task.exception()
