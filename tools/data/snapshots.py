"""Takes a consistent snapshot of several databases while services write to them.

It takes the write locks of all files, and while it holds them, a second connection to each begins a read transaction,
which sees this instant for as long as it is open. Then it releases the locks: writers have waited for milliseconds.
On PostgreSQL the lock is an advisory one, which every transaction shares (servicekit/db/postgres/writer.py); when it is
free, all that was committed is visible.

A service holds one write lock at a time, so there is no deadlock. Services commit in the order of dependence: a player
before a game, a word before an answer. So a snapshot with a game also has its player.
"""

import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from servicekit.db.sqlite_file import DatabaseFile, is_busy, wait_while_busy
from tools.data.database_readers import BEGIN
from tools.data.server_connections import ServerConnection

ATTEMPT_TIMEOUT_S = 0.3
"""The longest time for which an attempt blocks writers: a fraction of BUSY_TIMEOUT_MS, for which they wait."""
RETRY_PAUSE_S = 0.2
"""The pause between two attempts, in which waiting writers proceed."""
TIMEOUT_S = 10.0
"""The time after which no further attempt is made."""


@contextmanager
def consistent_snapshot(
    paths: Sequence[Path], servers: Collection[ServerConnection] = ()
) -> Iterator[dict[Path, sqlite3.Connection]]:
    """A connection to each file, in a read transaction; and the servers' connections are in one, too. All see the same
    instant.

    The caller holds `staging_lock`, so that no file is replaced. Raises SystemExit if a file is not a database, or if
    its write lock is held for TIMEOUT_S.
    """
    with ExitStack() as stack:
        readers = {path: stack.enter_context(closing(_open(path, read_only=True))) for path in paths}
        with _write_locks(paths, servers):
            for reader in readers.values():
                reader.execute("BEGIN")
                reader.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # a snapshot begins with the first read
            for server in servers:
                server.execute(f"{BEGIN}; SELECT 1")
        yield readers


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Waits while the last connection of another process closes, which locks the file to remove its WAL."""
    file = DatabaseFile(path, busy_timeout_ms=0)
    open_file = file.open_reader if read_only else file.open_writer
    try:
        return wait_while_busy(open_file, time.monotonic() + TIMEOUT_S)
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be read ({error}).") from error


@contextmanager
def _write_locks(paths: Sequence[Path], servers: Collection[ServerConnection]) -> Iterator[None]:
    """Holds the write locks of all databases; closing the connections to files releases them."""
    with ExitStack() as stack:
        writers = {path: stack.enter_context(closing(_open(path, read_only=False))) for path in paths}
        deadline = time.monotonic() + TIMEOUT_S
        while (locked := _try_to_lock(writers, servers)) is not None:
            for writer in writers.values():
                writer.rollback()
            _release(servers)
            if time.monotonic() > deadline:
                raise SystemExit(f"{locked} was locked by another process for {TIMEOUT_S:.0f} s: try again later.")
            time.sleep(RETRY_PAUSE_S)
        yield
        _release(servers)  # after an exception their connections are ended


def _release(servers: Collection[ServerConnection]) -> None:
    for server in servers:
        server.release_backup_lock()


def _try_to_lock(writers: Mapping[Path, sqlite3.Connection], servers: Collection[ServerConnection]) -> str | None:
    """Begins a write transaction on each file, and locks each server's database. Returns the name of the first one that
    stays locked until ATTEMPT_TIMEOUT_S."""
    deadline = time.monotonic() + ATTEMPT_TIMEOUT_S
    for path, writer in writers.items():
        try:
            wait_while_busy(partial(writer.execute, "BEGIN IMMEDIATE"), deadline)
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            return str(path)
    for server in servers:
        if not server.try_backup_lock(max(1, round((deadline - time.monotonic()) * 1000))):
            return server.name
    return None
