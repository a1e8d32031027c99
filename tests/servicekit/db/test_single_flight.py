"""SingleFlight: callers share a read that begins after they asked."""

import asyncio

import pytest

from servicekit.db.single_flight import SingleFlight

pytestmark = pytest.mark.anyio


class Source:
    """A number that reads return; each read waits until it is let go."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = 0
        self.gate = asyncio.Event()
        self.began = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        value = self.value
        self.began.set()
        await self.gate.wait()
        return value


async def test_callers_at_the_same_time_share_one_read() -> None:
    source, flight = Source(), SingleFlight[int]()
    source.gate.set()
    assert await asyncio.gather(*(flight.get("key", source.read) for _ in range(10))) == [0] * 10
    assert source.reads == 1


async def test_callers_during_a_read_share_the_next_one() -> None:
    source, flight = Source(), SingleFlight[int]()
    first = asyncio.create_task(flight.get("key", source.read))
    await source.began.wait()
    source.value = 1  # a write that is acknowledged before the others ask
    others = [asyncio.create_task(flight.get("key", source.read)) for _ in range(5)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await first == 0
    assert await asyncio.gather(*others) == [1] * 5
    assert source.reads == 2


async def test_keys_do_not_wait_for_each_other() -> None:
    slow, fast, flight = Source(), Source(), SingleFlight[int]()
    waiting = asyncio.create_task(flight.get("slow", slow.read))
    await slow.began.wait()
    fast.gate.set()
    assert await flight.get("fast", fast.read) == 0
    slow.gate.set()
    assert await waiting == 0


async def test_error_is_for_all_who_share_the_read_and_for_no_later_one() -> None:
    flight = SingleFlight[int]()

    async def fail() -> int:
        raise ValueError("it fails")

    outcomes = await asyncio.gather(*(flight.get("key", fail) for _ in range(3)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["it fails"] * 3
    source = Source()
    source.gate.set()
    assert await flight.get("key", source.read) == 0


async def test_cancelled_caller_does_not_cancel_the_read_of_others() -> None:
    source, flight = Source(), SingleFlight[int]()
    impatient, patient = (asyncio.create_task(flight.get("key", source.read)) for _ in range(2))
    await source.began.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    source.gate.set()
    assert await patient == 0
