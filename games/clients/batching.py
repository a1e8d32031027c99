"""Batching of requests to another service: items submitted while a batch runs form the next batch.

servicekit/db/writer.py batches transactions by a mechanism of its own: its batch is taken by SQLite's thread, at the
moment at which it has the write lock, while this one lives in the event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Passes items to a function, one batch at a time.

    The function gives a result, or an exception, for each item, in their order; what it raises is for all of them.
    """

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]], *, largest: int) -> None:
        self._work = work
        self._largest = largest
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Its result. An item whose task is cancelled before its batch begins is dropped."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._worker is None or self._worker.done():
            # In no request's context: it goes on with the batches of others.
            self._worker = asyncio.create_task(self._run_batches(), context=Context())
        return await result

    async def _run_batches(self) -> None:
        while self._waiting:
            self._waiting = [(item, result) for item, result in self._waiting if not result.done()]
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            if not batch:
                return
            try:
                outcomes = await self._work([item for item, _ in batch])
            except Exception as error:
                outcomes = [error] * len(batch)
            for (_, result), outcome in zip(batch, outcomes, strict=True):
                if result.done():
                    continue  # the caller was cancelled
                if isinstance(outcome, Exception):
                    result.set_exception(outcome)
                else:
                    result.set_result(outcome)
