"""Cancelled at any moment, a transaction leaves nothing locked, nothing leaked and nothing half-written."""

import asyncio
import random
from dataclasses import dataclass, field
from functools import partial

import pytest

from servicekit.db.database import Database
from servicekit.db.transaction import Transaction
from tests.support.ledger import (
    Ledger,
    add_amount,
    add_entry,
    begin_slowly,
    count_threads_and_files,
    wait_for_as_few,
    wait_for_attempt,
)

pytestmark = pytest.mark.anyio

CANCELLATIONS = 3000
AT_ONCE = 10
LIMIT_S = 60  # it takes 6: whatever hangs shall fail


async def wait_a_random_moment(rng: random.Random) -> None:
    """From no tick of the event loop up to the length of several transactions."""
    if rng.random() < 0.5:
        for _ in range(rng.randrange(30)):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(rng.random() * 0.003)


@dataclass
class Ends:
    """How tasks ended, by their numbers."""

    begun: set[int] = field(default_factory=set)
    acknowledged: set[int] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)

    async def work(self, database: Database, number: int) -> None:
        try:
            await database.write(partial(self._begin, number=number))
            self.acknowledged.add(number)
        except asyncio.CancelledError:
            self.cancelled.add(number)

    async def _begin(self, session: Transaction, *, number: int) -> None:
        self.begun.add(number)
        await add_amount(session, number=number, amount=number)


async def cancel_at_random(databases: list[Database], numbers: range, rng: random.Random, ends: Ends) -> None:
    """Begins a transaction for each number, some while others are under way, and cancels each at some moment if it has
    not ended yet."""
    tasks = []
    for number in numbers:
        tasks.append(asyncio.create_task(ends.work(databases[number % len(databases)], number)))
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
    # In the order in which they get the lock, most are met inside; in any other, most while they wait for it.
    for task in rng.choice([tasks, rng.sample(tasks, len(tasks))]):
        await wait_a_random_moment(rng)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):  # some are cancelled again while they roll back
            task.cancel()
            await asyncio.sleep(0)
    for end in await asyncio.gather(*tasks, return_exceptions=True):
        assert end is None or isinstance(end, asyncio.CancelledError)  # before its first step


async def test_three_thousand_cancellations_leave_nothing_locked_leaked_or_half_written(ledger: Ledger) -> None:
    rng = random.Random(20210619)  # noqa: S311 - moments, not secrets
    ends = Ends()
    before = count_threads_and_files()
    databases = [ledger.open(), ledger.open()]  # without `async with`, which would wait for ever for a lost lock
    for number, database in enumerate(databases):
        await database.connect()
        await add_entry(database, number)
        await database.fetch_val("SELECT amount FROM total")
    ledger.numbers()  # SQLite keeps the descriptor of a file that this process has open elsewhere, to use it again
    open_once = count_threads_and_files()

    start = 2
    async with asyncio.timeout(LIMIT_S):
        while len(ends.cancelled) < CANCELLATIONS:
            await cancel_at_random(databases, range(start, start + AT_ONCE), rng, ends)
            start += AT_ONCE

    stored = ledger.numbers() - {0, 1}
    await wait_for_as_few(open_once)
    for number, database in enumerate(databases):
        await asyncio.wait_for(add_entry(database, start + number), timeout=1)
        await database.disconnect()
    await wait_for_as_few(before)
    assert ends.acknowledged <= stored <= ends.begun
    # The storm hit where it should: before, inside and after transactions.
    assert len(ends.cancelled & ends.begun) > CANCELLATIONS // 20
    assert len(ends.cancelled - ends.begun) > CANCELLATIONS // 20
    assert len(ends.acknowledged) > CANCELLATIONS // 20
    print(
        len(ends.cancelled & ends.begun), len(ends.cancelled), len(ends.acknowledged), len(stored - ends.acknowledged)
    )


async def test_a_thousand_tasks_that_read_then_write_all_succeed(ledger: Ledger) -> None:
    async with (
        ledger.open(busy_timeout_ms=60_000) as one,
        ledger.open(busy_timeout_ms=60_000) as other,
        asyncio.TaskGroup() as group,
    ):
        for number in range(1000):
            group.create_task(add_entry(other if number % 10 == 0 else one, number))
    assert ledger.numbers() == set(range(1000))


async def test_a_task_that_is_cancelled_while_it_waits_for_another_process_gives_the_writer_back(
    ledger: Ledger,
) -> None:
    async with ledger.open(busy_timeout_ms=200) as database:
        lock = ledger.lock()
        task = asyncio.create_task(add_entry(database, 1))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        lock.close()
        await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_a_task_that_is_cancelled_again_and_again_ends_when_its_transaction_has_ended(
    ledger: Ledger, database: Database
) -> None:
    task = await begin_slowly(database, 1)
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.numbers() == {1}  # and nobody has the lock any more


async def test_a_time_limit_that_ends_before_the_turn_of_a_transaction_leaves_it_out(
    ledger: Ledger, database: Database
) -> None:
    slow = await begin_slowly(database)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(add_entry(database, 1), timeout=0.001)
    await slow
    await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_one_that_is_cancelled_while_it_waits_for_the_lock_is_left_out_and_the_others_are_not(
    statements: list[str], ledger: Ledger, database: Database
) -> None:
    lock = ledger.lock()
    tasks = [asyncio.create_task(add_entry(database, number)) for number in range(3)]
    await wait_for_attempt(statements)
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]  # at once: nobody has the lock yet
    lock.close()
    await asyncio.gather(tasks[0], tasks[2])
    assert ledger.numbers() == {0, 2}
