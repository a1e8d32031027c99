"""Batcher: items submitted while a batch runs form the next batch."""

import asyncio
from collections.abc import Sequence

import pytest

from games.clients.batching import Batcher
from tests.support.polling import run_ready_tasks

pytestmark = pytest.mark.anyio


class ControlledWorker:
    """Doubles even numbers and fails odd ones, a batch for each release of `go_on`; 13 fails its whole batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = asyncio.Semaphore(0)

    async def work(self, items: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(items))
        await self.go_on.acquire()
        if 13 in items:
            raise RuntimeError("13")
        return [ValueError(item) if item % 2 else 2 * item for item in items]


def submit_all(batches: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batches.submit(item)) for item in items]


async def test_items_submitted_during_a_batch_form_the_next_batch() -> None:
    worker = ControlledWorker()
    batches = Batcher(worker.work, largest=3)
    first = submit_all(batches, 2)
    await run_ready_tasks()
    others = submit_all(batches, 4, 6, 4, 8)
    await run_ready_tasks()
    for _ in range(3):
        worker.go_on.release()
    assert await asyncio.gather(*first, *others) == [4, 8, 12, 8, 16]
    assert worker.batches == [[2], [4, 6, 4], [8]]


async def test_batches_run_one_after_another() -> None:
    worker = ControlledWorker()
    batches = Batcher(worker.work, largest=3)
    for item in (2, 4):
        worker.go_on.release()
        assert await batches.submit(item) == 2 * item
    assert worker.batches == [[2], [4]]


async def test_exception_for_one_item_does_not_affect_the_others() -> None:
    worker = ControlledWorker()
    worker.go_on.release()
    outcomes = await asyncio.gather(*submit_all(Batcher(worker.work, largest=3), 2, 3, 4), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int]


async def test_exception_of_the_worker_fails_its_whole_batch_only() -> None:
    worker = ControlledWorker()
    batches = Batcher(worker.work, largest=2)
    tasks = submit_all(batches, 2, 13, 4)
    for _ in range(2):
        worker.go_on.release()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RuntimeError, RuntimeError, int]


async def test_item_cancelled_in_a_running_batch_affects_no_other() -> None:
    worker = ControlledWorker()
    batches = Batcher(worker.work, largest=3)
    one, other = submit_all(batches, 2, 4)
    await run_ready_tasks()
    one.cancel()
    await run_ready_tasks()
    worker.go_on.release()
    assert await other == 8
    assert one.cancelled()
    assert worker.batches == [[2, 4]]


async def test_item_cancelled_before_its_batch_is_dropped() -> None:
    worker = ControlledWorker()
    batches = Batcher(worker.work, largest=1)
    first, second, third = submit_all(batches, 2, 4, 6)
    await run_ready_tasks()
    second.cancel()
    await run_ready_tasks()
    for _ in range(2):
        worker.go_on.release()
    assert (await first, await third) == (4, 12)
    assert worker.batches == [[2], [6]]
