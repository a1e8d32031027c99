"""Transactions that come at the same time are committed together, and each has its own end."""

import asyncio
import sqlite3
from functools import partial

import pytest

from servicekit.db.database import Database
from servicekit.db.transaction import Transaction
from servicekit.db.writer import MAX_GROUP
from servicekit.problems import Conflict, DatabaseUnavailable
from tests.support.ledger import Ledger, add_amount, add_entry, begin_slowly, wait_for_attempt

pytestmark = pytest.mark.anyio


async def add_and_refuse(session: Transaction, *, number: int) -> None:
    await add_amount(session, number=number, amount=1)
    raise Conflict(f"{number} is not wanted")


async def test_what_comes_at_the_same_time_is_committed_together(
    statements: list[str], ledger: Ledger, database: Database
) -> None:
    await asyncio.gather(*(add_entry(database, number) for number in range(20)))
    assert statements.count("COMMIT") == 1
    assert ledger.numbers() == set(range(20))


async def test_what_comes_while_another_has_the_lock_is_committed_together(
    statements: list[str], ledger: Ledger, database: Database
) -> None:
    lock = ledger.lock()
    first = asyncio.create_task(add_entry(database, 0))
    await wait_for_attempt(statements)
    others = [asyncio.create_task(add_entry(database, number)) for number in range(1, 20)]
    await asyncio.sleep(0)
    lock.close()
    await asyncio.gather(first, *others)
    assert statements.count("COMMIT") == 1
    assert ledger.numbers() == set(range(20))


async def test_what_comes_when_a_commit_has_begun_is_committed_with_the_next(
    statements: list[str], ledger: Ledger, database: Database
) -> None:
    first = await begin_slowly(database, 0)
    await asyncio.gather(first, *(add_entry(database, number) for number in range(1, 20)))
    assert statements.count("COMMIT") == 2
    assert ledger.numbers() == set(range(20))


async def test_the_first_of_very_many_does_not_wait_for_the_last(
    statements: list[str], ledger: Ledger, database: Database
) -> None:
    await asyncio.gather(*(add_entry(database, number) for number in range(2 * MAX_GROUP + 1)))
    assert statements.count("COMMIT") == 3
    assert ledger.numbers() == set(range(2 * MAX_GROUP + 1))


async def test_one_that_fails_is_taken_back_and_none_of_the_others(ledger: Ledger, database: Database) -> None:
    failing = [database.write(partial(add_and_refuse, number=number)) for number in (1, 3)]
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
        "1 is not wanted",
        "3 is not wanted",
    ]
    assert ledger.numbers() == {0, 2, 4}


async def test_each_gets_its_own_result(database: Database) -> None:
    async def double(session: Transaction, *, number: int) -> int:
        return int(await session.fetch_val("SELECT 2 * :number", {"number": number}))

    doubled = await asyncio.gather(*(database.write(partial(double, number=number)) for number in range(20)))
    assert doubled == list(range(0, 40, 2))


async def test_a_commit_that_fails_takes_all_of_it_back_and_each_is_told(ledger: Ledger, database: Database) -> None:
    async def add_an_orphan(session: Transaction) -> None:
        await session.execute("PRAGMA defer_foreign_keys = ON")
        await session.execute("INSERT INTO children VALUES (1)")

    async def create_tables(session: Transaction) -> None:
        await session.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        await session.execute("CREATE TABLE children (parent INTEGER REFERENCES parents)")

    await database.write(create_tables)
    outcomes = await asyncio.gather(
        add_entry(database, 1), database.write(add_an_orphan), add_entry(database, 2), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [sqlite3.IntegrityError] * 3
    assert ledger.numbers() == set()
    await add_entry(database, 3)
    assert ledger.numbers() == {3}


async def test_whoever_is_still_patient_when_another_gives_up_is_carried_out(ledger: Ledger) -> None:
    async with ledger.open(busy_timeout_ms=300) as database:
        await add_entry(database, 0)
        lock = ledger.lock()
        impatient = asyncio.create_task(add_entry(database, 1))
        await asyncio.sleep(0.15)  # half of its time
        patient = asyncio.create_task(add_entry(database, 2))
        with pytest.raises(DatabaseUnavailable, match="locked"):
            await impatient
        assert not patient.done()
        lock.close()
        await patient
    assert ledger.numbers() == {0, 2}


async def test_the_time_that_a_turn_took_to_come_is_no_time_to_wait_for_the_lock(ledger: Ledger) -> None:
    """One deadline for both: two waits after each other would be longer than Traefik's patience."""
    loop = asyncio.get_running_loop()
    async with ledger.open(busy_timeout_ms=300) as database:
        lock = ledger.lock()
        began = loop.time()
        first = asyncio.create_task(add_entry(database, 1))
        await asyncio.sleep(0)
        others = [asyncio.create_task(add_entry(database, number)) for number in range(2, 5)]
        outcomes = await asyncio.gather(first, *others, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
        assert loop.time() - began < 0.55
        lock.close()
    assert ledger.numbers() == set()
