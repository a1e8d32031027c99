"""FairSemaphore serves keys (client addresses) round-robin: a client with many requests queues behind its own."""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from tests.support.polling import run_ready_tasks
from users.logins.fair_semaphore import FairSemaphore

pytestmark = pytest.mark.anyio


async def hold_slot(semaphore: FairSemaphore, key: str, order: list[str], until: asyncio.Event) -> None:
    async with semaphore.take(key):
        order.append(key)
        await until.wait()


async def take_slot(semaphore: FairSemaphore, key: str, order: list[str]) -> None:
    async with semaphore.take(key):
        order.append(key)
        await asyncio.sleep(0)


async def test_concurrency_never_exceeds_the_semaphore_size() -> None:
    semaphore, until = FairSemaphore(2), asyncio.Event()
    order: list[str] = []
    tasks = [asyncio.create_task(hold_slot(semaphore, "a", order, until)) for _ in range(5)]
    await run_ready_tasks()
    assert len(order) == 2
    until.set()
    await asyncio.gather(*tasks)
    assert len(order) == 5


async def test_single_request_overtakes_the_backlog_of_another_key() -> None:
    semaphore, until = FairSemaphore(1), asyncio.Event()
    order: list[str] = []
    first = asyncio.create_task(hold_slot(semaphore, "busy", order, until))
    await run_ready_tasks()
    others = [asyncio.create_task(take_slot(semaphore, "busy", order)) for _ in range(300)]
    await run_ready_tasks()
    others += [asyncio.create_task(take_slot(semaphore, key, order)) for key in ("one", "two")]
    await run_ready_tasks()
    until.set()
    await asyncio.gather(first, *others)
    assert order[:4] == ["busy", "busy", "one", "two"]
    assert len(order) == 303


async def test_cancelled_waiter_is_skipped() -> None:
    semaphore, until = FairSemaphore(1), asyncio.Event()
    order: list[str] = []
    first = asyncio.create_task(hold_slot(semaphore, "a", order, until))
    await run_ready_tasks()
    cancelled_task = asyncio.create_task(take_slot(semaphore, "a", order))
    other_task = asyncio.create_task(take_slot(semaphore, "b", order))
    await run_ready_tasks()
    cancelled_task.cancel()
    await run_ready_tasks()
    until.set()
    await asyncio.gather(first, other_task)
    assert order == ["a", "b"]
    await asyncio.wait_for(take_slot(semaphore, "c", order), 1)


async def test_waiter_cancelled_when_granted_passes_the_slot_on() -> None:
    semaphore, until = FairSemaphore(1), asyncio.Event()
    order: list[str] = []
    first = asyncio.create_task(hold_slot(semaphore, "a", order, until))
    await run_ready_tasks()
    cancelled = asyncio.create_task(take_slot(semaphore, "b", order))
    last = asyncio.create_task(take_slot(semaphore, "c", order))
    await run_ready_tasks()
    until.set()
    await asyncio.sleep(0)  # the first task has released its slot to the second, which has not resumed yet
    await asyncio.sleep(0)
    cancelled.cancel()
    with suppress(asyncio.CancelledError):
        await cancelled
    await asyncio.wait_for(asyncio.gather(first, last), 1)
    await asyncio.wait_for(take_slot(semaphore, "d", order), 1)
    assert order[-2:] == ["c", "d"]


async def test_cancelled_waiters_do_not_cost_their_key_its_share() -> None:
    """200 log-ins from one school time out; its next requests still get every other slot."""
    semaphore, until = FairSemaphore(1), asyncio.Event()
    order: list[str] = []
    first = asyncio.create_task(hold_slot(semaphore, "other", order, until))
    await run_ready_tasks()
    cancelled_tasks = [asyncio.create_task(take_slot(semaphore, "class", order)) for _ in range(200)]
    await run_ready_tasks()
    for task in cancelled_tasks:
        task.cancel()
    waiting = [asyncio.create_task(take_slot(semaphore, "other", order)) for _ in range(10)]
    waiting += [asyncio.create_task(take_slot(semaphore, "class", order)) for _ in range(10)]
    until.set()
    await asyncio.gather(first, *waiting)
    assert Counter(order[1:9]) == {"class": 4, "other": 4}
    assert Counter(order) == {"class": 10, "other": 11}
