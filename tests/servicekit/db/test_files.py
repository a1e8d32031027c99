"""A database whose file is missing, replaced, corrupt or locked."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from servicekit.db.database import Database, Readable
from servicekit.db.sqlite_file import wait_while_busy
from servicekit.problems import DatabaseUnavailable
from tests.support.ledger import LEDGER, Ledger, add_entry, assert_no_leaks, count_threads_and_files, create_ledger

pytestmark = pytest.mark.anyio


async def read_total(database: Database) -> object:
    return await database.fetch_val("SELECT amount FROM total")


async def test_missing_file_is_unavailable_until_it_exists(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "late.db")
    async with ledger.open() as database:
        for use in (read_total(database), add_entry(database, 1)):
            with pytest.raises(DatabaseUnavailable, match=r"late\.db cannot be opened .*bin/init") as refusal:
                await use
            assert str(tmp_path) not in str(refusal.value)
        assert not ledger.path.exists()  # opening creates no empty file
        create_ledger(ledger.path)
        assert await read_total(database) == 0
        await add_entry(database, 2)
    assert ledger.numbers() == {2}


async def test_removed_file_is_unavailable_until_it_is_back(ledger: Ledger, database: Database) -> None:
    await add_entry(database, 1)
    hidden = ledger.path.rename(ledger.path.with_suffix(".hidden"))
    for use in (read_total(database), add_entry(database, 2)):
        with pytest.raises(DatabaseUnavailable):
            await use
    hidden.rename(ledger.path)
    await add_entry(database, 3)
    assert ledger.numbers() == {1, 3}


async def test_open_connections_switch_to_a_replaced_file(tmp_path: Path, ledger: Ledger) -> None:
    create_ledger(tmp_path / "new.db")
    async with ledger.open() as one, ledger.open() as other:
        for number, database in enumerate((one, other)):
            await add_entry(database, number, amount=100)
            assert await read_total(database) == 100 * (number + 1)
        for name in ("ledger.db-wal", "ledger.db-shm"):  # as when a database is removed by hand
            os.remove(tmp_path / name)
        os.replace(tmp_path / "new.db", ledger.path)

        await add_entry(one, 2)  # in the new file's WAL, while three connections have the old file open
        assert await read_total(other) == 1
        await add_entry(other, 3)
        assert await read_total(one) == 2
    assert ledger.numbers() == {2, 3}


def is_a_thread_waiting_for_a_lock() -> bool:
    """Whether a thread of this process waits to begin a transaction on a locked file."""
    frames = sys._current_frames().values()
    return any(frame.f_code is wait_while_busy.__code__ for frame in frames)


async def test_write_waiting_during_a_replacement_goes_to_the_new_file(
    tmp_path: Path, ledger: Ledger, database: Database
) -> None:
    await add_entry(database, 1)
    with closing(sqlite3.connect(tmp_path / "new.db")) as new, closing(sqlite3.connect(ledger.path)) as old:
        old.backup(new)
        new.execute("PRAGMA journal_mode = WAL")
    lock = ledger.lock()
    write = asyncio.create_task(add_entry(database, 2))
    async with asyncio.timeout(5):
        while not is_a_thread_waiting_for_a_lock():  # noqa: ASYNC110 - SQLite's thread sets no event
            await asyncio.sleep(0)
    for name in ("ledger.db-wal", "ledger.db-shm"):
        os.remove(tmp_path / name)
    os.replace(tmp_path / "new.db", ledger.path)
    lock.close()
    await write
    assert ledger.numbers() == {1, 2}


async def test_lock_on_a_replaced_file_blocks_no_write(tmp_path: Path, ledger: Ledger, database: Database) -> None:
    await add_entry(database, 1)
    create_ledger(tmp_path / "new.db")
    with closing(ledger.lock()):
        for name in ("ledger.db-wal", "ledger.db-shm"):
            os.remove(tmp_path / name)
        os.replace(tmp_path / "new.db", ledger.path)
        async with asyncio.timeout(5):  # the busy timeout is twice as long
            await add_entry(database, 2)
    assert ledger.numbers() == {2}


@pytest.mark.parametrize("content", [b"no database at all, " * 500, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_file_that_is_not_a_database_is_unavailable(tmp_path: Path, content: bytes) -> None:
    ledger = Ledger(tmp_path / "text.db")
    ledger.path.write_bytes(content)
    async with ledger.open() as database:
        for use in (read_total(database), add_entry(database, 1)):
            with pytest.raises(DatabaseUnavailable, match=r"text\.db does not answer"):
                await use
    assert ledger.path.read_bytes() == content


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "empty"])
async def test_folder_or_empty_file_is_unavailable(tmp_path: Path, make: Callable[[Path], None]) -> None:
    ledger = Ledger(tmp_path / "odd.db")
    make(ledger.path)
    async with ledger.open() as database:
        for use in (read_total(database), add_entry(database, 1)):
            with pytest.raises(DatabaseUnavailable):
                await use


async def test_text_that_is_not_utf_8_is_unavailable(ledger: Ledger, database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="UTF-8"):
        await database.fetch_val("SELECT CAST(x'ff' AS TEXT)")
    with pytest.raises(DatabaseUnavailable, match="UTF-8"):
        await database.write(lambda transaction: transaction.fetch_val("SELECT CAST(x'ff' AS TEXT)"), lock=LEDGER)


async def test_connections_set_wal_synchronous_full_and_foreign_keys(
    database: Database,
) -> None:
    """busy_timeout is 0: waiting for locks happens outside SQLite."""

    async def read_settings(readable: Readable) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
        return {name: await readable.fetch_val(f"PRAGMA {name}") for name in names}

    safe = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 0}
    assert await read_settings(database) == {**safe, "query_only": 1}
    assert await database.write(read_settings, lock=LEDGER) == {**safe, "query_only": 0}


async def test_file_in_another_journal_mode_is_switched_to_wal(ledger: Ledger) -> None:
    with closing(sqlite3.connect(ledger.path)) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    async with ledger.open() as database:
        assert await read_total(database) == 0
    with closing(sqlite3.connect(ledger.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def lock_whole_file(path: Path) -> sqlite3.Connection:
    """Locks a file exclusively, for readers too, as scripts that replace databases do (tools/data/atomic_files.py)."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


async def test_read_of_a_locked_file_waits_without_blocking_the_loop(ledger: Ledger) -> None:
    lock = lock_whole_file(ledger.path)
    async with ledger.open() as database:
        read = asyncio.create_task(read_total(database))
        for _ in range(100):  # the event loop keeps running
            await asyncio.sleep(0)
        assert not read.done()
        lock.close()
        assert await read == 0


async def test_read_of_a_file_locked_past_the_timeout_is_unavailable(ledger: Ledger) -> None:
    with closing(lock_whole_file(ledger.path)):
        async with ledger.open(busy_timeout_ms=50) as database:
            with pytest.raises(DatabaseUnavailable, match="locked"):
                await read_total(database)


async def test_reopening_leaks_no_thread_and_no_file(ledger: Ledger) -> None:
    before = count_threads_and_files()
    for number in range(20):
        async with ledger.open() as database:
            await add_entry(database, number)
    await assert_no_leaks(before)


async def test_path_can_be_relative_or_absolute_with_any_character(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("plain.db", "with space, é and 'quotes'.db"):
        create_ledger(tmp_path / name)
        for url in (f"sqlite:///{name}", f"sqlite:///{tmp_path / name}"):
            async with Database(url, busy_timeout_ms=1000, schema_version=1) as database:
                assert await read_total(database) == 0


async def test_database_touches_no_disk_before_its_first_use(tmp_path: Path) -> None:
    async with Ledger(tmp_path / "none.db").open():
        assert os.listdir(tmp_path) == []


async def test_mistake_in_a_statement_is_no_outage(ledger: Ledger, database: Database) -> None:
    """A client must not be asked to try again: the exception reaches the server, which logs it and answers 500."""
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        await database.fetch_one("SELECT amuont FROM total")
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        await database.write(lambda transaction: transaction.execute("UPDAET total SET amount = 1"), lock=LEDGER)
    await add_entry(database, 1)
    assert ledger.numbers() == {1}
