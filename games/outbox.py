"""The transactional outbox of results: each is stored by stats exactly once, after any failure.

A result is written to the table `outbox` in the transaction of the last guess, and deleted when stats has it. Until
then it is delivered as often as it takes, since stats stores the very same result once: it does not matter
whether a delivery had arrived whose response was lost, and several instances may deliver the same row.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar
from uuid import UUID

from games import queries
from games.clients.stats_client import ResultRefused, StatsClient
from games.queries import BEFORE_ALL, OutboxKey
from games.rules.plays import PlayResult
from games.statistics import Distribution, Statistics
from servicekit.db.database import Database
from servicekit.db.engine import NO_LOCK
from servicekit.db.transaction import Transaction
from servicekit.problems import Unavailable

logger = logging.getLogger("quintet")

T = TypeVar("T")

STATS_TIMEOUT_S = 1.0
"""How long the answer to a last guess waits for the delivery, the statistics and the distribution."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
BATCH_SIZE = 4
"""Results that the background delivers at the same time: half of the connections stay free for players."""


def pause_s(failures: int, jitter: float) -> float:
    """Seconds to wait after so many failures in a row, one or more: each time twice as long, up to LONGEST_PAUSE_S.

    `jitter`, 0 to 1, shortens the pause by up to a half, so that instances do not retry in step.
    """
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10))
    return whole * (1 - jitter / 2)


Delivery: TypeAlias = tuple[PlayResult, ResultRefused | Unavailable | None]
"""A result, and why stats has not taken it."""


class StatsAfterGame(NamedTuple):
    """What stats gives after a last guess; None where it did not give it in time."""

    statistics: Statistics | None = None
    distribution: Distribution | None = None


async def read_until(deadline: float, reading: Awaitable[T]) -> T | None:
    """What stats gives, or None if it does not give it before the deadline, a time of the event loop."""
    try:
        async with asyncio.timeout_at(deadline):
            return await reading
    except (TimeoutError, Unavailable):
        return None


async def record_deliveries(plays: Transaction, *, deliveries: Sequence[Delivery]) -> None:
    """Deletes delivered results, and marks refused ones: single statements, in the order of the keys, so that two
    instances with the same rows do not wait for each other."""
    for result, error in deliveries:
        if error is None:
            await queries.delete_result(plays, user_id=result.user_id, game_id=result.game_id)
        elif isinstance(error, ResultRefused):
            await queries.mark_refused(plays, user_id=result.user_id, game_id=result.game_id, reason=str(error))


class Outbox(AbstractAsyncContextManager["Outbox"]):
    """Delivers a result at once when its player's statistics are wanted, and all others in the background."""

    def __init__(self, plays: Database, stats_client: StatsClient) -> None:
        self._plays = plays
        self._stats_client = stats_client
        self._tasks: set[asyncio.Task[None]] = set()
        self._after: OutboxKey = BEFORE_ALL
        """The background has tried the rows up to here."""

    async def __aenter__(self) -> Self:
        self._wake = asyncio.Event()
        self._start(self._deliver_forever())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """What is not delivered by now stays in the table for the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the event loop alone would not keep it
        task.add_done_callback(self._tasks.discard)
        return task

    async def read_stats_after_game(self, *, user_id: UUID, game_id: int) -> StatsAfterGame:
        """The statistics of a player who has finished a game, and how the game went so far; asked for at the same time,
        and each None after STATS_TIMEOUT_S.

        A pending result is delivered first; its delivery continues in the background after the timeout.
        """
        deadline = asyncio.get_running_loop().time() + STATS_TIMEOUT_S
        try:
            async with asyncio.timeout_at(deadline):
                result = await queries.find_waiting(self._plays, user_id=user_id, game_id=game_id)
                if result is not None:
                    await asyncio.shield(self._start(self._deliver_now(result)))
        except (TimeoutError, Unavailable):
            return StatsAfterGame()
        statistics, distribution = await asyncio.gather(
            read_until(deadline, self._stats_client.read_statistics(user_id)),
            read_until(deadline, self._stats_client.read_distribution(game_id)),
        )
        return StatsAfterGame(statistics, distribution)

    async def _deliver_now(self, result: PlayResult) -> None:
        try:
            await self._deliver([result])
        except Unavailable:
            self._wake.set()
            raise

    async def _deliver(self, results: Sequence[PlayResult]) -> None:
        """All at the same time. Raises Unavailable if stats takes none of them now."""
        errors = await asyncio.gather(*map(self._post, results))
        postponed = [error for error in errors if isinstance(error, Unavailable)]
        if len(postponed) == len(results):
            raise postponed[0]
        deliveries = list(zip(results, errors, strict=True))
        await self._plays.write(partial(record_deliveries, deliveries=deliveries), lock=NO_LOCK)
        for result, error in deliveries:
            if isinstance(error, ResultRefused):
                logger.error("stats refuses game %s of user %s: %s", result.game_id, result.user_id, error)

    async def _post(self, result: PlayResult) -> ResultRefused | Unavailable | None:
        """Why stats has not taken it."""
        try:
            await self._stats_client.post_result(result)
        except (ResultRefused, Unavailable) as error:
            return error
        return None

    async def _deliver_forever(self) -> None:
        """Runs without a pause while stats accepts results, and backs off exponentially while it does not."""
        failures = 0
        while True:
            try:
                await self._deliver_next()
                failures = 0
            except Exception as error:
                is_expected = isinstance(error, Unavailable)
                logger.warning("Results wait to be delivered to stats: %s", error, exc_info=not is_expected)
                failures += 1
                await asyncio.sleep(pause_s(failures, random.random()))  # noqa: S311 - jitter needs no secrecy

    async def _deliver_next(self) -> None:
        """Delivers the next batch, or sleeps until there is one. Raises Unavailable if stats accepts nothing now.

        Batches rotate through the table, so rows that cannot be delivered now (a shard is unavailable) delay no others.
        """
        self._wake.clear()
        waiting = await queries.list_waiting(self._plays, after=self._after, limit=BATCH_SIZE)
        if not waiting:
            waiting = await queries.list_waiting(self._plays, after=BEFORE_ALL, limit=BATCH_SIZE)
        if waiting:
            self._after = OutboxKey(waiting[-1].user_id, waiting[-1].game_id)
            await self._deliver(waiting)
            return
        # Now and then it looks by itself: another instance may have ended with rows that it could not deliver.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), LONGEST_PAUSE_S)
