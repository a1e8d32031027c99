"""One instant of several databases, while services write to them.

The write lock of every file is taken, and while all are held, a second connection of each begins to read: what it sees
from then on is this instant, however long it reads. Then the writers go on; they have waited for milliseconds.

A service holds one write lock at a time, so nobody waits in a circle. Whatever a service committed in one database
before it began to write to another (a player before a game, a word before an answer) is seen in both or not in the
second: no instant has the game without its player.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from servicekit.db.sqlite_file import DatabaseFile, is_busy, wait_while_busy

PAUSE_S = 0.3
"""How long an attempt may keep the services from writing: a fraction of what they wait for a lock (BUSY_TIMEOUT_MS)."""
BREATH_S = 0.2
"""Between two attempts, for the writers that waited."""
PATIENCE_S = 10.0
"""How long attempts are repeated."""


@contextmanager
def one_instant(paths: Sequence[Path]) -> Iterator[dict[Path, sqlite3.Connection]]:
    """A connection to each database, in a read transaction; all see the same instant.

    Inside `exclusive`, so that no other file takes the place of one. Raises SystemExit if a file is no database, or
    if its write lock is not to be had for PATIENCE_S.
    """
    with ExitStack() as stack:
        readers = {path: stack.enter_context(closing(_open(path, read_only=True))) for path in paths}
        with _all_locked(paths):
            for reader in readers.values():
                reader.execute("BEGIN")
                reader.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # a snapshot begins with the first read
        yield readers


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    file = DatabaseFile(path, busy_timeout_ms=0)
    try:
        return file.open_reader() if read_only else file.open_writer()
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be read ({error}).") from error


@contextmanager
def _all_locked(paths: Sequence[Path]) -> Iterator[None]:
    """Closing the connections at the end is what lets go of the locks."""
    with ExitStack() as stack:
        writers = {path: stack.enter_context(closing(_open(path, read_only=False))) for path in paths}
        deadline = time.monotonic() + PATIENCE_S
        while (taken := _find_taken(writers)) is not None:
            for writer in writers.values():
                writer.rollback()
            if time.monotonic() > deadline:
                raise SystemExit(
                    f"The write lock of {taken} was not to be had for {PATIENCE_S:.0f} s: another process holds it."
                )
            time.sleep(BREATH_S)
        yield


def _find_taken(writers: Mapping[Path, sqlite3.Connection]) -> Path | None:
    """Takes the locks in their order until one is not to be had before PAUSE_S are over, which is returned."""
    deadline = time.monotonic() + PAUSE_S
    for path, writer in writers.items():
        try:
            wait_while_busy(partial(writer.execute, "BEGIN IMMEDIATE"), deadline)
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            return path
    return None
