"""Cancelling a transaction at any moment leaves no lock, no leaked thread or file, and no partial write."""

import asyncio
import random
from dataclasses import dataclass, field
from functools import partial

import pytest

from servicekit.db.database import Database
from servicekit.db.transaction import Transaction
from tests.support.ledger import (
    LEDGER,
    Ledger,
    add_amount,
    add_entry,
    assert_no_leaks,
    count_threads_and_files,
    start_slow_transaction,
    wait_for_lock_attempt,
)

pytestmark = pytest.mark.anyio

CANCELLATIONS = 3000
AT_ONCE = 10
LIMIT_S = 60  # takes about 6 s; a hang fails the test


async def wait_a_random_moment(rng: random.Random) -> None:
    """Waits between zero event loop iterations and the duration of several transactions."""
    if rng.random() < 0.5:
        for _ in range(rng.randrange(30)):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(rng.random() * 0.003)


@dataclass
class Outcomes:
    """The numbers of the transactions that began, were acknowledged, and were cancelled."""

    begun: set[int] = field(default_factory=set)
    acknowledged: set[int] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)

    async def work(self, database: Database, number: int) -> None:
        try:
            await database.write(partial(self._begin, number=number), lock=LEDGER)
            self.acknowledged.add(number)
        except asyncio.CancelledError:
            self.cancelled.add(number)

    async def _begin(self, transaction: Transaction, *, number: int) -> None:
        self.begun.add(number)
        await add_amount(transaction, number=number, amount=number)


async def cancel_at_random(databases: list[Database], numbers: range, rng: random.Random, outcomes: Outcomes) -> None:
    """Starts a transaction for each number, partly concurrently, and cancels each after a random delay unless it has
    finished."""
    tasks = []
    for number in numbers:
        tasks.append(asyncio.create_task(outcomes.work(databases[number % len(databases)], number)))
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
    # Cancelled in lock order, most are inside their transaction; in random order, most are waiting for the lock.
    for task in rng.choice([tasks, rng.sample(tasks, len(tasks))]):
        await wait_a_random_moment(rng)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):  # some are cancelled again during the rollback
            task.cancel()
            await asyncio.sleep(0)
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert outcome is None or isinstance(outcome, asyncio.CancelledError)  # cancelled before its first step


@pytest.mark.slow
async def test_random_cancellations_leave_no_lock_leak_or_half_write(ledger: Ledger) -> None:
    rng = random.Random(20210619)  # noqa: S311 - moments, not secrets
    outcomes = Outcomes()
    before = count_threads_and_files()
    databases = [ledger.open(), ledger.open()]  # no `async with`: it would hang on a lost lock
    for number, database in enumerate(databases):
        await database.connect()
        await add_entry(database, number)
        await database.fetch_val("SELECT amount FROM total")
    ledger.numbers()  # SQLite caches the descriptor of a file that this process has open elsewhere
    open_once = count_threads_and_files()

    start = 2
    async with asyncio.timeout(LIMIT_S):
        while len(outcomes.cancelled) < CANCELLATIONS:
            await cancel_at_random(databases, range(start, start + AT_ONCE), rng, outcomes)
            start += AT_ONCE

    stored = ledger.numbers() - {0, 1}
    await assert_no_leaks(open_once)
    for number, database in enumerate(databases):
        await asyncio.wait_for(add_entry(database, start + number), timeout=1)
        await database.disconnect()
    await assert_no_leaks(before)
    assert outcomes.acknowledged <= stored <= outcomes.begun
    # Cancellations have hit before, inside and after transactions.
    assert len(outcomes.cancelled & outcomes.begun) > CANCELLATIONS // 20
    assert len(outcomes.cancelled - outcomes.begun) > CANCELLATIONS // 20
    assert len(outcomes.acknowledged) > CANCELLATIONS // 20


async def test_1000_concurrent_read_then_write_transactions_succeed(ledger: Ledger) -> None:
    async with (
        ledger.open(busy_timeout_ms=60_000) as one,
        ledger.open(busy_timeout_ms=60_000) as other,
        asyncio.TaskGroup() as group,
    ):
        for number in range(1000):
            group.create_task(add_entry(other if number % 10 == 0 else one, number))
    assert ledger.numbers() == set(range(1000))


async def test_cancelled_wait_for_a_foreign_lock_frees_the_writer(statements: list[str], ledger: Ledger) -> None:
    async with ledger.open(busy_timeout_ms=200) as database:
        lock = ledger.lock()
        task = asyncio.create_task(add_entry(database, 1))
        await wait_for_lock_attempt(statements)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        lock.close()
        await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_repeated_cancel_ends_only_after_the_transaction(ledger: Ledger, database: Database) -> None:
    task = await start_slow_transaction(database, 1)
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.numbers() == {1}  # numbers() also checks that the lock is free


async def test_timeout_while_queued_drops_the_transaction(ledger: Ledger, database: Database) -> None:
    slow = await start_slow_transaction(database)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(add_entry(database, 1), timeout=0.001)
    await slow
    await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_cancelled_member_of_a_waiting_group_is_left_out(
    statements: list[str], ledger: Ledger, database: Database
) -> None:
    lock = ledger.lock()
    tasks = [asyncio.create_task(add_entry(database, number)) for number in range(3)]
    await wait_for_lock_attempt(statements)
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]  # returns at once, before the group has the lock
    lock.close()
    await asyncio.gather(tasks[0], tasks[2])
    assert ledger.numbers() == {0, 2}
