"""QueryCache: any commit to one of its databases, by this process or another, invalidates it."""

import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from servicekit.db.cache import QueryCache
from servicekit.db.database import Database
from servicekit.problems import DatabaseUnavailable
from tests.support.ledger import LEDGER, Ledger, add_amount, create_ledger

pytestmark = pytest.mark.anyio


class CountingReader:
    """Reads the ledger's total and counts the reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.times = 0

    async def read(self) -> int:
        self.times += 1
        return int(await self._database.fetch_val("SELECT amount FROM total"))


def add_from_another_process(path: Path, amount: int) -> None:
    """Adds to the total on a connection of its own, as another process would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE total SET amount = amount + ?", (amount,))


async def test_value_is_cached_while_the_database_is_unchanged(ledger: Ledger) -> None:
    async with ledger.open() as database:
        reader, cache = CountingReader(database), QueryCache[int]([database], size=4)
        assert [await cache.get("total", reader.read) for _ in range(3)] == [0, 0, 0]
        assert reader.times == 1


async def test_every_commit_of_any_process_invalidates_the_cache(ledger: Ledger) -> None:
    async with ledger.open() as database:
        reader, cache = CountingReader(database), QueryCache[int]([database], size=4)
        total = 0
        for number in range(20):
            if number % 2:
                add_from_another_process(ledger.path, 5)
            else:
                await database.write(partial(add_amount, number=number, amount=5), lock=LEDGER)
            total += 5
            assert await cache.get("total", reader.read) == total
            assert await cache.get("total", reader.read) == total
        assert reader.times == 20


async def test_commit_to_any_database_of_the_cache_invalidates_it(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger(tmp_path / "other.db")
    create_ledger(other.path)
    async with ledger.open() as first, other.open() as second:
        reader, cache = CountingReader(second), QueryCache[int]([first, second], size=4)
        assert await cache.get("total", reader.read) == 0
        add_from_another_process(other.path, 3)
        assert await cache.get("total", reader.read) == 3
        add_from_another_process(ledger.path, 1)
        assert await cache.get("total", reader.read) == 3
        assert reader.times == 3


async def test_replaced_database_file_invalidates_the_cache(ledger: Ledger, tmp_path: Path) -> None:
    async with ledger.open() as database:
        reader, cache = CountingReader(database), QueryCache[int]([database], size=4)
        for total in (7, 8, 9):
            replacement = tmp_path / "replacement.db"
            create_ledger(replacement)
            add_from_another_process(replacement, total)
            os.replace(replacement, ledger.path)
            assert await cache.get("total", reader.read) == total


async def test_value_outdated_by_a_commit_while_read_is_not_cached(ledger: Ledger) -> None:
    async with ledger.open() as database:
        reader, cache = CountingReader(database), QueryCache[int]([database], size=4)

        async def read_then_commit() -> int:
            before = await reader.read()
            add_from_another_process(ledger.path, 2)
            assert await cache.get("other", reader.read) == 2  # a concurrent request for another key
            return before

        assert await cache.get("total", read_then_commit) == 0
        assert await cache.get("total", reader.read) == 2


async def test_cache_evicts_entries_over_its_size(ledger: Ledger) -> None:
    async with ledger.open() as database:
        reader, cache = CountingReader(database), QueryCache[int]([database], size=4)
        for number in range(100):
            await cache.get(number, reader.read)
        assert reader.times == 100
        await cache.get(99, reader.read)
        assert reader.times == 100
        await cache.get(0, reader.read)
        assert reader.times == 101


async def test_missing_database_is_reported_despite_a_cached_value(ledger: Ledger) -> None:
    async with ledger.open() as database:
        reader, cache = CountingReader(database), QueryCache[int]([database], size=4)
        await cache.get("total", reader.read)
        ledger.path.unlink()
        with pytest.raises(DatabaseUnavailable):
            await cache.get("total", reader.read)
