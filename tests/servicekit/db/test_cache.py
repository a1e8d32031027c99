"""What was made from databases is kept until one of them changes, whoever changes it."""

import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from servicekit.db.cache import QueryCache
from servicekit.db.database import Database
from servicekit.problems import DatabaseUnavailable
from tests.support.ledger import Ledger, add_amount, create_ledger

pytestmark = pytest.mark.anyio


class Counting:
    """Reads the total, and counts how often."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.times = 0

    async def read(self) -> int:
        self.times += 1
        return int(await self._database.fetch_val("SELECT amount FROM total"))


def add_elsewhere(path: Path, amount: int) -> None:
    """As another process does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE total SET amount = amount + ?", (amount,))


async def test_what_was_made_is_given_again_while_nothing_changes(ledger: Ledger) -> None:
    async with ledger.open() as database:
        counting, remembered = Counting(database), QueryCache[int]([database], size=4)
        assert [await remembered.get("total", counting.read) for _ in range(3)] == [0, 0, 0]
        assert counting.times == 1


async def test_every_commit_of_this_process_or_another_makes_it_anew(ledger: Ledger) -> None:
    async with ledger.open() as database:
        counting, remembered = Counting(database), QueryCache[int]([database], size=4)
        total = 0
        for number in range(20):
            if number % 2:
                add_elsewhere(ledger.path, 5)
            else:
                await database.write(partial(add_amount, number=number, amount=5))
            total += 5
            assert await remembered.get("total", counting.read) == total
            assert await remembered.get("total", counting.read) == total
        assert counting.times == 20


async def test_a_change_of_any_database_counts(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger(tmp_path / "other.db")
    create_ledger(other.path)
    async with ledger.open() as first, other.open() as second:
        counting, remembered = Counting(second), QueryCache[int]([first, second], size=4)
        assert await remembered.get("total", counting.read) == 0
        add_elsewhere(other.path, 3)
        assert await remembered.get("total", counting.read) == 3
        add_elsewhere(ledger.path, 1)
        assert await remembered.get("total", counting.read) == 3
        assert counting.times == 3


async def test_another_file_in_the_place_of_a_database_counts(ledger: Ledger, tmp_path: Path) -> None:
    async with ledger.open() as database:
        counting, remembered = Counting(database), QueryCache[int]([database], size=4)
        for total in (7, 8, 9):
            replacement = tmp_path / "replacement.db"
            create_ledger(replacement)
            add_elsewhere(replacement, total)
            os.replace(replacement, ledger.path)
            assert await remembered.get("total", counting.read) == total


async def test_what_a_commit_overtakes_while_it_is_made_is_not_given_again(ledger: Ledger) -> None:
    async with ledger.open() as database:
        counting, remembered = Counting(database), QueryCache[int]([database], size=4)

        async def read_and_be_overtaken() -> int:
            before = await counting.read()
            add_elsewhere(ledger.path, 2)
            assert await remembered.get("other", counting.read) == 2  # somebody else asks meanwhile
            return before

        assert await remembered.get("total", read_and_be_overtaken) == 0
        assert await remembered.get("total", counting.read) == 2


async def test_no_more_is_kept_than_was_said(ledger: Ledger) -> None:
    async with ledger.open() as database:
        counting, remembered = Counting(database), QueryCache[int]([database], size=4)
        for number in range(100):
            await remembered.get(number, counting.read)
        assert counting.times == 100
        await remembered.get(99, counting.read)
        assert counting.times == 100
        await remembered.get(0, counting.read)
        assert counting.times == 101


async def test_a_database_that_is_away_is_told_although_the_value_is_known(ledger: Ledger) -> None:
    async with ledger.open() as database:
        counting, remembered = Counting(database), QueryCache[int]([database], size=4)
        await remembered.get("total", counting.read)
        ledger.path.unlink()
        with pytest.raises(DatabaseUnavailable):
            await remembered.get("total", counting.read)
