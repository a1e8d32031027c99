"""What comes while something is under way goes together with the next."""

import asyncio
from collections.abc import Sequence

import pytest

from games.batching import Batcher

pytestmark = pytest.mark.anyio


class Kitchen:
    """Doubles numbers, when it is told to go on; odd ones it does not like."""

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


async def take_a_few_steps() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_meanwhile_is_the_next_batch_and_each_gets_its_own_result() -> None:
    kitchen = Kitchen()
    batches = Batcher(kitchen.work, largest=3)
    first = submit_all(batches, 2)
    await take_a_few_steps()
    others = submit_all(batches, 4, 6, 4, 8)
    await take_a_few_steps()
    for _ in range(3):
        kitchen.go_on.release()
    assert await asyncio.gather(*first, *others) == [4, 8, 12, 8, 16]
    assert kitchen.batches == [[2], [4, 6, 4], [8]]


async def test_a_batch_that_has_ended_is_followed_by_another() -> None:
    kitchen = Kitchen()
    batches = Batcher(kitchen.work, largest=3)
    for item in (2, 4):
        kitchen.go_on.release()
        assert await batches.submit(item) == 2 * item
    assert kitchen.batches == [[2], [4]]


async def test_an_exception_for_one_is_not_for_the_others() -> None:
    kitchen = Kitchen()
    kitchen.go_on.release()
    outcomes = await asyncio.gather(*submit_all(Batcher(kitchen.work, largest=3), 2, 3, 4), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int]


async def test_what_the_function_raises_is_for_all_of_the_batch_and_for_no_other() -> None:
    kitchen = Kitchen()
    batches = Batcher(kitchen.work, largest=2)
    tasks = submit_all(batches, 2, 13, 4)
    for _ in range(2):
        kitchen.go_on.release()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RuntimeError, RuntimeError, int]


async def test_who_no_longer_waits_does_not_disturb_the_others() -> None:
    kitchen = Kitchen()
    batches = Batcher(kitchen.work, largest=3)
    one, other = submit_all(batches, 2, 4)
    await take_a_few_steps()
    one.cancel()
    await take_a_few_steps()
    kitchen.go_on.release()
    assert await other == 8
    assert one.cancelled()
    assert kitchen.batches == [[2, 4]]


async def test_who_stops_waiting_before_the_batch_begins_is_left_out_of_it() -> None:
    kitchen = Kitchen()
    batches = Batcher(kitchen.work, largest=1)
    first, second, third = submit_all(batches, 2, 4, 6)
    await take_a_few_steps()
    second.cancel()
    await take_a_few_steps()
    for _ in range(2):
        kitchen.go_on.release()
    assert (await first, await third) == (4, 12)
    assert kitchen.batches == [[2], [6]]
