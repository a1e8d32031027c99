"""Group commit: concurrent transactions share one commit, each with its own outcome."""

import asyncio
import sqlite3
from functools import partial

import pytest

from servicekit.db.database import Database
from servicekit.db.transaction import Transaction
from servicekit.db.writer import MAX_GROUP
from servicekit.problems import Conflict, DatabaseBusy, DatabaseUnavailable
from tests.support.ledger import LEDGER, Ledger, add_amount, add_entry, start_slow_transaction, wait_for_lock_attempt

pytestmark = pytest.mark.anyio


async def add_then_raise(transaction: Transaction, *, number: int) -> None:
    await add_amount(transaction, number=number, amount=1)
    raise Conflict(f"{number} is refused")


async def test_concurrent_writes_share_one_commit(statements: list[str], ledger: Ledger, database: Database) -> None:
    await asyncio.gather(*(add_entry(database, number) for number in range(20)))
    assert statements.count("COMMIT") == 1
    assert ledger.numbers() == set(range(20))


async def test_writes_queued_behind_a_lock_share_one_commit(
    statements: list[str], ledger: Ledger, database: Database
) -> None:
    lock = ledger.lock()
    first = asyncio.create_task(add_entry(database, 0))
    await wait_for_lock_attempt(statements)
    others = [asyncio.create_task(add_entry(database, number)) for number in range(1, 20)]
    await asyncio.sleep(0)
    lock.close()
    await asyncio.gather(first, *others)
    assert statements.count("COMMIT") == 1
    assert ledger.numbers() == set(range(20))


async def test_writes_during_a_commit_form_the_next_group(
    statements: list[str], ledger: Ledger, database: Database
) -> None:
    first = await start_slow_transaction(database, 0)
    await asyncio.gather(first, *(add_entry(database, number) for number in range(1, 20)))
    assert statements.count("COMMIT") == 2
    assert ledger.numbers() == set(range(20))


async def test_group_size_is_limited(statements: list[str], ledger: Ledger, database: Database) -> None:
    await asyncio.gather(*(add_entry(database, number) for number in range(2 * MAX_GROUP + 1)))
    assert statements.count("COMMIT") == 3
    assert ledger.numbers() == set(range(2 * MAX_GROUP + 1))


async def test_failed_transaction_is_rolled_back_alone(ledger: Ledger, database: Database) -> None:
    failing = [database.write(partial(add_then_raise, number=number), lock=LEDGER) for number in (1, 3)]
    twice = [add_entry(database, 4), add_entry(database, 4)]
    outcomes = await asyncio.gather(
        add_entry(database, 0), failing[0], add_entry(database, 2), failing[1], *twice, return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        Conflict,
        type(None),
        Conflict,
        type(None),
        sqlite3.IntegrityError,
    ]
    assert [str(outcome) for outcome in outcomes if isinstance(outcome, Conflict)] == [
        "1 is refused",
        "3 is refused",
    ]
    assert ledger.numbers() == {0, 2, 4}


async def test_each_transaction_returns_its_own_result(database: Database) -> None:
    async def double(transaction: Transaction, *, number: int) -> int:
        return int(await transaction.fetch_val("SELECT 2 * :number", {"number": number}))

    doubled = await asyncio.gather(
        *(database.write(partial(double, number=number), lock=LEDGER) for number in range(20))
    )
    assert doubled == list(range(0, 40, 2))


async def test_failed_commit_rolls_back_and_fails_the_whole_group(ledger: Ledger, database: Database) -> None:
    async def add_an_orphan(transaction: Transaction) -> None:
        await transaction.execute("PRAGMA defer_foreign_keys = ON")
        await transaction.execute("INSERT INTO children VALUES (1)")

    async def create_tables(transaction: Transaction) -> None:
        await transaction.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        await transaction.execute("CREATE TABLE children (parent INTEGER REFERENCES parents)")

    await database.write(create_tables, lock=LEDGER)
    outcomes = await asyncio.gather(
        add_entry(database, 1),
        database.write(add_an_orphan, lock=LEDGER),
        add_entry(database, 2),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [sqlite3.IntegrityError] * 3
    assert ledger.numbers() == set()
    await add_entry(database, 3)
    assert ledger.numbers() == {3}


async def test_timeout_of_one_waiting_write_does_not_fail_another(ledger: Ledger) -> None:
    async with ledger.open(busy_timeout_ms=300) as database:
        await add_entry(database, 0)
        lock = ledger.lock()
        early_write = asyncio.create_task(add_entry(database, 1))
        await asyncio.sleep(0.15)  # half of its timeout
        late_write = asyncio.create_task(add_entry(database, 2))
        with pytest.raises(DatabaseUnavailable, match="locked"):
            await early_write
        assert not late_write.done()
        lock.close()
        await late_write
    assert ledger.numbers() == {0, 2}


async def test_busy_timeout_includes_the_time_in_the_queue(ledger: Ledger) -> None:
    """One deadline covers queue and lock: two successive waits would exceed Traefik's timeout."""
    loop = asyncio.get_running_loop()
    async with ledger.open(busy_timeout_ms=300) as database:
        lock = ledger.lock()
        began = loop.time()
        first = asyncio.create_task(add_entry(database, 1))
        await asyncio.sleep(0)
        others = [asyncio.create_task(add_entry(database, number)) for number in range(2, 5)]
        outcomes = await asyncio.gather(first, *others, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {DatabaseBusy}
        assert loop.time() - began < 0.55
        lock.close()
    assert ledger.numbers() == set()
