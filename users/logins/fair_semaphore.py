"""A semaphore that serves keys in rotation: a client with many requests waits behind its own, not others behind it."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairSemaphore:
    """A semaphore that is fair between keys, here client addresses.

    Waiting requests form a queue for each key, and the queues are served one request each, in turn. Everything happens
    in the event loop, so no lock is needed.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def take(self, key: str) -> AsyncIterator[None]:
        """Waits for a turn, and has it as long as the block runs."""
        await self._acquire(key)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, key: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._release()  # the turn was given and the request cancelled at the same moment
            raise

    def _release(self) -> None:
        """Hands the turn to the next queue's first request, if one waits. Requests that gave up are passed over, and
        use up no turn of their address."""
        while self._queues:
            key, queue = self._queues.popitem(last=False)
            while queue and queue[0].cancelled():
                queue.popleft()
            if queue:
                queue.popleft().set_result(None)
                if queue:
                    self._queues[key] = queue  # behind all others
                return
        self._free += 1
