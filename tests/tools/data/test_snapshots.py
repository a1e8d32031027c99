import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Timer

import pytest

from tests.support.polling import wait_until
from tests.support.scripts import read_rows, write_rows
from tools.data import snapshots
from tools.data.snapshots import consistent_snapshot


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "first.db", tmp_path / "second.db"]
    for path in paths:
        write_rows(
            path, "PRAGMA journal_mode = WAL", "CREATE TABLE things (name TEXT)", "INSERT INTO things VALUES ('old')"
        )
    return paths


@contextmanager
def write_locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def is_write_locked(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    return False


def copy_all(sources: dict[Path, sqlite3.Connection]) -> list[list[tuple[str]]]:
    """The rows of a copy of each, which SQLite must find intact."""
    found = []
    for source in sources.values():
        with closing(sqlite3.connect(":memory:")) as copy:
            source.backup(copy)
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            found.append(copy.execute("SELECT name FROM things").fetchall())
    return found


def test_what_is_written_after_the_instant_is_in_no_copy(paths: list[Path]) -> None:
    """Many pages of it, so that a copy that looked at the file would be torn; and checkpointed as far as that goes."""
    with consistent_snapshot(paths) as sources:
        for path in paths:
            write_rows(path, "DELETE FROM things", "INSERT INTO things VALUES (hex(zeroblob(200000)))")
            read_rows(path, "PRAGMA wal_checkpoint(PASSIVE)")
        assert copy_all(sources) == [[("old",)], [("old",)]]
    assert read_rows(paths[0], "SELECT length(name) FROM things") == [(400000,)]


def test_what_is_still_in_the_wal_at_the_instant_is_in_the_copy(paths: list[Path]) -> None:
    with closing(sqlite3.connect(paths[1], isolation_level=None)) as service:
        service.execute("PRAGMA wal_autocheckpoint = 0")
        service.execute("INSERT INTO things VALUES ('new')")
        with consistent_snapshot(paths) as sources:
            assert copy_all(sources) == [[("old",)], [("old",), ("new",)]]


def test_writers_go_on_while_the_copies_are_made(paths: list[Path]) -> None:
    with consistent_snapshot(paths):
        for path in paths:
            with closing(sqlite3.connect(path, timeout=0)) as service, service:
                service.execute("INSERT INTO things VALUES ('new')")


@pytest.mark.parametrize("locked", [0, 1])
def test_held_lock_is_named_and_the_other_lock_is_released(
    locked: int, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "TIMEOUT_S", 1.0)
    begun = time.monotonic()
    with (
        write_locked(paths[locked]),
        pytest.raises(SystemExit, match=rf"^{paths[locked]} was locked by another process for 1 s"),
        consistent_snapshot(paths),
    ):
        pass
    assert 1 < time.monotonic() - begun < 3
    for path in paths:
        with write_locked(path):
            pass


def test_waiting_for_a_lock_does_not_block_the_other_database(paths: list[Path]) -> None:
    def write_both() -> None:
        with write_locked(paths[1]):
            wait_until(lambda: is_write_locked(paths[0]))
            with closing(sqlite3.connect(paths[0], timeout=1)) as service, service:
                service.execute("INSERT INTO things VALUES ('late')")

    with ThreadPoolExecutor() as threads:
        written = threads.submit(write_both)
        wait_until(lambda: is_write_locked(paths[1]))
        with consistent_snapshot(paths) as sources:
            assert copy_all(sources) == [[("old",), ("late",)], [("old",)]]
        written.result()


def test_file_that_is_locked_while_it_is_opened_is_waited_for(paths: list[Path]) -> None:
    service = sqlite3.connect(paths[0], isolation_level=None, check_same_thread=False)
    service.execute("PRAGMA locking_mode = EXCLUSIVE")
    service.execute("BEGIN IMMEDIATE")  # locks out readers too, as does the close of a last connection
    closing_service = Timer(0.3, service.close)
    closing_service.start()
    with consistent_snapshot(paths) as sources:
        assert copy_all(sources) == [[("old",)], [("old",)]]
    closing_service.join()


def test_file_that_is_no_database_is_named(paths: list[Path]) -> None:
    paths[1].write_text("not a database, but as long as the header of one would be", encoding="utf-8")
    with (
        pytest.raises(SystemExit, match=rf"^{paths[1]} cannot be read \(file is not a database\)\.$"),
        consistent_snapshot(paths),
    ):
        pass
