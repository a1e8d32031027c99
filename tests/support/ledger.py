"""A small ledger whose tables disagree after a partial or lost write."""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from servicekit.db.database import Database
from servicekit.db.engine import Engine, LockKeys
from servicekit.db.transaction import Transaction

SCHEMA = """
CREATE TABLE entries (number INTEGER PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE total (amount INTEGER NOT NULL);
CREATE TABLE tally (entries INTEGER NOT NULL);
INSERT INTO total VALUES (0);
INSERT INTO tally VALUES (0);
PRAGMA user_version = 1;
"""
CHECK = """
SELECT (SELECT amount FROM total) = (SELECT COALESCE(SUM(amount), 0) FROM entries)
   AND (SELECT entries FROM tally) = (SELECT COUNT(*) FROM entries)
"""

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT COUNT(*) FROM n"
"""A query that takes at least 100 ms."""


LEDGER: LockKeys = ("ledger",)
"""What all its transactions lock on PostgreSQL: each reads what it then changes."""


def create_ledger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
        connection.execute("PRAGMA journal_mode = WAL")


async def add_amount(connection: Transaction, *, number: int, amount: int) -> None:
    """A read-modify-write of three tables that must agree."""
    total = await connection.fetch_val("SELECT amount FROM total")
    tally = await connection.fetch_val("SELECT entries FROM tally")
    await connection.execute("INSERT INTO entries VALUES (:number, :amount)", {"number": number, "amount": amount})
    await connection.execute("UPDATE total SET amount = :amount", {"amount": total + amount})
    await connection.execute("UPDATE tally SET entries = :entries", {"entries": tally + 1})


@dataclass(frozen=True, slots=True)
class Ledger:
    path: Path

    @property
    def engine(self) -> Engine:
        return Engine.SQLITE

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def open(self, *, busy_timeout_ms: int = 10_000) -> Database:
        return Database(self.url, busy_timeout_ms=busy_timeout_ms, schema_version=1)

    def lock(self) -> sqlite3.Connection:
        """A separate connection that holds the write lock until it is closed, as another process would."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def numbers(self) -> set[int]:
        """The numbers of the stored entries; fails if the tables disagree or the database is locked."""
        with closing(self.lock()) as connection:
            assert connection.execute(CHECK).fetchone() == (1,)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return {number for (number,) in connection.execute("SELECT number FROM entries")}

    def total(self) -> int:
        """As another process sees it."""
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute("SELECT amount FROM total").fetchone()[0])


async def add_entry(database: Database, number: int, amount: int = 1) -> None:
    await database.write(partial(add_amount, number=number, amount=amount), lock=LEDGER)


async def wait_for_lock_attempt(statements: Sequence[str]) -> None:
    """Waits until a writer has tried to get the write lock, according to the fixture `statements`."""
    async with asyncio.timeout(5):
        while "BEGIN IMMEDIATE" not in statements:  # noqa: ASYNC110 - SQLite's thread sets no event
            await asyncio.sleep(0)


async def start_slow_transaction(database: Database, *numbers: int) -> asyncio.Task[None]:
    """Starts a transaction and returns when it has added an entry for each number; it takes at least 100 ms more."""
    loop = asyncio.get_running_loop()
    started = asyncio.Event()

    async def add_slowly(transaction: Transaction) -> None:
        for number in numbers:
            await add_amount(transaction, number=number, amount=1)
        loop.call_soon_threadsafe(started.set)
        await transaction.fetch_val(SLOW)

    task = asyncio.create_task(database.write(add_slowly, lock=LEDGER))
    await started.wait()
    return task


def count_threads_and_files() -> tuple[int, int]:
    """Threads and open files of this process; 0 files where /proc is missing."""
    open_files = Path("/proc/self/fd")
    return threading.active_count(), len(os.listdir(open_files)) if open_files.exists() else 0


async def assert_no_leaks(before: tuple[int, int]) -> None:
    """Fails if there are more threads or open files than before after 5 s: a finished thread needs a moment to exit."""
    deadline = time.monotonic() + 5
    while any(now > earlier for now, earlier in zip(count_threads_and_files(), before, strict=True)):
        assert time.monotonic() < deadline, f"{before} before, now {count_threads_and_files()}: {threading.enumerate()}"
        await asyncio.sleep(0.01)
