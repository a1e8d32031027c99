"""ask_all: the answers of several databases, in their order."""

import time
from functools import partial

import pytest

from servicekit.db.database import Database
from servicekit.db.fan_out import ask_all
from servicekit.problems import DatabaseUnavailable
from tests.support.ledger import add_entry
from tests.support.postgres_ledger import AnyLedger, PostgresLedger

pytestmark = pytest.mark.anyio


async def read_total(database: Database) -> int:
    return int(await database.fetch_val("SELECT amount FROM total"))


async def test_answers_are_in_the_order_of_the_databases(any_ledger: AnyLedger) -> None:
    async with any_ledger.open() as one, any_ledger.open() as other:
        await add_entry(one, 1, amount=5)
        assert await ask_all([one, other], read_total) == [5, 5]
        assert await ask_all([], read_total) == []


async def test_servers_answer_at_the_same_time(postgres_ledger: PostgresLedger) -> None:
    async def wait(database: Database, *, seconds: float) -> object:
        return await database.fetch_val("SELECT pg_sleep(:seconds)", {"seconds": seconds})

    async with postgres_ledger.open() as one, postgres_ledger.open() as other:
        began = time.monotonic()
        await ask_all([one, other, one, other], partial(wait, seconds=0.5))
        assert time.monotonic() - began < 1.5  # one after the other would take 2 s


async def test_failure_of_one_is_raised(postgres_ledger: PostgresLedger) -> None:
    missing = Database(postgres_ledger.server.url("nowhere"), busy_timeout_ms=1000, schema_version=1)
    async with postgres_ledger.open() as one, missing as other:
        with pytest.raises(DatabaseUnavailable):
            await ask_all([one, other], read_total)
