"""Permits are handed to addresses in rotation, so that one with many requests queues behind itself."""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from users.fair_semaphore import FairSemaphore

pytestmark = pytest.mark.anyio


async def hold(turns: FairSemaphore, key: str, order: list[str], until: asyncio.Event) -> None:
    async with turns.take(key):
        order.append(key)
        await until.wait()


async def take(turns: FairSemaphore, key: str, order: list[str]) -> None:
    async with turns.take(key):
        order.append(key)
        await asyncio.sleep(0)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_so_many_have_a_turn_at_once() -> None:
    turns, until = FairSemaphore(2), asyncio.Event()
    order: list[str] = []
    tasks = [asyncio.create_task(hold(turns, "a", order, until)) for _ in range(5)]
    await settle()
    assert len(order) == 2
    until.set()
    await asyncio.gather(*tasks)
    assert len(order) == 5


async def test_an_address_with_one_request_does_not_wait_behind_hundreds_of_another() -> None:
    turns, until = FairSemaphore(1), asyncio.Event()
    order: list[str] = []
    first = asyncio.create_task(hold(turns, "busy", order, until))
    await settle()
    others = [asyncio.create_task(take(turns, "busy", order)) for _ in range(300)]
    await settle()
    others += [asyncio.create_task(take(turns, key, order)) for key in ("one", "two")]
    await settle()
    until.set()
    await asyncio.gather(first, *others)
    assert order[:4] == ["busy", "busy", "one", "two"]
    assert len(order) == 303


async def test_a_request_that_gives_up_leaves_the_turn_to_the_next() -> None:
    turns, until = FairSemaphore(1), asyncio.Event()
    order: list[str] = []
    first = asyncio.create_task(hold(turns, "a", order, until))
    await settle()
    impatient = asyncio.create_task(take(turns, "a", order))
    patient = asyncio.create_task(take(turns, "b", order))
    await settle()
    impatient.cancel()
    await settle()
    until.set()
    await asyncio.gather(first, patient)
    assert order == ["a", "b"]
    await asyncio.wait_for(take(turns, "c", order), 1)


async def test_a_request_that_is_cancelled_as_its_turn_comes_passes_it_on() -> None:
    turns, until = FairSemaphore(1), asyncio.Event()
    order: list[str] = []
    first = asyncio.create_task(hold(turns, "a", order, until))
    await settle()
    cancelled = asyncio.create_task(take(turns, "b", order))
    last = asyncio.create_task(take(turns, "c", order))
    await settle()
    until.set()
    await asyncio.sleep(0)  # the first one has handed its turn over, the next has not run yet
    await asyncio.sleep(0)
    cancelled.cancel()
    with suppress(asyncio.CancelledError):
        await cancelled
    await asyncio.wait_for(asyncio.gather(first, last), 1)
    await asyncio.wait_for(take(turns, "d", order), 1)
    assert order[-2:] == ["c", "d"]


async def test_requests_that_gave_up_do_not_make_their_address_wait() -> None:
    """A class whose two hundred log-ins ran into the time limit gets its fair share when it comes again."""
    turns, until = FairSemaphore(1), asyncio.Event()
    order: list[str] = []
    first = asyncio.create_task(hold(turns, "other", order, until))
    await settle()
    impatient = [asyncio.create_task(take(turns, "class", order)) for _ in range(200)]
    await settle()
    for task in impatient:
        task.cancel()
    waiting = [asyncio.create_task(take(turns, "other", order)) for _ in range(10)]
    waiting += [asyncio.create_task(take(turns, "class", order)) for _ in range(10)]
    until.set()
    await asyncio.gather(first, *waiting)
    assert Counter(order[1:9]) == {"class": 4, "other": 4}
    assert Counter(order) == {"class": 10, "other": 11}
