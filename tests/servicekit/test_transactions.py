import asyncio
import sqlite3
import time
from contextlib import closing

import pytest
from databases import Database

from servicekit.databases import transaction
from servicekit.errors import DatabaseUnavailable
from tests.servicekit.ledger import Ledger, add_amount, add_entry

pytestmark = pytest.mark.anyio


async def test_what_is_written_is_stored_when_the_transaction_ends(ledger: Ledger, database: Database) -> None:
    await add_entry(database, 1, amount=7)
    assert ledger.numbers() == {1}
    assert await database.fetch_val("SELECT amount FROM total") == 7


async def test_an_exception_takes_everything_back(ledger: Ledger, database: Database) -> None:
    async def write_and_fail() -> None:
        async with transaction(database) as connection:
            await add_amount(connection, number=1, amount=1)
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await write_and_fail()
    assert ledger.numbers() == set()
    await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_a_statement_that_fails_takes_everything_back(ledger: Ledger, database: Database) -> None:
    await add_entry(database, 1)

    async def write_twice() -> None:
        async with transaction(database) as connection:
            await add_amount(connection, number=2, amount=1)
            await add_amount(connection, number=1, amount=1)

    with pytest.raises(sqlite3.IntegrityError):
        await write_twice()
    assert ledger.numbers() == {1}


async def test_a_transaction_sees_its_own_writes_and_others_see_them_after_the_commit(database: Database) -> None:
    async def read_total() -> object:
        return await database.fetch_val("SELECT amount FROM total")

    async with transaction(database) as connection:
        await add_amount(connection, number=1, amount=1)
        assert await connection.fetch_val("SELECT amount FROM total") == 1
        assert await read_total() == 1  # the same task
        assert await asyncio.create_task(read_total()) == 0
    assert await read_total() == 1


async def test_many_rows_are_written_at_once(ledger: Ledger, database: Database) -> None:
    rows = [{"number": number, "amount": 0} for number in range(100)]
    async with transaction(database) as connection:
        await connection.execute_many("INSERT INTO entries VALUES (:number, :amount)", rows)
        await connection.execute_many("INSERT INTO entries VALUES (:number, :amount)", [])
        await connection.execute("UPDATE tally SET entries = 100")
    assert ledger.numbers() == set(range(100))


async def test_a_constraint_that_fails_at_the_commit_rolls_back_and_the_connection_goes_on(
    ledger: Ledger, database: Database
) -> None:
    async with transaction(database) as connection:
        await connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        await connection.execute(
            "CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"
        )

    async def write_an_orphan() -> None:
        async with transaction(database) as connection:
            await add_amount(connection, number=1, amount=1)
            await connection.execute("INSERT INTO children VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await write_an_orphan()
    assert ledger.numbers() == set()
    await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_a_full_disk_is_a_503_and_the_connection_goes_on(ledger: Ledger, database: Database) -> None:
    async with transaction(database) as connection:
        await connection.execute("CREATE TABLE blobs (content BLOB)")
        pages = await connection.fetch_val("PRAGMA page_count")
        await connection.fetch_val(f"PRAGMA max_page_count = {pages + 2}")

    async def fill_the_disk() -> None:
        async with transaction(database) as connection:
            await add_amount(connection, number=1, amount=1)
            await connection.execute("INSERT INTO blobs VALUES (randomblob(100000))")

    with pytest.raises(DatabaseUnavailable, match=r"ledger\.db does not answer .*full"):
        await fill_the_disk()
    assert ledger.numbers() == set()
    await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_a_lock_held_elsewhere_ends_in_503_in_time_while_the_event_loop_and_reads_go_on(ledger: Ledger) -> None:
    gaps: list[float] = []

    async def tick() -> None:
        """Reads as it ticks."""
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
        assert {type(refusal) for refusal in refusals} == {DatabaseUnavailable}
        assert "too many writes waiting" in str(refusals[-1])
        assert 0.45 < waited < 2.5
        assert len(gaps) > 20
        assert max(gaps) < 0.5
        await add_entry(database, 3)
    assert ledger.numbers() == {1, 3}


async def test_a_write_waits_for_a_lock_that_another_process_gives_back_in_time(ledger: Ledger) -> None:
    async with ledger.open() as database:
        lock = ledger.lock()
        task = asyncio.create_task(add_entry(database, 1))
        asyncio.get_running_loop().call_later(0.05, lock.close)
        await task
    assert ledger.numbers() == {1}


async def test_the_transaction_of_the_databases_package_is_refused(database: Database) -> None:
    with pytest.raises(RuntimeError, match="loses its connection"):
        await database.transaction()
    with pytest.raises(RuntimeError, match="loses its connection"):
        await anext(database.iterate("SELECT amount FROM total"))
    assert await database.fetch_val("SELECT amount FROM total") == 0


async def test_writes_outside_a_transaction_are_refused(ledger: Ledger, database: Database) -> None:
    insert = "INSERT INTO entries VALUES (1, 1)"
    with pytest.raises(RuntimeError, match="belong in servicekit"):
        await database.execute(insert)
    with pytest.raises(RuntimeError, match="belong in servicekit"):
        await database.execute_many(insert, [{}])
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await database.fetch_one(f"{insert} RETURNING number")
    assert ledger.numbers() == set()


async def test_a_transaction_in_a_transaction_is_refused_and_the_outer_one_goes_on(
    ledger: Ledger, database: Database
) -> None:
    async with transaction(database) as connection:
        await add_amount(connection, number=1, amount=1)
        with pytest.raises(RuntimeError, match="do not nest"):
            await add_entry(database, 2)
        await add_amount(connection, number=3, amount=1)
    assert ledger.numbers() == {1, 3}


async def test_two_databases_can_be_written_by_one_task(ledger: Ledger, database: Database) -> None:
    other_file = Ledger(ledger.path.with_name("other.db"))
    with closing(sqlite3.connect(ledger.path)) as source, closing(sqlite3.connect(other_file.path)) as copy:
        source.backup(copy)
    async with other_file.open() as other, transaction(database) as one, transaction(other) as two:
        await add_amount(one, number=1, amount=1)
        await add_amount(two, number=2, amount=1)
    assert (ledger.numbers(), other_file.numbers()) == ({1}, {2})
