import asyncio
import sqlite3
import time
from contextlib import closing

import asyncpg
import pytest

from servicekit.db.database import Database
from servicekit.db.transaction import Transaction
from servicekit.problems import DatabaseBusy, DatabaseUnavailable
from tests.support.ledger import LEDGER, Ledger, add_amount, add_entry
from tests.support.postgres_ledger import AnyLedger

pytestmark = pytest.mark.anyio

INTEGRITY_ERRORS = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)


async def test_write_is_committed_when_the_transaction_ends(any_ledger: AnyLedger, any_database: Database) -> None:
    await add_entry(any_database, 1, amount=7)
    assert any_ledger.numbers() == {1}
    assert await any_database.fetch_val("SELECT amount FROM total") == 7


async def test_exception_rolls_the_transaction_back(any_ledger: AnyLedger, any_database: Database) -> None:
    async def write_and_fail(transaction: Transaction) -> None:
        await add_amount(transaction, number=1, amount=1)
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await any_database.write(write_and_fail, lock=LEDGER)
    assert any_ledger.numbers() == set()
    await add_entry(any_database, 2)
    assert any_ledger.numbers() == {2}


async def test_cancelled_error_raised_by_a_transaction_rolls_back(
    any_ledger: AnyLedger, any_database: Database
) -> None:
    async def write_and_cancel(transaction: Transaction) -> None:
        await add_amount(transaction, number=1, amount=1)
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="a transaction raised CancelledError"):
        async with asyncio.timeout(20):
            await any_database.write(write_and_cancel, lock=LEDGER)
    assert any_ledger.numbers() == set()


async def test_failed_statement_rolls_the_transaction_back(any_ledger: AnyLedger, any_database: Database) -> None:
    await add_entry(any_database, 1)

    async def write_twice(transaction: Transaction) -> None:
        await add_amount(transaction, number=2, amount=1)
        await add_amount(transaction, number=1, amount=1)

    with pytest.raises(INTEGRITY_ERRORS):
        await any_database.write(write_twice, lock=LEDGER)
    assert any_ledger.numbers() == {1}


async def test_writes_are_visible_to_others_only_after_the_commit(
    any_ledger: AnyLedger, any_database: Database
) -> None:
    seen_by_others = []

    async def write_and_look(transaction: Transaction) -> object:
        await add_amount(transaction, number=1, amount=1)
        seen_by_others.append(any_ledger.total())
        return await transaction.fetch_val("SELECT amount FROM total")

    assert await any_database.write(write_and_look, lock=LEDGER) == 1
    assert (seen_by_others, any_ledger.total()) == ([0], 1)
    assert await any_database.fetch_val("SELECT amount FROM total") == 1


async def test_execute_many_writes_all_rows(any_ledger: AnyLedger, any_database: Database) -> None:
    rows = [{"number": number, "amount": 0} for number in range(100)]

    async def write_rows(transaction: Transaction) -> None:
        await transaction.execute_many("INSERT INTO entries VALUES (:number, :amount)", rows)
        await transaction.execute_many("INSERT INTO entries VALUES (:number, :amount)", [])
        await transaction.execute("UPDATE tally SET entries = 100")

    await any_database.write(write_rows, lock=LEDGER)
    assert any_ledger.numbers() == set(range(100))


async def test_deferred_constraint_failing_at_commit_rolls_back(any_ledger: AnyLedger, any_database: Database) -> None:
    async def create_tables(transaction: Transaction) -> None:
        await transaction.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        await transaction.execute(
            "CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"
        )

    async def write_an_orphan(transaction: Transaction) -> None:
        await add_amount(transaction, number=1, amount=1)
        await transaction.execute("INSERT INTO children VALUES (1)")

    await any_database.write(create_tables, lock=LEDGER)
    with pytest.raises(INTEGRITY_ERRORS, match=r"(?i)foreign key"):
        await any_database.write(write_an_orphan, lock=LEDGER)
    assert any_ledger.numbers() == set()
    await add_entry(any_database, 2)
    assert any_ledger.numbers() == {2}


async def test_full_disk_is_unavailable_and_recovers(ledger: Ledger, database: Database) -> None:
    async def leave_two_pages(transaction: Transaction) -> None:
        await transaction.execute("CREATE TABLE blobs (content BLOB)")
        pages = await transaction.fetch_val("PRAGMA page_count")
        await transaction.fetch_val(f"PRAGMA max_page_count = {pages + 2}")

    async def fill_the_disk(transaction: Transaction) -> None:
        await add_amount(transaction, number=1, amount=1)
        await transaction.execute("INSERT INTO blobs VALUES (randomblob(100000))")

    await database.write(leave_two_pages, lock=LEDGER)
    with pytest.raises(DatabaseUnavailable, match=r"ledger\.db does not answer .*full"):
        await database.write(fill_the_disk, lock=LEDGER)
    assert ledger.numbers() == set()
    await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_locked_write_times_out_while_reads_and_loop_go_on(ledger: Ledger) -> None:
    gaps: list[float] = []

    async def tick() -> None:
        """Reads in a loop and records how long each iteration takes."""
        last = time.monotonic()
        while True:
            await database.fetch_val("SELECT amount FROM total")
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()

    async with ledger.open(busy_timeout_ms=500) as database:
        await add_entry(database, 1)
        with closing(ledger.lock()):
            ticker = asyncio.create_task(tick())
            began = time.monotonic()
            refusals = await asyncio.gather(*(add_entry(database, 2) for _ in range(5)), return_exceptions=True)
            waited = time.monotonic() - began
            assert not ticker.done()
            ticker.cancel()
        assert {type(refusal) for refusal in refusals} == {DatabaseBusy}
        assert {str(refusal) for refusal in refusals} == {
            "The database ledger.db does not answer (database is locked). Try again later."
        }
        assert 0.45 < waited < 0.9  # one timeout for all, not one after another
        assert len(gaps) > 20
        assert max(gaps) < 0.5
        await add_entry(database, 3)
    assert ledger.numbers() == {1, 3}


async def test_write_waits_for_a_lock_released_in_time(ledger: Ledger) -> None:
    async with ledger.open() as database:
        lock = ledger.lock()
        task = asyncio.create_task(add_entry(database, 1))
        asyncio.get_running_loop().call_later(0.05, lock.close)
        await task
    assert ledger.numbers() == {1}


async def test_databases_own_write_methods_are_refused(any_database: Database) -> None:
    with pytest.raises(RuntimeError, match=r"inside write\(\)"):
        any_database.transaction()
    for use in (
        anext(any_database.iterate("SELECT amount FROM total")),
        any_database.execute("UPDATE total SET amount = 9"),
        any_database.execute_many("UPDATE total SET amount = :amount", [{"amount": 9}]),
    ):
        with pytest.raises(RuntimeError, match=r"inside write\(\)"):
            await use
    assert await any_database.fetch_val("SELECT amount FROM total") == 0


async def test_write_outside_a_transaction_is_refused(ledger: Ledger, database: Database) -> None:
    insert = "INSERT INTO entries VALUES (1, 1)"
    with pytest.raises(RuntimeError, match=r"inside write\(\)"):
        await database.execute(insert)
    with pytest.raises(RuntimeError, match=r"inside write\(\)"):
        await database.execute_many(insert, [{}])
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await database.fetch_one(f"{insert} RETURNING number")
    assert ledger.numbers() == set()


async def test_awaiting_anything_else_in_a_transaction_rolls_back(ledger: Ledger, database: Database) -> None:
    async def write_and_sleep(transaction: Transaction) -> None:
        await add_amount(transaction, number=1, amount=1)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="await nothing but its own queries"):
        await database.write(write_and_sleep, lock=LEDGER)
    assert ledger.numbers() == set()
